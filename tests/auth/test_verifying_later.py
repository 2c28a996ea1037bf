"""Verifying the address after the sign-up with the code or link of a resent email, in both workflows."""

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
NO_VERIFICATION = {
    "email_verification": False,
    "authenticators": {"okta_email": "optional", "okta_password": "required"},
}
LINK_ONLY = {"email_verification": True, "authenticators": {"okta_email": "disabled"}}


@pytest.fixture(autouse=True)
def _no_pause_between_emails(configure: Configure) -> None:
    configure(RESEND_SECONDS=0)


@pytest.fixture
def unverified(person: Person, org: OrgHandle, configure: Configure) -> Person:
    """Return a person who signed up with the optional workflow, on the home page with the notice."""
    configure(EMAIL_VERIFICATION="optional", API_TOKEN=org.policy.api_token)
    org.patch_policy(NO_VERIFICATION)
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    if not person.is_signed_in:
        person.presses("Skip for now")
    assert person.is_signed_in
    return person.opens("/")


@pytest.fixture
def awaiting_email(person: Person, org: OrgHandle, configure: Configure) -> Person:
    """Return a person on the page "Check your email" who was sent an activation link."""
    configure(API_TOKEN=org.policy.api_token)
    org.patch_policy(LINK_ONLY)
    person.opens_the_sign_up("?next=/members/").submits_profile().chooses("Password").sets_a_password()
    assert Registration.objects.get().status == Status.AWAITING_EMAIL
    return person


def is_verified() -> bool:
    return OktaIdentity.objects.get().email_verified_at is not None


# ---- optional workflow: a code for a signed-in user


@pytest.mark.database
def test_resent_email_contains_a_code_that_verifies_the_address(unverified: Person, org: OrgHandle) -> None:
    emails = len(org.messages(unverified.email))
    unverified.presses("Resend email")
    assert (unverified.path, unverified.heading) == (EMAIL, "Check your email")
    assert unverified.email in unverified.page.text
    assert len(org.messages(unverified.email)) == emails + 1
    assert not is_verified()
    unverified.types_the_code_from(org)
    assert is_verified()
    assert unverified.path == "/"
    assert "confirmed yet" not in unverified.page.text
    assert org.users[0].email_verified


def test_wrong_code_error_is_in_the_summary_and_beside_the_field(unverified: Person, org: OrgHandle) -> None:
    unverified.presses("Resend email").fills_and_presses({"credentials.passcode": "000000"})
    assert unverified.page.problems() != []
    assert unverified.page.problems() == unverified.page.beside("credentials.passcode")


def test_outage_does_not_mark_the_code_field_as_invalid(unverified: Person, org: OrgHandle) -> None:
    unverified.presses("Resend email")
    org.fail("*", "status", status=503, times=9)
    unverified.fills_and_presses({"credentials.passcode": "123456"})
    assert unverified.page.problems() != []
    assert 'aria-invalid="true"' not in unverified.page.html
    assert "id_code_error" not in unverified.page.html


def test_verifying_redirects_back_to_the_page_that_required_it(unverified: Person, org: OrgHandle) -> None:
    unverified.opens("/members/").posts(EMAIL, {"action": "send", "next": "/members/"}).types_the_code_from(org)
    assert unverified.path == "/members/"


@pytest.mark.parametrize("enrolled", [True, False])
def test_no_code_is_sent_if_the_account_has_another_address(unverified: Person, org: OrgHandle, enrolled: bool) -> None:
    """The account has a new address at Okta. A code would verify that one instead of the one stored here."""
    if not enrolled:
        unverified.presses("Resend email").opens("/")
    org.users[0].profile["email"] = "other@example.com"
    if enrolled:
        org.users[0].enroll(Enrollment("okta_email", "emfOther", ("email",)))
    unverified.presses("Resend email")
    assert "can't send this email again" in unverified.page.text
    assert org.messages("other@example.com") == []
    assert not is_verified()


