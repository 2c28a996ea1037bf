"""Both email workflows from the sign-up to the app (B10, B11, B35 to B43), their signals, and the profile hook."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

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
NO_VERIFICATION = {"email_verification": False, "authenticators": {"okta_email": "disabled"}}
INVITED = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "login": "ada@example.com"}


@pytest.fixture
def optional(org: OrgHandle, configure: Configure) -> None:
    configure(EMAIL_VERIFICATION="optional")
    org.patch_policy(NO_VERIFICATION)


def sign_up_without_verification(person: Person, query: str = "") -> Person:
    return person.opens_the_sign_up(query).submits_profile().chooses("Password").sets_a_password()


# ---- B10, B11: email link and invitation


def test_b10_email_link_in_the_same_browser_completes_the_sign_up(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email").opens_the_email_link(org)
    person.presses("Confirm and continue").chooses("Password").sets_a_password()
    assert (person.is_signed_in, person.path) == (True, "/")
    assert person.email in person.page.text


@pytest.fixture
def invitation(org: OrgHandle) -> str:
    headers, api = {"Authorization": "SSWS local-api-token-not-for-production"}, f"{org.base}/api/v1/users"
    user = requests.post(
        api, params={"activate": "false"}, json={"profile": INVITED}, headers=headers, timeout=60
    ).json()
    activate = f"{api}/{user['id']}/lifecycle/activate"
    answer = requests.post(activate, params={"sendEmail": "false"}, headers=headers, timeout=60)
    return str(answer.json()["activationToken"])


@pytest.mark.parametrize("name", ["activationToken", "token"])
def test_b11_invitation_link_opens_the_first_step(person: Person, org: OrgHandle, invitation: str, name: str) -> None:
    person.opens_the_sign_up(f"?{name}={invitation}")
    assert (person.path, person.heading) == ("/signup/step/", "Choose a password")
    assert org.messages(INVITED["email"]) == [], "opening a link sends nothing"
    assert invitation not in person.page.url + person.page.html
    person.completes_the_sign_up(org)
    assert person.is_signed_in
    assert Registration.objects.get().status == Status.COMPLETED


@pytest.mark.parametrize("response", ["oauth_error", "request", "terminal"])
def test_b11_expired_invitation_shows_an_error(person: Person, org: OrgHandle, invitation: str, response: str) -> None:
    org.patch_policy({"unknowns": {"expired_activation_token": response}})
    org.advance(604_801)
    person.opens_the_sign_up(f"?activationToken={invitation}")
    assert person.status < 500
    assert "invitation" in person.heading.lower() or "expired" in person.heading.lower()
    assert not person.is_signed_in
    if response == "request":
        person.presses("Send a new link")
        assert len(org.messages(INVITED["email"])) == 1
        assert "sent a new link to your email address" in person.page.text


@pytest.mark.parametrize("response", ["oauth_error", "terminal"])
def test_b11_used_invitation_shows_a_link_to_sign_in(
    person: Person, org: OrgHandle, invitation: str, response: str
) -> None:
    person.opens_the_sign_up(f"?activationToken={invitation}").completes_the_sign_up(org)
    org.patch_policy({"unknowns": {"expired_activation_token": response}})
    returning_person = Person().opens_the_sign_up(f"?activationToken={invitation}")
    assert returning_person.status < 500
    assert "invitation" in returning_person.heading.lower()
    assert returning_person.page.link("Sign in")


@pytest.mark.parametrize("token", ["made-up", "x" * 5_000, "%00", "<script>"])
def test_b11_unknown_invitation_shows_an_error(person: Person, token: str) -> None:
    person.opens_the_sign_up(f"?activationToken={token}")
    assert person.status < 500
    assert "invitation" in person.heading.lower()
    assert "<script>" not in person.page.html
    assert not Registration.objects.exists()


def test_b11_reopened_invitation_shows_the_current_step_of_its_registration(
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


def test_b11_later_visits_and_other_browsers_start_a_new_registration(
    person: Person, org: OrgHandle, invitation: str
) -> None:
    person.opens_the_sign_up(f"?activationToken={invitation}")
    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        person.opens_the_sign_up(f"?activationToken={invitation}")
    Person().opens_the_sign_up(f"?activationToken={invitation}")
    assert Registration.objects.count() == 3
    assert "invitation" in person.opens_the_sign_up("?activationToken=another").heading.lower()


def test_b11_head_request_by_a_link_scanner_starts_no_registration(
    person: Person, org: OrgHandle, invitation: str
) -> None:
    assert person.browser.head(f"/signup/?activationToken={invitation}").status_code == 302
    assert not org.calls("/interact")
    assert not Registration.objects.exists()


def test_b11_guessing_invitations_is_rate_limited(
    person: Person, org: OrgHandle, invitation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict_limit = rate_limits.Limit(2, rate_limits.HOUR, relaxed=2)
    for name in ("invitation by ip", "start by ip"):
        monkeypatch.setitem(rate_limits.LIMITS, name, strict_limit)
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


def test_b11_limit_of_open_registrations_applies_to_invitations(
    person: Person, org: OrgHandle, invitation: str, configure: Configure
) -> None:
    configure(MOST_OPEN=1)
    person.opens_the_sign_up(f"?activationToken={invitation}")
    cache.clear()
    late_person = Person().opens_the_sign_up(f"?activationToken={invitation}")
    assert (late_person.status, person.opens("/signup/step/").status) == (429, 200)
    assert "Too many people are signing up" in late_person.page.text
    assert Registration.objects.count() == 1


# ---- B35, B36: sign-up allowed or denied by the policy


def sign_up_is_offered(person: Person) -> bool:
    request = RequestFactory().get("/")
    template = Template("{% load selfreg %}{% sign_up_offered as offered %}{{ offered }}")
    return template.render(Context({"request": request})) == "True"


def test_b35_sign_up_link_is_hidden_if_the_policy_denies_sign_up(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"sign_up": False})
    assert not sign_up_is_offered(person)
    assert person.opens_the_sign_up().heading == "Sign-up isn't available"
    assert "Sign up" not in person.opens(f"{SITE}/oidc/authenticate/").page.text


def test_b36_sign_up_link_and_profile_form_are_shown_if_the_policy_allows_it(person: Person, org: OrgHandle) -> None:
    org.patch_policy(
        {"profile": [{"name": "email", "label": "Your email", "required": True}, {"name": "city", "label": "Town"}]}
    )
    assert sign_up_is_offered(person)
    person.opens_the_sign_up()
    assert person.heading == "Create your account"
    assert [n for n in person.page.names() if n.startswith("userProfile")] == ["userProfile.email", "userProfile.city"]


def test_sign_up_offered_tag_caches_the_answer_of_the_org(person: Person, org: OrgHandle) -> None:
    for _ in range(5):
        assert sign_up_is_offered(person)
    assert len(org.calls("/interact")) == 1


def test_template_tags_work_without_a_request(org: OrgHandle, db: None) -> None:
    tags = "{% load selfreg %}{% sign_up_offered as offered %}{% email_is_proven as proven %}{{ offered }} {{ proven }}"
    assert Template(tags).render(Context()) == "True False"


def test_sign_up_offered_tag_does_not_call_the_org_while_the_cache_is_down(
    person: Person, org: OrgHandle, settings: Any
) -> None:
    location = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": location}}
    for _ in range(3):
        assert sign_up_is_offered(person)
    assert not org.calls("/interact")


# ---- B37 to B40: mandatory workflow


def test_b37_mandatory_sends_one_email_and_signs_nobody_in(person: Person, org: OrgHandle) -> None:
    org.patch_policy(LINK_ONLY)
    sign_up_without_verification(person)
    assert person.heading == "Check your email"
    assert len(org.messages(person.email)) == 1
    returning_person = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert not person.is_signed_in
    assert not returning_person.is_signed_in
    assert not User.objects.exists()


def test_b38_mandatory_activation_link_completes_the_same_row(person: Person, org: OrgHandle) -> None:
    org.patch_policy(LINK_ONLY)
    sign_up_without_verification(person, "?next=/members/").opens_the_email_link(org)
    if not person.is_signed_in:
        person.signs_in_at_the_org()
    assert person.is_signed_in
    assert Registration.objects.get().status == Status.COMPLETED
    assert Registration.objects.get().user == User.objects.get()


def test_b39_expired_activation_link_shows_an_error(person: Person, org: OrgHandle) -> None:
    org.patch_policy(LINK_ONLY)
    sign_up_without_verification(person)
    org.advance(8 * 86_400)
    person.opens_the_email_link(org)
    assert "expired" in person.page.text
    assert not person.is_signed_in
    assert not User.objects.exists()


def test_b39_lifetime_of_the_activation_link_is_set_by_the_org(person: Person, org: OrgHandle) -> None:
    org.patch_policy({**LINK_ONLY, "lifetimes": {"activation_link": 3600}})
    sign_up_without_verification(person)
    org.advance(3_601)
    assert "expired" in person.opens_the_email_link(org).page.text


def test_b40_activation_link_opened_repeatedly_creates_one_user(person: Person, org: OrgHandle) -> None:
    org.patch_policy(LINK_ONLY)
    sign_up_without_verification(person)
    for _ in range(2):
        # An email scanner makes the org activate the account, but signs nobody in here.
        assert not Person().opens_the_email_link(org, person.email).is_signed_in
    person.opens_the_email_link(org).signs_in_at_the_org()
    assert person.is_signed_in
    assert Person().opens_the_email_link(org, person.email).status == 200
    assert (User.objects.count(), Registration.objects.count()) == (1, 1)


def test_b40_email_link_opened_by_scanners_verifies_nothing(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email")
    link = next(str(m.link) for m in org.messages(person.email) if m.link)
    scanner = Person()
    for _ in range(2):
        scanner.browser.head(link.removeprefix(SITE))
        assert scanner.opens(link).heading == "Your code"
    assert Registration.objects.get().email_verified_at is None
    person.opens(link).presses("Confirm and continue")
    assert person.heading == "Choose a password"
    assert person.opens(link).heading == "Already confirmed"


# ---- B41: optional workflow


@pytest.mark.usefixtures("optional")
def test_b41_optional_signs_in_immediately_and_verifies_later(person: Person, org: OrgHandle) -> None:
    sign_up_without_verification(person, "?next=/members/")
    assert (person.is_signed_in, person.path) == (True, "/members/")
    assert OktaIdentity.objects.get().email_verified_at is None
    org.users[0].email_verified = True
    returning_person = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert returning_person.is_signed_in
    assert OktaIdentity.objects.get().email_verified_at is not None


@pytest.mark.usefixtures("optional")
@pytest.mark.parametrize("page", ["/inside/", "/inside/async/"])
def test_b41_page_for_verified_users_asks_others_to_confirm_their_email(
    person: Person, org: OrgHandle, settings: Any, page: str
) -> None:
    settings.ROOT_URLCONF = "support.site_urls"
    assert f"/oidc/authenticate/?{urlencode({'next': page})}" in person.browser.get(page)["Location"]
    sign_up_without_verification(person).opens(f"{SITE}{page}")
    assert (person.status, person.heading) == (403, "Confirm your email first")
    org.users[0].email_verified = True
    person.follows("I've confirmed it")
    if person.page.url.startswith(org.base):
        person.signs_in_at_the_org()
    assert person.heading == "Inside"


@pytest.mark.usefixtures("optional")
def test_b41_email_notice_is_shown_only_to_users_with_an_unverified_identity(person: Person, org: OrgHandle) -> None:
    def notice() -> str:
        request = RequestFactory().get("/")
        request.user = User.objects.get()
        return Template("{% load selfreg %}{% email_notice %}").render(Context({"request": request})).strip()

    sign_up_without_verification(person)
    assert "isn't confirmed yet" in notice()
    OktaIdentity.objects.get().delete()
    assert notice() == ""


def test_mandatory_site_requires_verification_even_if_the_org_does_not(person: Person, org: OrgHandle) -> None:
    org.patch_policy(NO_VERIFICATION)
    sign_up_without_verification(person)
    assert not person.is_signed_in
    assert Registration.objects.get().status == Status.AWAITING_EMAIL


# ---- B42, B43


@pytest.mark.parametrize("workflow", ["mandatory", "optional"])
def test_b42_foreign_next_url_is_replaced_by_the_home_page(
    person: Person, org: OrgHandle, configure: Configure, workflow: str
) -> None:
    configure(EMAIL_VERIFICATION=workflow)
    person.opens_the_sign_up("?next=//evil.example/").completes_the_sign_up(org)
    assert (person.is_signed_in, person.page.url) == (True, f"{SITE}/")


def test_b43_new_accounts_join_the_target_group_of_the_org_only(person: Person, org: OrgHandle) -> None:
    headers = {"Authorization": f"SSWS {org.policy.api_token}"}
    body = {"profile": {"name": "Customers"}}
    group = requests.post(f"{org.base}/api/v1/groups", json=body, headers=headers, timeout=60).json()
    org.patch_policy({"target_group": group["id"]})
    assert person.signs_up(org).is_signed_in
    groups_url = f"{org.base}/api/v1/users/{org.users[0].id}/groups"
    assert group["id"] in [g["id"] for g in requests.get(groups_url, headers=headers, timeout=60).json()]
    # Groups of the org do not become Django groups.
    assert not User.objects.get().groups.exists()


def test_b43_password_rules_of_the_org_are_shown_and_applied(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"password": {"complexity": {"minLength": 14}}})
    person.opens_the_sign_up().submits_profile().chooses("Password")
    assert "14" in person.page.text
    person.sets_a_password("Short-horse-7")
    assert person.heading == "Choose a password"
    assert person.sets_a_password("Much-longer-horse-7").heading == "Check your email"


# ---- signals


@pytest.fixture
def received_signals() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Record signals in order. Each must be sent outside a transaction."""
    signal_names = (
        "registration_started",
        "registration_completed",
        "registration_failed",
        "registration_expired",
        "email_verified",
    )
    received: list[tuple[str, dict[str, Any]]] = []
    receivers = []
    for name in signal_names:

        def receive(name: str = name, **kwargs: Any) -> None:
            assert not connection.in_atomic_block
            received.append((name, kwargs))

        getattr(signals, name).connect(receive, weak=False)
        receivers.append((name, receive))
    yield received
    for name, receive in receivers:
        getattr(signals, name).disconnect(receive)


