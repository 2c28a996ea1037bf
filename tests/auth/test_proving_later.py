"""The address is proven after the sign-up: a mail is sent again, its code or link does it, in both workflows."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache

from okta_devorg import OrgHandle
from okta_devorg.state.users import Enrollment
from selfreg import rate_limits
from selfreg.models import OktaIdentity, Registration, RegistrationEvent
from selfreg.statuses import Status
from support.person import SITE, Person

Configure = Callable[..., None]
EMAIL = "/signup/email/"
NO_PROOF = {"email_verification": False, "authenticators": {"okta_email": "optional", "okta_password": "required"}}
LINK_ONLY = {"email_verification": True, "authenticators": {"okta_email": "disabled"}}


@pytest.fixture(autouse=True)
def _no_pause_between_mails(configure: Configure) -> None:
    configure(RESEND_SECONDS=0)


@pytest.fixture
def unproven(person: Person, org: OrgHandle, configure: Configure) -> Person:
    """Ada, signed in by the optional workflow, on the home page with the notice."""
    configure(EMAIL_VERIFICATION="optional", API_TOKEN=org.policy.api_token)
    org.patch_policy(NO_PROOF)
    person.opens_the_sign_up().tells_who_she_is().chooses("Password").sets_a_password()
    if not person.is_signed_in:
        person.presses("Skip for now")
    assert person.is_signed_in
    return person.opens("/")


@pytest.fixture
def waiting(person: Person, org: OrgHandle, configure: Configure) -> Person:
    """Ada at "check your email", whose link the org sent."""
    configure(API_TOKEN=org.policy.api_token)
    org.patch_policy(LINK_ONLY)
    person.opens_the_sign_up("?next=/members/").tells_who_she_is().chooses("Password").sets_a_password()
    assert Registration.objects.get().status == Status.AWAITING_EMAIL
    return person


def is_proven() -> bool:
    return OktaIdentity.objects.get().email_verified_at is not None


# ---- optional: signed in, by a code


@pytest.mark.database
def test_the_notice_sends_a_code_and_the_code_proves_the_address(unproven: Person, org: OrgHandle) -> None:
    mails = len(org.messages(unproven.email))
    unproven.presses("Resend email")
    assert (unproven.path, unproven.heading) == (EMAIL, "Check your email")
    assert unproven.email in unproven.page.text
    assert len(org.messages(unproven.email)) == mails + 1
    assert not is_proven()
    unproven.types_the_code_from(org)
    assert is_proven()
    assert unproven.path == "/"
    assert "confirmed yet" not in unproven.page.text
    assert org.users[0].email_verified


def test_a_wrong_code_is_named_in_the_summary_and_at_its_field(unproven: Person, org: OrgHandle) -> None:
    unproven.presses("Resend email").fills_and_presses({"credentials.passcode": "000000"})
    assert unproven.page.problems() != []
    assert unproven.page.problems() == unproven.page.beside("credentials.passcode")


def test_an_org_that_is_down_is_no_fault_of_the_typed_code(unproven: Person, org: OrgHandle) -> None:
    unproven.presses("Resend email")
    org.fail("*", "status", status=503, times=9)
    unproven.fills_and_presses({"credentials.passcode": "123456"})
    assert unproven.page.problems() != []
    assert 'aria-invalid="true"' not in unproven.page.html
    assert "id_code_error" not in unproven.page.html


def test_a_page_for_proven_people_is_where_the_code_leads_back_to(unproven: Person, org: OrgHandle) -> None:
    unproven.opens("/members/").posts(EMAIL, {"action": "send", "next": "/members/"}).types_the_code_from(org)
    assert unproven.path == "/members/"


@pytest.mark.parametrize("enrolled", [True, False])
def test_a_code_to_another_address_is_not_asked_for(unproven: Person, org: OrgHandle, enrolled: bool) -> None:
    """The account got another address at Okta: its code would prove that one, and not the one that is known here."""
    if not enrolled:
        unproven.presses("Resend email").opens("/")
    org.users[0].profile["email"] = "other@example.com"
    if enrolled:
        org.users[0].enroll(Enrollment("okta_email", "emfOther", ("email",)))
    unproven.presses("Resend email")
    assert "can't send this email again" in unproven.page.text
    assert org.messages("other@example.com") == []
    assert not is_proven()


def test_a_wrong_code_proves_nothing_and_says_so(unproven: Person, org: OrgHandle) -> None:
    unproven.presses("Resend email")
    for code in ("000000", "", "x" * 21, "é12345", "<b>"):
        unproven.fills_and_presses({"credentials.passcode": code}, "Confirm")
        assert "That code isn't right. Check the newest one and try again." in unproven.page.text
    assert not is_proven()
    unproven.types_the_code_from(org)
    assert is_proven()


def test_a_code_is_taken_as_it_was_meant(unproven: Person, org: OrgHandle) -> None:
    unproven.presses("Resend email")
    code = "".join(chr(0x0660 + int(digit)) for digit in org.code(unproven.email))
    unproven.fills_and_presses({"credentials.passcode": f"\u200f{code[:3]} – {code[3:]}"}, "Confirm")
    assert is_proven()


def test_only_the_newest_code_counts(unproven: Person, org: OrgHandle) -> None:
    unproven.presses("Resend email")
    first = org.code(unproven.email)
    unproven.presses("Resend code")
    assert "We sent a new code" in unproven.page.text
    unproven.fills_and_presses({"credentials.passcode": first}, "Confirm")
    assert not is_proven()
    unproven.types_the_code_from(org)
    assert is_proven()


def test_who_enrolled_the_address_at_the_org_meanwhile_is_asked_for_it_all_the_same(
    unproven: Person, org: OrgHandle
) -> None:
    unproven.presses("Resend email").types_the_code_from(org)
    OktaIdentity.objects.update(email_verified_at=None)
    unproven.opens("/").presses("Resend email").types_the_code_from(org)
    assert is_proven()


def test_a_code_for_an_address_that_was_changed_proves_nothing(unproven: Person, org: OrgHandle) -> None:
    unproven.presses("Resend email")
    code = org.code(unproven.email)
    User.objects.update(email="somebody.else@example.com")
    unproven.posts(EMAIL, {"credentials.passcode": code})
    assert not is_proven()


def test_a_code_of_one_browser_does_nothing_in_another(unproven: Person, org: OrgHandle) -> None:
    unproven.presses("Resend email")
    code = org.code(unproven.email)
    other = Person().opens("/signup/email/")
    other.opens_the_sign_up().posts(EMAIL, {"credentials.passcode": code})
    assert not is_proven()
    assert not other.is_signed_in


def test_mails_wait_for_each_other(unproven: Person, org: OrgHandle, configure: Configure) -> None:
    configure(RESEND_SECONDS=30)
    unproven.presses("Resend email")
    mails = len(org.messages(unproven.email))
    unproven.presses("Resend code")
    assert "Wait" in unproven.page.text
    assert len(org.messages(unproven.email)) == mails


@pytest.mark.database
def test_mails_are_counted_in_the_database(unproven: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "send by account", rate_limits.Limit(2, 60, relaxed=2))
    before = len(org.messages(unproven.email))
    for _ in range(4):
        unproven.posts(EMAIL, {"action": "send"})
    assert len(org.messages(unproven.email)) == before + 2
    assert "Too many attempts" in unproven.page.text


@pytest.mark.database
def test_tries_of_a_code_are_counted(unproven: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "code by challenge", rate_limits.Limit(2, 60, relaxed=2))
    unproven.presses("Resend email")
    for _ in range(2):
        unproven.fills_and_presses({"credentials.passcode": "000000"}, "Confirm")
    unproven.types_the_code_from(org)
    assert "Too many attempts" in unproven.page.text
    assert not is_proven()


@pytest.mark.database
def test_an_outage_uses_up_no_mail_and_no_try(
    unproven: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("send by account", "code by challenge"):
        monkeypatch.setitem(rate_limits.LIMITS, limit, rate_limits.Limit(1, 60, relaxed=1))
    org.fail("*", "status", status=503)
    unproven.presses("Resend email").opens("/").presses("Resend email")
    org.fail("*", "status", status=503)
    unproven.types_the_code_from(org).types_the_code_from(org)
    assert is_proven()


def test_looking_sends_nothing(unproven: Person, org: OrgHandle) -> None:
    calls = len(org.calls())
    unproven.opens(EMAIL)
    assert unproven.heading == "Check your email"
    unproven.browser.head(EMAIL)
    assert unproven.browser.get(EMAIL, {"action": "send"}).status_code == 200
    assert len(org.calls()) == calls


def test_without_a_token_nothing_is_offered_and_a_forged_press_sends_nothing(
    unproven: Person, org: OrgHandle, configure: Configure
) -> None:
    configure(API_TOKEN="")
    unproven.opens("/")
    assert "I've confirmed it" in unproven.page.text
    assert "Resend email" not in unproven.page.text
    calls = len(org.calls())
    unproven.posts(EMAIL, {"action": "send"})
    assert len(org.calls()) == calls
    assert "send this email again" in unproven.page.text


def test_an_org_that_has_no_code_for_mails_is_not_asked_twice(unproven: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"okta_email": "disabled"}})
    unproven.presses("Resend email")
    assert unproven.status == 200
    assert "Resend email" not in unproven.opens("/").page.text
    cache.clear()
    assert "Resend email" in unproven.opens("/").page.text


@pytest.mark.parametrize("kind", ["reset", "html", "empty", "status", "truncate", "redirect"])
def test_an_org_that_fails_is_a_page_and_the_next_press_works(unproven: Person, org: OrgHandle, kind: str) -> None:
    org.fail("*", kind, times=1)
    unproven.presses("Resend email")
    org.org.faults.pending.clear()
    assert unproven.status == 200
    unproven.opens("/").presses("Resend email").types_the_code_from(org)
    assert is_proven()


def test_somebody_locked_at_the_org_is_told(unproven: Person, org: OrgHandle) -> None:
    org.users[0].status = type(org.users[0].status)("SUSPENDED")
    assert "send this email again from here" in unproven.presses("Resend email").page.text


def test_who_is_proven_is_sent_on(unproven: Person, org: OrgHandle) -> None:
    unproven.presses("Resend email").types_the_code_from(org)
    assert unproven.opens(EMAIL).path == "/"
    calls = len(org.calls())
    unproven.posts(EMAIL, {"action": "send"})
    assert len(org.calls()) == calls


def test_no_code_and_no_token_is_kept_in_the_clear(unproven: Person, org: OrgHandle) -> None:
    unproven.presses("Resend email")
    kept = repr(dict(unproven.browser.session.items()))
    for secret in (org.code(unproven.email), org.policy.api_token):
        assert secret not in kept + unproven.page.html


# ---- mandatory: the link


def test_the_page_says_how_long_the_link_works(waiting: Person, configure: Configure) -> None:
    assert "The link works for 7 days." in waiting.page.text
    configure(ACTIVATION_LINK_DAYS=1)
    assert "The link works for 1 day." in waiting.opens("/signup/done/").page.text


def test_the_mail_again_kills_the_old_link_and_the_new_one_leads_to_the_end(waiting: Person, org: OrgHandle) -> None:
    (old,) = org.messages(waiting.email)
    waiting.presses("Resend email")
    assert (waiting.path, waiting.heading) == ("/signup/done/", "Check your email")
    assert "Only the newest link works" in waiting.page.text
    assert len(org.messages(waiting.email)) == 2
    assert not org.users[0].email_verified
    assert "expired" in Person().opens(str(old.link)).page.text
    waiting.opens_the_link_in_the_mail(org).does_whatever_the_page_asks(org)
    if not waiting.is_signed_in:
        waiting.opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert waiting.is_signed_in
    assert Registration.objects.filter(status=Status.COMPLETED).count() == 1
    assert not Registration.objects.open().exists()


def test_having_the_mail_again_never_makes_an_account_work_by_itself(waiting: Person, org: OrgHandle) -> None:
    waiting.presses("Resend email")
    assert org.users[0].status == "PROVISIONED"
    assert not Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org().is_signed_in
    assert not User.objects.exists()


def test_without_a_token_the_page_offers_no_resend(waiting: Person, configure: Configure) -> None:
    configure(API_TOKEN="")
    assert "Resend email" not in waiting.opens("/signup/done/").page.text


@pytest.mark.database
def test_the_link_comes_back_signs_in_and_completes_the_same_row(waiting: Person, org: OrgHandle) -> None:
    """The whole way: the org activates, the Initiate login URI begins a sign-in, the row is the same."""
    pk = Registration.objects.get().pk
    waiting.opens_the_link_in_the_mail(org)
    assert any("/oidc/authenticate/?iss=" in shown.url for shown in waiting.seen)
    waiting.signs_in_at_the_org()
    assert (waiting.is_signed_in, waiting.path) == (True, "/members/")
    registration = Registration.objects.get()
    assert (registration.pk, registration.status) == (pk, Status.COMPLETED)
    assert is_proven()


def test_the_link_in_another_browser_completes_the_same_row(waiting: Person, org: OrgHandle) -> None:
    other = Person().opens_the_link_in_the_mail(org, waiting.email).signs_in_at_the_org()
    assert (other.is_signed_in, other.path) == (True, "/members/")
    assert Registration.objects.get().status == Status.COMPLETED
    assert not waiting.is_signed_in


# ---- the site is stricter than its org: the account is active and its address unproven


@pytest.fixture
def stricter(person: Person, org: OrgHandle, configure: Configure) -> Person:
    configure(API_TOKEN=org.policy.api_token)
    org.patch_policy({**NO_PROOF, "authenticators": {"okta_email": "disabled", "okta_password": "required"}})
    person.opens_the_sign_up("?next=/members/").tells_who_she_is().chooses("Password").sets_a_password()
    assert Registration.objects.get().status == Status.AWAITING_EMAIL
    org.patch_policy(NO_PROOF)
    return person


def test_an_active_account_gets_a_code_and_signing_in_completes_the_row(stricter: Person, org: OrgHandle) -> None:
    stricter.presses("Resend email")
    assert stricter.path == EMAIL
    stricter.types_the_code_from(org)
    if not stricter.is_signed_in:
        stricter.signs_in_at_the_org()
    assert (stricter.is_signed_in, stricter.path) == (True, "/members/")
    registration = Registration.objects.get()
    assert registration.status == Status.COMPLETED
    assert registration.events.filter(kind=RegistrationEvent.Kind.VERIFIED).count() == 1


def test_the_code_counts_even_if_the_org_does_not_say_so(stricter: Person, org: OrgHandle) -> None:
    stricter.presses("Resend email").types_the_code_from(org)
    org.users[0].email_verified = False
    assert stricter.signs_in_at_the_org().is_signed_in
    assert is_proven()


def test_it_counts_for_that_address_only(stricter: Person, org: OrgHandle) -> None:
    stricter.presses("Resend email").types_the_code_from(org)
    org.users[0].email_verified = False
    org.users[0].profile["email"] = "victim@example.com"
    stricter.signs_in_at_the_org()
    assert not stricter.is_signed_in
    assert not User.objects.exists()


def test_a_stranger_with_the_page_of_somebody_else_gets_nowhere(waiting: Person, org: OrgHandle) -> None:
    mails: list[Any] = org.messages(waiting.email)
    stranger = Person().opens_the_sign_up()
    stranger.posts(EMAIL, {"action": "send"})
    assert org.messages(waiting.email) == mails