def test_wrong_code_verifies_nothing_and_shows_an_error(unverified: Person, org: OrgHandle) -> None:
    unverified.presses("Resend email")
    for code in ("000000", "", "x" * 21, "é12345", "<b>"):
        unverified.fills_and_presses({"credentials.passcode": code}, "Confirm")
        assert "That code isn't right. Check the newest one and try again." in unverified.page.text
    assert not is_verified()
    unverified.types_the_code_from(org)
    assert is_verified()


def test_code_with_other_digits_and_separators_is_accepted(unverified: Person, org: OrgHandle) -> None:
    unverified.presses("Resend email")
    code = "".join(chr(0x0660 + int(digit)) for digit in org.code(unverified.email))
    unverified.fills_and_presses({"credentials.passcode": f"\u200f{code[:3]} – {code[3:]}"}, "Confirm")
    assert is_verified()


def test_only_the_newest_code_is_accepted(unverified: Person, org: OrgHandle) -> None:
    unverified.presses("Resend email")
    first = org.code(unverified.email)
    unverified.presses("Resend code")
    assert "We sent a new code" in unverified.page.text
    unverified.fills_and_presses({"credentials.passcode": first}, "Confirm")
    assert not is_verified()
    unverified.types_the_code_from(org)
    assert is_verified()


def test_address_can_be_verified_again_with_the_email_factor_enrolled(unverified: Person, org: OrgHandle) -> None:
    unverified.presses("Resend email").types_the_code_from(org)
    OktaIdentity.objects.update(email_verified_at=None)
    unverified.opens("/").presses("Resend email").types_the_code_from(org)
    assert is_verified()


def test_code_for_a_changed_address_verifies_nothing(unverified: Person, org: OrgHandle) -> None:
    unverified.presses("Resend email")
    code = org.code(unverified.email)
    User.objects.update(email="somebody.else@example.com")
    unverified.posts(EMAIL, {"credentials.passcode": code})
    assert not is_verified()


def test_code_is_not_accepted_in_another_browser(unverified: Person, org: OrgHandle) -> None:
    unverified.presses("Resend email")
    code = org.code(unverified.email)
    other_browser = Person().opens("/signup/email/")
    other_browser.opens_the_sign_up().posts(EMAIL, {"credentials.passcode": code})
    assert not is_verified()
    assert not other_browser.is_signed_in


def test_second_email_requires_a_pause(unverified: Person, org: OrgHandle, configure: Configure) -> None:
    configure(RESEND_SECONDS=30)
    unverified.presses("Resend email")
    emails = len(org.messages(unverified.email))
    unverified.presses("Resend code")
    assert "Wait" in unverified.page.text
    assert len(org.messages(unverified.email)) == emails


@pytest.mark.database
def test_sent_emails_are_rate_limited_by_account(
    unverified: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "send by account", rate_limits.Limit(2, 60, relaxed=2))
    before = len(org.messages(unverified.email))
    for _ in range(4):
        unverified.posts(EMAIL, {"action": "send"})
    assert len(org.messages(unverified.email)) == before + 2
    assert "Too many attempts" in unverified.page.text


@pytest.mark.database
def test_code_attempts_are_rate_limited_by_challenge(
    unverified: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "code by challenge", rate_limits.Limit(2, 60, relaxed=2))
    unverified.presses("Resend email")
    for _ in range(2):
        unverified.fills_and_presses({"credentials.passcode": "000000"}, "Confirm")
    unverified.types_the_code_from(org)
    assert "Too many attempts" in unverified.page.text
    assert not is_verified()


