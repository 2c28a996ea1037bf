"""An OAuth service app instead of an API token: admin actions, recovery, and resent emails."""

import logging
import pickle
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from okta_devorg import OrgHandle
from okta_devorg.policy.serialization import policy_to_json
from selfreg.models import OktaIdentity, Registration
from selfreg.statuses import Status
from support.person import Person
from support.service_app import add_service_app

Configure = Callable[..., None]
ACTIONS = "/admin/selfreg/registration/act"
TOKEN_CALL = "/oauth2/v1/token"
USERS = ("okta.users.read", "okta.users.manage")
NO_VERIFICATION = {
    "email_verification": False,
    "authenticators": {"okta_email": "optional", "okta_password": "required"},
}


@pytest.fixture
def unfinished(person: Person, org: OrgHandle, configure: Configure) -> Registration:
    """Return a registration left after the first page, on a site with a service app for users."""
    add_service_app(org, configure, USERS)
    person.opens_the_sign_up().submits_profile()
    return Registration.objects.get()


@pytest.fixture
def unverified(person: Person, org: OrgHandle, configure: Configure) -> Person:
    """Return a person logged in with an unverified address, on a site with a service app for users."""
    configure(EMAIL_VERIFICATION="optional", RESEND_SECONDS=0)
    org.patch_policy(NO_VERIFICATION)
    add_service_app(org, configure, USERS)
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    if not person.is_signed_in:
        person.presses("Skip for now")
    assert person.is_signed_in
    return person.opens("/")


@pytest.fixture
def administrator(db: None, configure: Callable[..., None]) -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("admin"), backend="django.contrib.auth.backends.ModelBackend")
    return browser


def confirm(browser: Client, action: str, registration: Registration) -> str:
    """Confirm an action and return the message of the page."""
    form = {"_selected_action": [str(registration.pk)], "confirmed": "yes"}
    answer = browser.post(f"{ACTIONS}/{action}/", form, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


def token_calls(org: OrgHandle) -> int:
    """Return the number of calls to the org's own token endpoint, which only service apps use."""
    return len([call for call in org.calls() if call.path == TOKEN_CALL])


def test_repair_action_works_with_a_service_app(
    administrator: Client, unfinished: Registration, org: OrgHandle
) -> None:
    assert confirm(administrator, "repair", unfinished) == "1 activation email sent."
    assert "/welcome/" in (org.messages("ada@example.com")[0].link or "")


def test_remove_account_action_works_with_a_service_app(
    administrator: Client, unfinished: Registration, org: OrgHandle
) -> None:
    assert confirm(administrator, "remove-account", unfinished) == "1 unfinished Okta account deleted."
    assert org.users == []


def test_recovery_command_activates_accounts_with_a_service_app(unfinished: Registration, org: OrgHandle) -> None:
    Registration.objects.update(status=Status.EXPIRED, sealed="", finished_at=timezone.now())
    out = StringIO()
    call_command("selfreg_recover", "--accounts", "activate", stdout=out)
    assert "accounts: 1 activate: ok" in out.getvalue()


def test_email_resent_with_a_service_app_verifies_the_address(unverified: Person, org: OrgHandle) -> None:
    unverified.presses("Resend email").types_the_code_from(org)
    assert OktaIdentity.objects.get().email_verified_at is not None


def test_read_only_service_app_cannot_repair_accounts(
    administrator: Client, unfinished: Registration, org: OrgHandle, configure: Configure
) -> None:
    add_service_app(org, configure, ["okta.users.read"])
    before = len(org.messages("ada@example.com"))
    assert "E0000006" in confirm(administrator, "repair", unfinished)
    assert len(org.messages("ada@example.com")) == before


@pytest.mark.parametrize("scopes", [(), ("okta.apps.read",), ("okta.users.read",)])
def test_resend_is_hidden_after_the_service_app_lacked_rights(
    unverified: Person, org: OrgHandle, configure: Configure, scopes: tuple[str, ...]
) -> None:
    add_service_app(org, configure, scopes)
    unverified.opens("/").presses("Resend email")
    assert unverified.status == 200
    assert "Resend email" not in unverified.opens("/").page.text


def test_resend_is_hidden_without_the_service_apps_key(unverified: Person, configure: Configure) -> None:
    configure(API_PRIVATE_KEY="")
    assert "Resend email" not in unverified.opens("/").page.text


# ---- access token


def test_access_token_is_reused_for_several_calls_and_pages(unverified: Person, org: OrgHandle) -> None:
    unverified.presses("Resend email").presses("Resend code").types_the_code_from(org)
    assert OktaIdentity.objects.get().email_verified_at is not None
    assert token_calls(org) == 1


def test_expired_access_token_is_replaced(unverified: Person, org: OrgHandle) -> None:
    unverified.presses("Resend email")
    org.advance(2 * 3600)
    unverified.presses("Resend code").types_the_code_from(org)
    assert OktaIdentity.objects.get().email_verified_at is not None
    assert token_calls(org) == 2


def test_access_token_close_to_its_expiry_is_not_reused(unverified: Person, org: OrgHandle) -> None:
    org.patch_policy({"lifetimes": {"tokens": 30}})
    unverified.presses("Resend email")
    rejected = [call for call in org.calls() if call.path.startswith("/api/v1/") and call.status == 401]
    assert (token_calls(org) > 1, rejected) == (True, [])


def apps_of(org: OrgHandle) -> list[dict[str, Any]]:
    apps: list[dict[str, Any]] = policy_to_json(org.policy)["apps"]
    return apps


def test_newly_granted_scopes_take_effect_immediately(
    administrator: Client, unfinished: Registration, org: OrgHandle, configure: Configure
) -> None:
    add_service_app(org, configure, ["okta.users.read"])
    assert "E0000006" in confirm(administrator, "repair", unfinished)
    apps = [{**app, "api_scopes": list(USERS)} if app["client_id"] == "0oaService" else app for app in apps_of(org)]
    org.patch_policy({"apps": apps})
    assert confirm(administrator, "repair", unfinished) == "1 activation email sent."


def test_access_token_and_key_appear_in_no_log_page_session_or_cache(
    unverified: Person, org: OrgHandle, caplog: pytest.LogCaptureFixture, configure: Configure
) -> None:
    caplog.set_level(logging.DEBUG)
    unverified.presses("Resend email")
    tokens = [token.value for token in org.org.grants.access_tokens if token.scopes == USERS]
    assert len(tokens) == 1
    cached = [repr(pickle.loads(value)) for value in getattr(cache, "_cache").values()]  # noqa: B009
    text = " ".join([caplog.text, unverified.page.html, repr(dict(unverified.browser.session.items())), *cached])
    assert tokens[0] not in text
    assert "PRIVATE KEY" not in text
