"""An OAuth service app instead of an API token: repairs, and the mail that is sent again."""

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
NO_PROOF = {"email_verification": False, "authenticators": {"okta_email": "optional", "okta_password": "required"}}


@pytest.fixture
def unfinished(person: Person, org: OrgHandle, configure: Configure) -> Registration:
    """Ada's, who left after the first page; the site has a service app for users."""
    add_service_app(org, configure, USERS)
    person.opens_the_sign_up().tells_who_she_is()
    return Registration.objects.get()


@pytest.fixture
def unproven(person: Person, org: OrgHandle, configure: Configure) -> Person:
    """Ada, signed in by the optional workflow, her address not proven; the site has a service app for users."""
    configure(EMAIL_VERIFICATION="optional", RESEND_SECONDS=0)
    org.patch_policy(NO_PROOF)
    add_service_app(org, configure, USERS)
    person.opens_the_sign_up().tells_who_she_is().chooses("Password").sets_a_password()
    if not person.is_signed_in:
        person.presses("Skip for now")
    assert person.is_signed_in
    return person.opens("/")


@pytest.fixture
def administrator(db: None, configure: Callable[..., None]) -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("admin"), backend="django.contrib.auth.backends.ModelBackend")
    return browser


def act(browser: Client, action: str, registration: Registration) -> str:
    """The message after the confirmed action."""
    form = {"_selected_action": [str(registration.pk)], "confirmed": "yes"}
    answer = browser.post(f"{ACTIONS}/{action}/", form, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


def token_calls(org: OrgHandle) -> int:
    """Calls to the token endpoint of the org's own server, which only service apps make."""
    return len([call for call in org.calls() if call.path == TOKEN_CALL])


def test_an_administrator_repairs_an_account_with_it(
    administrator: Client, unfinished: Registration, org: OrgHandle
) -> None:
    assert act(administrator, "repair", unfinished) == "1 activation email sent."
    assert "/welcome/" in (org.messages("ada@example.com")[0].link or "")


def test_an_administrator_removes_an_account_with_it(
    administrator: Client, unfinished: Registration, org: OrgHandle
) -> None:
    assert act(administrator, "remove-account", unfinished) == "1 unfinished Okta account deleted."
    assert org.users == []


def test_the_recovery_command_sees_to_accounts_with_it(unfinished: Registration, org: OrgHandle) -> None:
    Registration.objects.update(status=Status.EXPIRED, sealed="", finished_at=timezone.now())
    out = StringIO()
    call_command("selfreg_recover", "--accounts", "activate", stdout=out)
    assert "accounts: 1 activate: ok" in out.getvalue()


def test_the_mail_is_sent_again_with_it_and_its_code_proves_the_address(unproven: Person, org: OrgHandle) -> None:
    unproven.presses("Resend email").types_the_code_from(org)
    assert OktaIdentity.objects.get().email_verified_at is not None


def test_one_that_may_only_read_repairs_nothing(
    administrator: Client, unfinished: Registration, org: OrgHandle, configure: Configure
) -> None:
    add_service_app(org, configure, ["okta.users.read"])
    before = len(org.messages("ada@example.com"))
    assert "E0000006" in act(administrator, "repair", unfinished)
    assert len(org.messages("ada@example.com")) == before


@pytest.mark.parametrize("scopes", [(), ("okta.apps.read",), ("okta.users.read",)])
def test_one_that_may_send_no_mail_is_not_offered_twice(
    unproven: Person, org: OrgHandle, configure: Configure, scopes: tuple[str, ...]
) -> None:
    add_service_app(org, configure, scopes)
    unproven.opens("/").presses("Resend email")
    assert unproven.status == 200
    assert "Resend email" not in unproven.opens("/").page.text


def test_a_client_id_without_a_key_is_no_service_app(unproven: Person, configure: Configure) -> None:
    configure(API_PRIVATE_KEY="")
    assert "Resend email" not in unproven.opens("/").page.text


# ---- its access token


def test_an_access_token_is_used_for_several_calls_and_pages(unproven: Person, org: OrgHandle) -> None:
    unproven.presses("Resend email").presses("Resend code").types_the_code_from(org)
    assert OktaIdentity.objects.get().email_verified_at is not None
    assert token_calls(org) == 1


def test_a_token_that_the_org_forgot_is_replaced(unproven: Person, org: OrgHandle) -> None:
    unproven.presses("Resend email")
    org.advance(2 * 3600)
    unproven.presses("Resend code").types_the_code_from(org)
    assert OktaIdentity.objects.get().email_verified_at is not None
    assert token_calls(org) == 2


def test_a_token_about_to_expire_is_not_used_again(unproven: Person, org: OrgHandle) -> None:
    org.patch_policy({"lifetimes": {"tokens": 30}})
    unproven.presses("Resend email")
    refused = [call for call in org.calls() if call.path.startswith("/api/v1/") and call.status == 401]
    assert (token_calls(org) > 1, refused) == (True, [])


def apps_of(org: OrgHandle) -> list[dict[str, Any]]:
    apps: list[dict[str, Any]] = policy_to_json(org.policy)["apps"]
    return apps


def test_what_was_granted_meanwhile_counts_at_once(
    administrator: Client, unfinished: Registration, org: OrgHandle, configure: Configure
) -> None:
    add_service_app(org, configure, ["okta.users.read"])
    assert "E0000006" in act(administrator, "repair", unfinished)
    apps = [{**app, "api_scopes": list(USERS)} if app["client_id"] == "0oaService" else app for app in apps_of(org)]
    org.patch_policy({"apps": apps})
    assert act(administrator, "repair", unfinished) == "1 activation email sent."


def test_the_token_and_the_key_are_nowhere_to_be_seen(
    unproven: Person, org: OrgHandle, caplog: pytest.LogCaptureFixture, configure: Configure
) -> None:
    caplog.set_level(logging.DEBUG)
    unproven.presses("Resend email")
    tokens = [token.value for token in org.org.grants.access_tokens if token.scopes == USERS]
    assert len(tokens) == 1
    cached = [repr(pickle.loads(value)) for value in getattr(cache, "_cache").values()]  # noqa: B009
    said = " ".join([caplog.text, unproven.page.html, repr(dict(unproven.browser.session.items())), *cached])
    assert tokens[0] not in said
    assert "PRIVATE KEY" not in said
