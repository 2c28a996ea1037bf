"""Both email workflows from the sign-up to the app (B10, B11, B35 to B43), and what a site hears of them."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg import rate_limits, signals
from selfreg.models import OktaIdentity, Registration
from selfreg.statuses import Status
from support.person import SITE, Person
from support.ports import free_port

pytestmark = pytest.mark.database

Configure = Callable[..., None]
LINK_ONLY = {"email_verification": True, "authenticators": {"okta_email": "disabled"}}
NO_PROOF = {"email_verification": False, "authenticators": {"okta_email": "disabled"}}
INVITED = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "login": "ada@example.com"}


@pytest.fixture
def optional(org: OrgHandle, configure: Configure) -> None:
    configure(EMAIL_VERIFICATION="optional")
    org.patch_policy(NO_PROOF)


def signs_up_without_proof(person: Person, query: str = "") -> Person:
    return person.opens_the_sign_up(query).tells_who_she_is().chooses("Password").sets_a_password()


# ---- B10, B11: by link, by invitation


def test_b10_the_link_in_the_same_browser_leads_on_to_the_end(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").opens_the_link_in_the_mail(org)
    person.presses("Confirm and continue").chooses("Password").sets_a_password()
    assert (person.is_signed_in, person.path) == (True, "/")
    assert person.email in person.page.text


@pytest.fixture
def invitation(org: OrgHandle) -> str:
    headers, api = {"Authorization": "SSWS local-api-token-not-for-production"}, f"{org.base}/api/v1/users"
    user = requests.post(
        api, params={"activate": "false"}, json={"profile": INVITED}, headers=headers, timeout=5
    ).json()
    activate = f"{api}/{user['id']}/lifecycle/activate"
    answer = requests.post(activate, params={"sendEmail": "false"}, headers=headers, timeout=5)
    return str(answer.json()["activationToken"])


@pytest.mark.parametrize("name", ["activationToken", "token"])
def test_b11_an_invited_person_goes_on_at_the_first_step(
    person: Person, org: OrgHandle, invitation: str, name: str
) -> None:
    person.opens_the_sign_up(f"?{name}={invitation}")
    assert (person.path, person.heading) == ("/signup/step/", "Choose a password")
    assert org.messages(INVITED["email"]) == [], "opening a link sends nothing"
    assert invitation not in person.page.url + person.page.html
    person.does_whatever_the_page_asks(org)
    assert person.is_signed_in
    assert Registration.objects.get().status == Status.COMPLETED


@pytest.mark.parametrize("how", ["oauth_error", "request", "terminal"])
def test_b11_an_expired_invitation_is_a_page_that_says_so(
    person: Person, org: OrgHandle, invitation: str, how: str
) -> None:
    org.patch_policy({"unknowns": {"expired_activation_token": how}})
    org.advance(604_801)
    person.opens_the_sign_up(f"?activationToken={invitation}")
    assert person.status < 500
    assert "invitation" in person.heading.lower() or "expired" in person.heading.lower()
    assert not person.is_signed_in
    if how == "request":
        person.presses("Send a new link")
        assert len(org.messages(INVITED["email"])) == 1
        assert "sent a new link to your email address" in person.page.text


@pytest.mark.parametrize("how", ["oauth_error", "terminal"])
def test_b11_a_used_invitation_is_a_page_with_a_way_to_sign_in(
    person: Person, org: OrgHandle, invitation: str, how: str
) -> None:
    person.opens_the_sign_up(f"?activationToken={invitation}").does_whatever_the_page_asks(org)
    org.patch_policy({"unknowns": {"expired_activation_token": how}})
    again = Person().opens_the_sign_up(f"?activationToken={invitation}")
    assert again.status < 500
    assert "invitation" in again.heading.lower()
    assert again.page.link("Sign in")


@pytest.mark.parametrize("token", ["made-up", "x" * 5_000, "%00", "<script>"])
def test_b11_an_invitation_made_up_is_a_page(person: Person, token: str) -> None:
    person.opens_the_sign_up(f"?activationToken={token}")
    assert person.status < 500
    assert "invitation" in person.heading.lower()
    assert "<script>" not in person.page.html
    assert not Registration.objects.exists()


def test_b11_an_invitation_opened_again_in_the_same_browser_leads_back_to_where_it_stands(
    person: Person, org: OrgHandle, invitation: str
) -> None:
    person.opens_the_sign_up(f"?activationToken={invitation}")
    heading, before = person.heading, len(org.calls())
    for _ in range(3):
        assert person.opens_the_sign_up(f"?activationToken={invitation}").heading == heading
    assert len(org.calls()) == before
    assert Registration.objects.count() == 1
    person.presses("Cancel sign-up").opens_the_sign_up(f"?activationToken={invitation}")
    assert person.path == "/signup/step/"
    assert Registration.objects.count() == 2


def test_b11_another_invitation_or_another_browser_begins_anew(person: Person, org: OrgHandle, invitation: str) -> None:
    person.opens_the_sign_up(f"?activationToken={invitation}")
    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        person.opens_the_sign_up(f"?activationToken={invitation}")
    Person().opens_the_sign_up(f"?activationToken={invitation}")
    assert Registration.objects.count() == 3
    assert "invitation" in person.opens_the_sign_up("?activationToken=another").heading.lower()


def test_b11_a_program_that_checks_the_links_of_a_mail_begins_nothing(
    person: Person, org: OrgHandle, invitation: str
) -> None:
    assert person.browser.head(f"/signup/?activationToken={invitation}").status_code == 302
    assert not org.calls("/interact")
    assert not Registration.objects.exists()


def test_b11_invitations_cannot_be_guessed_without_end(
    person: Person, org: OrgHandle, invitation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = rate_limits.Limit(2, rate_limits.HOUR, relaxed=2)
    for name in ("invitation by ip", "start by ip"):
        monkeypatch.setitem(rate_limits.LIMITS, name, strict)
    for n in range(4):
        person.opens_the_sign_up(f"?activationToken=guess{n}")
    assert (len(org.calls("/interact")), person.heading) == (2, "Your invitation")
    for n in range(4):
        person.opens_the_sign_up(f"?activationToken=guess{n}").presses("Continue")
    assert len(org.calls("/interact")) == 4
    assert person.status == 429
    assert "Retry-After" in person.seen[-1].headers
    assert "Too many attempts" in person.page.text
    assert person.opens_the_sign_up(f"?activationToken={invitation}").presses("Continue").status == 429
    assert not Registration.objects.exists()


def test_b11_an_invitation_waits_like_everybody_while_too_many_sign_up(
    person: Person, org: OrgHandle, invitation: str, configure: Configure
) -> None:
    configure(MOST_OPEN=1)
    person.opens_the_sign_up(f"?activationToken={invitation}")
    cache.clear()
    late = Person().opens_the_sign_up(f"?activationToken={invitation}")
    assert (late.status, person.opens("/signup/step/").status) == (429, 200)
    assert "Too many people are signing up" in late.page.text
    assert Registration.objects.count() == 1


# ---- B35, B36: what the policy allows


def offered(person: Person) -> bool:
    request = RequestFactory().get("/")
    template = Template("{% load selfreg %}{% sign_up_offered as offered %}{{ offered }}")
    return template.render(Context({"request": request})) == "True"


def test_b35_a_policy_that_denies_sign_up_hides_the_link_and_the_page_says_so(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"sign_up": False})
    assert not offered(person)
    assert person.opens_the_sign_up().heading == "Sign-up isn't available"
    assert "Sign up" not in person.opens(f"{SITE}/oidc/authenticate/").page.text


def test_b36_a_policy_that_allows_it_shows_the_link_and_its_own_form(person: Person, org: OrgHandle) -> None:
    org.patch_policy(
        {"profile": [{"name": "email", "label": "Your email", "required": True}, {"name": "city", "label": "Town"}]}
    )
    assert offered(person)
    person.opens_the_sign_up()
    assert person.heading == "Create your account"
    assert [n for n in person.page.names() if n.startswith("userProfile")] == ["userProfile.email", "userProfile.city"]


def test_whether_sign_up_is_offered_is_asked_once_a_minute(person: Person, org: OrgHandle) -> None:
    for _ in range(5):
        assert offered(person)
    assert len(org.calls("/interact")) == 1


def test_a_page_without_a_request_can_ask_too(org: OrgHandle, db: None) -> None:
    tags = "{% load selfreg %}{% sign_up_offered as offered %}{% email_is_proven as proven %}{{ offered }} {{ proven }}"
    assert Template(tags).render(Context()) == "True False"


def test_pages_do_not_ask_the_org_each_time_while_the_cache_is_down(
    person: Person, org: OrgHandle, settings: Any
) -> None:
    location = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": location}}
    for _ in range(3):
        assert offered(person)
    assert not org.calls("/interact")


# ---- B37 to B40: mandatory


def test_b37_mandatory_one_mail_at_once_and_no_session(person: Person, org: OrgHandle) -> None:
    org.patch_policy(LINK_ONLY)
    signs_up_without_proof(person)
    assert person.heading == "Check your email"
    assert len(org.messages(person.email)) == 1
    again = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert not person.is_signed_in
    assert not again.is_signed_in
    assert not User.objects.exists()


def test_b38_mandatory_the_link_completes_the_same_row_and_leads_to_the_app(person: Person, org: OrgHandle) -> None:
    org.patch_policy(LINK_ONLY)
    signs_up_without_proof(person, "?next=/members/").opens_the_link_in_the_mail(org)
    if not person.is_signed_in:
        person.signs_in_at_the_org()
    assert person.is_signed_in
    assert Registration.objects.get().status == Status.COMPLETED
    assert Registration.objects.get().user == User.objects.get()


def test_b39_mandatory_a_link_past_its_time_says_so(person: Person, org: OrgHandle) -> None:
    org.patch_policy(LINK_ONLY)
    signs_up_without_proof(person)
    org.advance(8 * 86_400)
    person.opens_the_link_in_the_mail(org)
    assert "expired" in person.page.text
    assert not person.is_signed_in
    assert not User.objects.exists()


def test_b39_the_links_time_is_the_orgs_setting(person: Person, org: OrgHandle) -> None:
    org.patch_policy({**LINK_ONLY, "lifetimes": {"activation_link": 3600}})
    signs_up_without_proof(person)
    org.advance(3_601)
    assert "expired" in person.opens_the_link_in_the_mail(org).page.text


def test_b40_the_orgs_link_twice_and_by_a_scanner_ends_in_one_user(person: Person, org: OrgHandle) -> None:
    org.patch_policy(LINK_ONLY)
    signs_up_without_proof(person)
    for _ in range(2):
        # A mail scanner: the org activates the account, and nobody is signed in here.
        assert not Person().opens_the_link_in_the_mail(org, person.email).is_signed_in
    person.opens_the_link_in_the_mail(org).signs_in_at_the_org()
    assert person.is_signed_in
    assert Person().opens_the_link_in_the_mail(org, person.email).status == 200
    assert (User.objects.count(), Registration.objects.count()) == (1, 1)


def test_b40_mandatory_scanners_other_browsers_and_second_looks_do_no_harm(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    link = next(str(m.link) for m in org.messages(person.email) if m.link)
    scanner = Person()
    for _ in range(2):
        scanner.browser.head(link.removeprefix(SITE))
        assert scanner.opens(link).heading == "Your code"
    assert Registration.objects.get().email_verified_at is None
    person.opens(link).presses("Confirm and continue")
    assert person.heading == "Choose a password"
    assert person.opens(link).heading == "Already confirmed"


# ---- B41: optional


@pytest.mark.usefixtures("optional")
def test_b41_optional_signed_in_at_once_and_proven_later(person: Person, org: OrgHandle) -> None:
    signs_up_without_proof(person, "?next=/members/")
    assert (person.is_signed_in, person.path) == (True, "/members/")
    assert OktaIdentity.objects.get().email_verified_at is None
    org.users[0].email_verified = True
    later = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert later.is_signed_in
    assert OktaIdentity.objects.get().email_verified_at is not None


@pytest.mark.usefixtures("optional")
def test_b41_a_page_for_proven_people_tells_the_others_what_to_do(
    person: Person, org: OrgHandle, settings: Any
) -> None:
    settings.ROOT_URLCONF = "support.site_urls"
    assert "/oidc/authenticate/?next=%2Finside%2F" in person.browser.get("/inside/")["Location"]
    signs_up_without_proof(person).opens(f"{SITE}/inside/")
    assert (person.status, person.heading) == (403, "Confirm your email first")
    org.users[0].email_verified = True
    person.follows("I've confirmed it")
    if person.page.url.startswith(org.base):
        person.signs_in_at_the_org()
    assert person.heading == "Inside"


@pytest.mark.usefixtures("optional")
def test_b41_the_notice_is_there_until_the_address_is_proven(person: Person, org: OrgHandle) -> None:
    def notice() -> str:
        request = RequestFactory().get("/")
        request.user = User.objects.get()
        return Template("{% load selfreg %}{% email_notice %}").render(Context({"request": request})).strip()

    signs_up_without_proof(person)
    assert "isn't confirmed yet" in notice()
    OktaIdentity.objects.get().delete()
    assert notice() == ""


def test_the_stricter_of_site_and_org_wins(person: Person, org: OrgHandle) -> None:
    org.patch_policy(NO_PROOF)
    signs_up_without_proof(person)
    assert not person.is_signed_in
    assert Registration.objects.get().status == Status.AWAITING_EMAIL


# ---- B42, B43


@pytest.mark.parametrize("workflow", ["mandatory", "optional"])
def test_b42_a_foreign_target_leads_home(person: Person, org: OrgHandle, configure: Configure, workflow: str) -> None:
    configure(EMAIL_VERIFICATION=workflow)
    person.opens_the_sign_up("?next=//evil.example/").does_whatever_the_page_asks(org)
    assert (person.is_signed_in, person.page.url) == (True, f"{SITE}/")


def test_b43_new_people_join_the_orgs_group(person: Person, org: OrgHandle) -> None:
    headers = {"Authorization": f"SSWS {org.policy.api_token}"}
    body = {"profile": {"name": "Customers"}}
    group = requests.post(f"{org.base}/api/v1/groups", json=body, headers=headers, timeout=5).json()
    org.patch_policy({"target_group": group["id"]})
    assert person.signs_up(org).is_signed_in
    listed = f"{org.base}/api/v1/users/{org.users[0].id}/groups"
    assert group["id"] in [g["id"] for g in requests.get(listed, headers=headers, timeout=5).json()]
    # Groups of the org are the org's: here nobody joins anything by them.
    assert not User.objects.get().groups.exists()


def test_b43_the_rules_of_the_orgs_group_are_shown_and_applied(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"password": {"complexity": {"minLength": 14}}})
    person.opens_the_sign_up().tells_who_she_is().chooses("Password")
    assert "14" in person.page.text
    person.sets_a_password("Short-horse-7")
    assert person.heading == "Choose a password"
    assert person.sets_a_password("Much-longer-horse-7").heading == "Check your email"


# ---- what a site hears


@pytest.fixture
def heard() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Signals in order, each with whether a transaction was open when it came."""
    names = (
        "registration_started",
        "registration_completed",
        "registration_failed",
        "registration_expired",
        "email_verified",
    )
    found: list[tuple[str, dict[str, Any]]] = []
    receivers = []
    for name in names:

        def receive(name: str = name, **about: Any) -> None:
            assert not connection.in_atomic_block
            found.append((name, about))

        getattr(signals, name).connect(receive, weak=False)
        receivers.append((name, receive))
    yield found
    for name, receive in receivers:
        getattr(signals, name).disconnect(receive)