def signal_names(received_signals: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [name for name, _ in received_signals]


@pytest.mark.django_db(transaction=True)
def test_mandatory_sends_each_signal_once_after_the_commit(
    received_signals: list[tuple[str, dict[str, Any]]], person: Person, org: OrgHandle
) -> None:
    person.signs_up(org)
    Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert sorted(signal_names(received_signals)) == [
        "email_verified",
        "registration_completed",
        "registration_started",
    ]
    kwargs = dict(received_signals)["registration_completed"]
    assert (kwargs["registration"], kwargs["user"]) == (Registration.objects.get(), User.objects.get())
    assert dict(received_signals)["email_verified"]["identity"] == OktaIdentity.objects.get()


@pytest.mark.django_db(transaction=True)
def test_mandatory_with_activation_link_sends_signals_once_after_the_sign_in(
    received_signals: list[tuple[str, dict[str, Any]]], person: Person, org: OrgHandle
) -> None:
    org.patch_policy(LINK_ONLY)
    sign_up_without_verification(person)
    assert signal_names(received_signals) == ["registration_started"]
    person.opens_the_email_link(org)
    if not person.is_signed_in:
        person.signs_in_at_the_org()
    assert sorted(signal_names(received_signals)[1:]) == ["email_verified", "registration_completed"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("optional")
def test_optional_sends_completed_at_once_and_email_verified_later(
    received_signals: list[tuple[str, dict[str, Any]]], person: Person, org: OrgHandle
) -> None:
    sign_up_without_verification(person)
    assert signal_names(received_signals) == ["registration_started", "registration_completed"]
    org.users[0].email_verified = True
    for _ in range(2):
        Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert signal_names(received_signals)[2:] == ["email_verified"]


@pytest.mark.django_db(transaction=True)
def test_failing_signal_receiver_does_not_break_the_sign_up(
    received_signals: list[tuple[str, dict[str, Any]]], person: Person, org: OrgHandle
) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("a receiver of the site")

    signals.registration_completed.connect(fail, weak=False)
    try:
        assert person.signs_up(org).is_signed_in
    finally:
        signals.registration_completed.disconnect(fail)
    assert "registration_completed" in signal_names(received_signals)


# ---- profile hook


def test_profile_rejected_by_the_hook_shows_errors_and_is_not_sent(
    person: Person, org: OrgHandle, configure: Configure
) -> None:
    configure(PROFILE_HOOK="support.site_hooks.refuses_freemail")
    person.opens_the_sign_up().submits_profile()
    assert person.page.beside("userProfile.email") == ["Use your work address."]
    assert "We know only companies." in person.page.text
    assert person.page.typed("Last name") == "Lovelace"
    assert org.users == []
    person.email = "ada@company.example"
    assert person.submits_profile().heading == "Check your email"


def test_profiles_rejected_by_the_hook_do_not_count_against_the_rate_limit(
    db: None, org: OrgHandle, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "start by address", rate_limits.Limit(1, rate_limits.HOUR))
    headings = []
    for n in range(2):
        configure(PROFILE_HOOK="support.site_hooks.refuses_freemail")
        person = Person(f"ada+{n}@example.com").opens_the_sign_up()
        person.fills_and_presses({"First name": "Ada", "Last name": "L", "Email": f"no address {n}"}, "Sign up")
        person.submits_profile().submits_profile()
        configure(PROFILE_HOOK="")
        headings.append(person.submits_profile().heading)
    assert headings == ["Check your email", "Create your account"]
    assert "Too many attempts" in person.page.text
    assert len(org.users) == 1


@pytest.mark.parametrize(
    "hook", ["support.site_hooks.breaks", "support.site_hooks.returns_nonsense", "support.site_hooks.is_not_there"]
)
def test_broken_profile_hook_keeps_the_typed_values_and_sends_nothing(
    person: Person, org: OrgHandle, configure: Configure, caplog: pytest.LogCaptureFixture, hook: str
) -> None:
    configure(PROFILE_HOOK=hook)
    person.opens_the_sign_up().submits_profile()
    assert person.status == 200
    assert person.page.problems() == [
        "We can't reach the sign-up service right now. Nothing is lost. Try again in a moment."
    ]
    assert person.page.typed("Last name") == "Lovelace"
    assert org.users == []
    assert hook in caplog.text


def test_profile_changed_by_the_hook_is_sent_to_the_org(person: Person, org: OrgHandle, configure: Configure) -> None:
    configure(PROFILE_HOOK="support.site_hooks.amends_the_name")
    person.opens_the_sign_up().submits_profile()
    assert org.users[0].profile["lastName"] == "LOVELACE"