@pytest.mark.database
def test_outage_does_not_count_against_the_limits_for_emails_and_attempts(
    unverified: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("send by account", "code by challenge"):
        monkeypatch.setitem(rate_limits.LIMITS, limit, rate_limits.Limit(1, 60, relaxed=1))
    org.fail("*", "status", status=503)
    unverified.presses("Resend email").opens("/").presses("Resend email")
    org.fail("*", "status", status=503)
    unverified.types_the_code_from(org).types_the_code_from(org)
    assert is_verified()


def test_opening_the_page_sends_no_email(unverified: Person, org: OrgHandle) -> None:
    calls = len(org.calls())
    unverified.opens(EMAIL)
    assert unverified.heading == "Check your email"
    unverified.browser.head(EMAIL)
    assert unverified.browser.get(EMAIL, {"action": "send"}).status_code == 200
    assert len(org.calls()) == calls


def test_resend_is_neither_offered_nor_accepted_without_an_api_token(
    unverified: Person, org: OrgHandle, configure: Configure
) -> None:
    configure(API_TOKEN="")
    unverified.opens("/")
    assert "I've confirmed it" in unverified.page.text
    assert "Resend email" not in unverified.page.text
    calls = len(org.calls())
    unverified.posts(EMAIL, {"action": "send"})
    assert len(org.calls()) == calls
    assert "send this email again" in unverified.page.text


def test_resend_is_hidden_after_the_org_had_no_email_factor(unverified: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"okta_email": "disabled"}})
    unverified.presses("Resend email")
    assert unverified.status == 200
    assert "Resend email" not in unverified.opens("/").page.text
    cache.clear()
    assert "Resend email" in unverified.opens("/").page.text


@pytest.mark.parametrize("kind", ["reset", "html", "empty", "status", "truncate", "redirect"])
def test_failing_org_shows_a_page_and_the_next_attempt_works(unverified: Person, org: OrgHandle, kind: str) -> None:
    org.fail("*", kind, times=1)
    unverified.presses("Resend email")
    org.org.faults.pending.clear()
    assert unverified.status == 200
    unverified.opens("/").presses("Resend email").types_the_code_from(org)
    assert is_verified()


def test_resend_for_a_suspended_account_shows_an_error(unverified: Person, org: OrgHandle) -> None:
    org.users[0].status = type(org.users[0].status)("SUSPENDED")
    assert "send this email again from here" in unverified.presses("Resend email").page.text


def test_verified_user_is_redirected_and_sends_no_email(unverified: Person, org: OrgHandle) -> None:
    unverified.presses("Resend email").types_the_code_from(org)
    assert unverified.opens(EMAIL).path == "/"
    calls = len(org.calls())
    unverified.posts(EMAIL, {"action": "send"})
    assert len(org.calls()) == calls


def test_session_and_page_contain_no_code_and_no_api_token(unverified: Person, org: OrgHandle) -> None:
    unverified.presses("Resend email")
    session_data = repr(dict(unverified.browser.session.items()))
    for secret in (org.code(unverified.email), org.policy.api_token):
        assert secret not in session_data + unverified.page.html


# ---- mandatory workflow: the activation link


def test_page_shows_the_lifetime_of_the_activation_link(awaiting_email: Person, configure: Configure) -> None:
    assert "The link works for 7 days." in awaiting_email.page.text
    configure(ACTIVATION_LINK_DAYS=1)
    assert "The link works for 1 day." in awaiting_email.opens("/signup/done/").page.text


def test_resent_activation_email_invalidates_the_old_link(awaiting_email: Person, org: OrgHandle) -> None:
    (old_email,) = org.messages(awaiting_email.email)
    awaiting_email.presses("Resend email")
    assert (awaiting_email.path, awaiting_email.heading) == ("/signup/done/", "Check your email")
    assert "Only the newest link works" in awaiting_email.page.text
    assert len(org.messages(awaiting_email.email)) == 2
    assert not org.users[0].email_verified
    assert "expired" in Person().opens(str(old_email.link)).page.text
    awaiting_email.opens_the_email_link(org).completes_the_sign_up(org)
    if not awaiting_email.is_signed_in:
        awaiting_email.opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert awaiting_email.is_signed_in
    assert Registration.objects.filter(status=Status.COMPLETED).count() == 1
    assert not Registration.objects.open().exists()


def test_activation_email_can_be_resent_after_the_account_was_deactivated(
    awaiting_email: Person, org: OrgHandle
) -> None:
    org.fail(f"/api/v1/users/{Registration.objects.get().okta_user_id}/lifecycle/activate", "status", status=503)
    awaiting_email.presses("Resend email")
    assert org.users[0].status == "DEPROVISIONED"
    awaiting_email.opens("/signup/done/").presses("Resend email")
    assert org.users[0].status == "PROVISIONED"
    assert len(org.messages(awaiting_email.email)) == 2