def names(heard: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [name for name, _ in heard]


@pytest.mark.django_db(transaction=True)
def test_mandatory_each_signal_comes_once_after_the_commit(
    heard: list[tuple[str, dict[str, Any]]], person: Person, org: OrgHandle
) -> None:
    person.signs_up(org)
    Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert sorted(names(heard)) == ["email_verified", "registration_completed", "registration_started"]
    about = dict(heard)["registration_completed"]
    assert (about["registration"], about["user"]) == (Registration.objects.get(), User.objects.get())
    assert dict(heard)["email_verified"]["identity"] == OktaIdentity.objects.get()


@pytest.mark.django_db(transaction=True)
def test_mandatory_by_link_the_signals_come_once_when_the_person_comes_back(
    heard: list[tuple[str, dict[str, Any]]], person: Person, org: OrgHandle
) -> None:
    org.patch_policy(LINK_ONLY)
    signs_up_without_proof(person)
    assert names(heard) == ["registration_started"]
    person.opens_the_link_in_the_mail(org)
    if not person.is_signed_in:
        person.signs_in_at_the_org()
    assert sorted(names(heard)[1:]) == ["email_verified", "registration_completed"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("optional")
def test_optional_completed_comes_at_once_and_proven_later_each_once(
    heard: list[tuple[str, dict[str, Any]]], person: Person, org: OrgHandle
) -> None:
    signs_up_without_proof(person)
    assert names(heard) == ["registration_started", "registration_completed"]
    org.users[0].email_verified = True
    for _ in range(2):
        Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert names(heard)[2:] == ["email_verified"]


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_fails_fails_alone(
    heard: list[tuple[str, dict[str, Any]]], person: Person, org: OrgHandle
) -> None:
    def breaks(**_: Any) -> None:
        raise RuntimeError("a receiver of the site")

    signals.registration_completed.connect(breaks, weak=False)
    try:
        assert person.signs_up(org).is_signed_in
    finally:
        signals.registration_completed.disconnect(breaks)
    assert "registration_completed" in names(heard)


# ---- the site's own word on a profile


def test_a_hook_that_refuses_says_so_beside_the_field_and_nothing_is_sent(
    person: Person, org: OrgHandle, configure: Configure
) -> None:
    configure(PROFILE_HOOK="support.site_hooks.refuses_freemail")
    person.opens_the_sign_up().tells_who_she_is()
    assert person.page.beside("userProfile.email") == ["Use your work address."]
    assert "We know only companies." in person.page.text
    assert person.page.typed("Last name") == "Lovelace"
    assert org.users == []
    person.email = "ada@company.example"
    assert person.tells_who_she_is().heading == "Check your email"


def test_an_address_that_a_hook_refused_has_been_counted_once_when_it_is_sent(
    db: None, org: OrgHandle, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "start by address", rate_limits.Limit(1, rate_limits.HOUR))
    headings = []
    for n in range(2):
        configure(PROFILE_HOOK="support.site_hooks.refuses_freemail")
        person = Person(f"ada+{n}@example.com").opens_the_sign_up()
        person.fills_and_presses({"First name": "Ada", "Last name": "L", "Email": f"no address {n}"}, "Sign up")
        person.tells_who_she_is().tells_who_she_is()
        configure(PROFILE_HOOK="")
        headings.append(person.tells_who_she_is().heading)
    assert headings == ["Check your email", "Create your account"]
    assert "Too many attempts" in person.page.text
    assert len(org.users) == 1


@pytest.mark.parametrize(
    "hook", ["support.site_hooks.breaks", "support.site_hooks.returns_nonsense", "support.site_hooks.is_not_there"]
)
def test_a_hook_that_is_broken_costs_no_typing_and_lets_nobody_in(
    person: Person, org: OrgHandle, configure: Configure, caplog: pytest.LogCaptureFixture, hook: str
) -> None:
    configure(PROFILE_HOOK=hook)
    person.opens_the_sign_up().tells_who_she_is()
    assert person.status == 200
    assert person.page.problems() == [
        "We can't reach the sign-up service right now. Nothing is lost. Try again in a moment."
    ]
    assert person.page.typed("Last name") == "Lovelace"
    assert org.users == []
    assert hook in caplog.text


def test_a_hook_that_amends_decides_what_the_org_gets(person: Person, org: OrgHandle, configure: Configure) -> None:
    configure(PROFILE_HOOK="support.site_hooks.amends_the_name")
    person.opens_the_sign_up().tells_who_she_is()
    assert org.users[0].profile["lastName"] == "LOVELACE"
