"""Locked, suspended and deleted accounts at every entry point, and during a transaction."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from okta_devorg import OrgHandle
from okta_devorg.state.users import Status
from okta_devorg.testing import OktaOrg
from support.local_org.management_api import ManagementApi
from support.local_org.org_browser import OrgBrowser
from support.local_org.org_journey import ADA, CLIENT, PASSWORD, REDIRECT, SECRET, Journey

IDP = {"id": "0oaLocalIdp00000001", "name": "Example ID", "type": "OIDC"}
BLOCKED = [Status.LOCKED_OUT, Status.SUSPENDED, Status.DEPROVISIONED, Status.RECOVERY]
NEW_PASSWORD = "Another-horse-8"


@pytest.fixture
def ada(org: OrgHandle) -> str:
    """The id of a user."""
    return OktaOrg(org).sign_up().id


def set_status(org: OrgHandle, status: Status) -> None:
    for user in org.users:
        user.status = status


def sign_in_at_provider(org: OrgHandle, journey: Journey, email: str = ADA["email"]) -> dict[str, list[str]]:
    """Signs in at the identity provider of the first page, and returns the query of the redirect to the app."""
    journey.begin()
    link = next(step["href"] for step in journey.document["remediation"]["value"] if step["name"] == "redirect-idp")
    request_uri = parse_qs(urlsplit(link).query)["request_uri"][0]
    form = {"request_uri": request_uri, "email": email, "firstName": "Ada", "lastName": "Lovelace"}
    reply = requests.post(f"{org.base}/sso/idps/{IDP['id']}", data=form, allow_redirects=False, timeout=60)
    assert reply.status_code == 302, reply.text
    return parse_qs(urlsplit(reply.headers["Location"]).query)


@pytest.mark.parametrize("status", BLOCKED)
def test_an_identity_provider_does_not_sign_in_a_blocked_account(
    org: OrgHandle, journey: Journey, ada: str, status: Status
) -> None:
    org.patch_policy({"idps": [IDP]})
    set_status(org, status)
    landed = sign_in_at_provider(org, journey)
    assert (landed["error"], "interaction_code" in landed) == (["access_denied"], False)
    assert org.users[0].status == status


@pytest.mark.parametrize("status", [Status.STAGED, Status.PROVISIONED, Status.ACTIVE])
def test_an_identity_provider_activates_a_pending_account(
    org: OrgHandle, journey: Journey, ada: str, status: Status
) -> None:
    org.patch_policy({"idps": [IDP]})
    set_status(org, status)
    assert "interaction_code" in sign_in_at_provider(org, journey)
    activated = [event for event in org.org.system_log.events if event.event_type == "user.lifecycle.activate"]
    assert (org.users[0].status, len(activated)) == (Status.ACTIVE, int(status is not Status.ACTIVE))


def test_calls_at_an_identity_provider_have_the_thread_of_their_sign_up(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"idps": [IDP]})
    sign_in_at_provider(org, journey)
    assert len({call.thread for call in org.calls()}) == 1


@pytest.mark.parametrize("status", BLOCKED)
def test_an_email_code_does_not_sign_in_a_blocked_account(
    org: OrgHandle, journey: Journey, ada: str, status: Status
) -> None:
    org.patch_policy({"identifier_first": True})
    journey.begin().take("identify", identifier=ADA["email"])
    journey.choose_challenge("Email")
    code = org.code(ADA["email"])
    set_status(org, status)
    journey.answer_challenge(code)
    assert (journey.status, "successWithInteractionCode" in journey.document) == (401, False)
    assert org.users[0].status == status


def test_a_locked_account_gets_an_error_in_place_of_the_email(org: OrgHandle, journey: Journey, ada: str) -> None:
    org.patch_policy({"identifier_first": True, "password": {"lockout": {"showLockoutFailures": True}}})
    set_status(org, Status.LOCKED_OUT)
    journey.begin().take("identify", identifier=ADA["email"])
    assert (journey.status, journey.keys) == (401, ["errors.E0000119"])


@pytest.mark.parametrize("status", BLOCKED)
def test_the_link_of_an_email_does_not_sign_in_a_blocked_account(
    org: OrgHandle, journey: Journey, ada: str, status: Status
) -> None:
    app = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [REDIRECT]}
    org.patch_policy({"apps": [app], "email_link_page": "continue_here", "identifier_first": True})
    journey.begin().take("identify", identifier=ADA["email"])
    journey.choose_challenge("Email")
    link = str(org.messages(ADA["email"])[0].link)
    set_status(org, status)
    answer = {"token": parse_qs(urlsplit(link).query)["token"][0], "consent": "true"}
    reply = requests.post(link, data=answer, allow_redirects=False, timeout=60)
    assert (reply.status_code, "Location" in reply.headers) == (401, False)


@pytest.mark.parametrize("status", [*BLOCKED[:2]])
def test_a_sign_up_whose_account_is_blocked_meanwhile_gets_no_interaction_code(
    org: OrgHandle, journey: Journey, status: Status
) -> None:
    journey.registered().verify_email()
    set_status(org, status)
    journey.set_password()
    assert (journey.status, "successWithInteractionCode" in journey.document) == (403, False)
    assert org.users[0].status == status


def test_the_activation_email_does_not_activate_a_blocked_account(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"okta_email": "disabled"}})
    journey.registered().set_password()
    link = str(org.messages(ADA["email"])[0].link)
    set_status(org, Status.SUSPENDED)
    page = requests.get(link, allow_redirects=False, timeout=60)
    assert (page.status_code, "idx.return.error" in page.text) == (410, True)
    assert (org.users[0].status, org.users[0].email_verified) == (Status.SUSPENDED, False)


@pytest.mark.parametrize("status", BLOCKED[:3])
def test_an_expired_password_cannot_be_changed_after_the_account_was_blocked(
    org: OrgHandle, browser: OrgBrowser, ada: str, status: Status
) -> None:
    set_status(org, Status.PASSWORD_EXPIRED)
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    assert "expired" in browser.page.text
    set_status(org, status)
    assert browser.fill(password=NEW_PASSWORD).status_code == 401
    assert org.users[0].status == status


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.DEPROVISIONED])
def test_a_forgotten_password_cannot_be_reset_after_the_account_was_blocked(
    org: OrgHandle, journey: Journey, ada: str, status: Status
) -> None:
    journey.begin().act("recover")
    journey.take("identify-recovery", identifier=ADA["email"])
    journey.choose_challenge("Email")
    journey.answer_challenge(org.code(ADA["email"]))
    set_status(org, status)
    journey.take("reset-authenticator", credentials={"passcode": NEW_PASSWORD})
    assert (journey.status, org.users[0].status) == (401, status)


@pytest.mark.parametrize("method", ["page", "idx"])
def test_a_password_reset_unlocks_the_account_and_is_logged(
    org: OrgHandle, api: ManagementApi, journey: Journey, ada: str, method: str
) -> None:
    reset = api("POST", f"users/{ada}/lifecycle/reset_password", sendEmail="false")["resetPasswordUrl"]
    user = org.users[0]
    user.status, user.wrong_passwords, user.wrong_codes = Status.LOCKED_OUT, 10, [org.org.clock.now()]
    if method == "page":
        assert requests.post(reset, data={"password": NEW_PASSWORD}, timeout=60).status_code == 200
    else:
        journey.begin(recovery_token=reset.rpartition("/")[2])
        journey.take("reset-authenticator", credentials={"passcode": NEW_PASSWORD})
    assert (user.status, user.wrong_passwords, user.wrong_codes) == (Status.ACTIVE, 0, [])
    # The administrator's request is the first of these events.
    events = [event.event_type for event in org.org.system_log.events]
    assert events.count("user.account.reset_password") == 2


def test_an_expired_password_changed_on_the_page_is_logged(org: OrgHandle, browser: OrgBrowser, ada: str) -> None:
    set_status(org, Status.PASSWORD_EXPIRED)
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    browser.fill(password=NEW_PASSWORD)
    assert browser.token().status_code == 200
    assert "user.account.update_password" in [event.event_type for event in org.org.system_log.events]


# ---- deleted meanwhile


@pytest.fixture
def user_path(api: ManagementApi) -> str:
    """The path of the user. Two DELETE requests delete the user permanently."""
    return f"users/{ADA['email']}"


def delete(api: ManagementApi, path: str) -> None:
    for _ in range(2):
        api("DELETE", path, status=204)


@pytest.mark.parametrize("path", ["introspect", "challenge/answer", "credential/enroll", "skip", "challenge/poll"])
def test_a_sign_up_whose_account_was_deleted_has_expired(
    api: ManagementApi, journey: Journey, user_path: str, path: str
) -> None:
    journey.registered().choose("Email")
    delete(api, user_path)
    body = {"stateHandle": journey.document["stateHandle"], "credentials": {"passcode": "1"}, "authenticator": {}}
    journey.post(f"{journey.org.base}/idp/idx/{path}", body)
    assert (journey.status, journey.keys) == (401, ["idx.session.expired"])


@pytest.mark.parametrize("fields", [{"password": PASSWORD}, {"code": "1"}, {"action": "resend"}])
def test_a_sign_in_page_whose_account_was_deleted_has_expired(
    org: OrgHandle, api: ManagementApi, browser: OrgBrowser, ada: str, user_path: str, fields: dict[str, str]
) -> None:
    org.patch_policy({"sign_on": "password_and_another"})
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    if "password" not in fields:
        browser.fill(password=PASSWORD)
    page = browser.page
    delete(api, user_path)
    assert browser.fill(**fields).status_code == (401 if "password" in fields else 400)
    browser.page = page
    shown_again = browser.go("GET", org.base + page.request.path_url)
    assert shown_again.status_code == (200 if "password" in fields else 400)


def test_the_okta_verify_page_of_a_deleted_account_has_expired(
    org: OrgHandle, api: ManagementApi, journey: Journey, user_path: str
) -> None:
    org.patch_policy({"authenticators": {"okta_verify": "optional"}})
    journey.signed_up().choose("Okta Verify")
    link = str(org.messages()[0].link)
    assert requests.get(link, timeout=60).status_code == 200
    delete(api, user_path)
    assert requests.get(link, timeout=60).status_code == 410


def test_a_link_expires_with_its_sign_up(org: OrgHandle, journey: Journey) -> None:
    app = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [REDIRECT]}
    lifetimes = {"with_user": 60, "email_code": 600}
    org.patch_policy({"apps": [app], "lifetimes": lifetimes})
    journey.registered().choose("Email")
    link = str(org.messages(ADA["email"])[0].link)
    org.advance(61)
    assert "idx.return.stale" in requests.get(link, timeout=60).text


def test_a_phone_cannot_be_paired_after_the_sign_up_expired(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"okta_verify": "optional"}, "lifetimes": {"with_user": 60}})
    journey.signed_up().choose("Okta Verify")
    link = str(org.messages()[0].link)
    assert requests.get(link, timeout=60).status_code == 200
    org.advance(61)
    assert requests.get(link, timeout=60).status_code == 410


def test_the_link_page_shows_that_the_app_is_not_assigned(org: OrgHandle, journey: Journey, ada: str) -> None:
    app = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [REDIRECT], "assigned": False}
    org.patch_policy({"apps": [app], "email_link_page": "continue_here", "identifier_first": True})
    journey.begin().take("identify", identifier=ADA["email"])
    journey.choose_challenge("Email")
    link = str(org.messages(ADA["email"])[0].link)
    answer = {"token": parse_qs(urlsplit(link).query)["token"][0], "consent": "true"}
    page = requests.post(link, data=answer, allow_redirects=False, timeout=60)
    assert (page.status_code, "not assigned" in page.text) == (400, True)


def test_the_minimum_password_age_does_not_apply_to_expired_passwords(
    org: OrgHandle, api: ManagementApi, ada: str
) -> None:
    org.patch_policy({"password": {"age": {"minAgeMinutes": 60}}})
    path = f"users/{ada}/credentials/change_password"
    body = {"oldPassword": {"value": PASSWORD}, "newPassword": {"value": NEW_PASSWORD}}
    assert "too recently" in api("POST", path, body, status=400)["errorCauses"][0]["errorSummary"]
    org.advance(3601)
    api("POST", path, body)
    api("POST", f"users/{ada}/lifecycle/expire_password")
    api("POST", path, {"oldPassword": {"value": NEW_PASSWORD}, "newPassword": {"value": "Yet-another-9"}})


def test_deactivating_a_user_ends_the_sessions(org: OrgHandle, api: ManagementApi, browser: OrgBrowser) -> None:
    user = OktaOrg(org).sign_up()
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    api("POST", f"users/{user.id}/lifecycle/deactivate")
    assert org.org.sign_ins.sessions == {}