def test_resending_the_activation_email_does_not_activate_the_account(awaiting_email: Person, org: OrgHandle) -> None:
    awaiting_email.presses("Resend email")
    assert org.users[0].status == "PROVISIONED"
    assert not Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org().is_signed_in
    assert not User.objects.exists()


def test_page_hides_resend_without_an_api_token(awaiting_email: Person, configure: Configure) -> None:
    configure(API_TOKEN="")
    assert "Resend email" not in awaiting_email.opens("/signup/done/").page.text


@pytest.mark.database
def test_activation_link_signs_in_and_completes_the_same_row(awaiting_email: Person, org: OrgHandle) -> None:
    """The org activates the account and the Initiate login URI starts a sign-in."""
    pk = Registration.objects.get().pk
    awaiting_email.opens_the_email_link(org)
    assert any("/oidc/authenticate/?iss=" in shown.url for shown in awaiting_email.seen)
    awaiting_email.signs_in_at_the_org()
    assert (awaiting_email.is_signed_in, awaiting_email.path) == (True, "/members/")
    registration = Registration.objects.get()
    assert (registration.pk, registration.status) == (pk, Status.COMPLETED)
    assert is_verified()


def test_activation_link_in_another_browser_completes_the_same_row(awaiting_email: Person, org: OrgHandle) -> None:
    other_browser = Person().opens_the_email_link(org, awaiting_email.email).signs_in_at_the_org()
    assert (other_browser.is_signed_in, other_browser.path) == (True, "/members/")
    assert Registration.objects.get().status == Status.COMPLETED
    assert not awaiting_email.is_signed_in


# ---- site stricter than the org: the account is active, but its address is unverified


@pytest.fixture
def active_unverified(person: Person, org: OrgHandle, configure: Configure) -> Person:
    configure(API_TOKEN=org.policy.api_token)
    org.patch_policy({**NO_VERIFICATION, "authenticators": {"okta_email": "disabled", "okta_password": "required"}})
    person.opens_the_sign_up("?next=/members/").submits_profile().chooses("Password").sets_a_password()
    assert Registration.objects.get().status == Status.AWAITING_EMAIL
    org.patch_policy(NO_VERIFICATION)
    return person


def test_active_unverified_account_gets_a_code_and_sign_in_completes_the_row(
    active_unverified: Person, org: OrgHandle
) -> None:
    active_unverified.presses("Resend email")
    assert active_unverified.path == EMAIL
    active_unverified.types_the_code_from(org)
    if not active_unverified.is_signed_in:
        active_unverified.signs_in_at_the_org()
    assert (active_unverified.is_signed_in, active_unverified.path) == (True, "/members/")
    registration = Registration.objects.get()
    assert registration.status == Status.COMPLETED
    assert registration.events.filter(kind=RegistrationEvent.Kind.VERIFIED).count() == 1


def test_verified_code_counts_even_if_the_org_reports_the_address_unverified(
    active_unverified: Person, org: OrgHandle
) -> None:
    active_unverified.presses("Resend email").types_the_code_from(org)
    org.users[0].email_verified = False
    assert active_unverified.signs_in_at_the_org().is_signed_in
    assert is_verified()


def test_verified_code_counts_only_for_its_address(active_unverified: Person, org: OrgHandle) -> None:
    active_unverified.presses("Resend email").types_the_code_from(org)
    org.users[0].email_verified = False
    org.users[0].profile["email"] = "victim@example.com"
    active_unverified.signs_in_at_the_org()
    assert not active_unverified.is_signed_in
    assert not User.objects.exists()


def test_another_visitor_cannot_resend_the_email(awaiting_email: Person, org: OrgHandle) -> None:
    emails: list[Any] = org.messages(awaiting_email.email)
    other_visitor = Person().opens_the_sign_up()
    other_visitor.posts(EMAIL, {"action": "send"})
    assert org.messages(awaiting_email.email) == emails
