"""Sign-in and recovery of users without a usable authenticator are refused."""

import pytest
import requests

from okta_devorg import OrgHandle
from okta_devorg.state.users import Status, new_enrollment
from okta_devorg.testing import OktaOrg
from support.local_org.management_api import ManagementApi
from support.local_org.org_browser import OrgBrowser
from support.local_org.org_journey import ADA, PASSWORD, Journey

USERNAMES = {
    "username_format": "none",
    "profile": [{"name": "login", "label": "Username", "required": True}],
}
RESET_REFUSED = "oie.selfservice.reset.password.not.allowed"


def create_user_without_authenticators(org: OrgHandle, api: ManagementApi) -> None:
    """Creates an active user without address, password and authenticators."""
    org.patch_policy(USERNAMES)
    api("POST", "users", {"profile": {"login": "adalovelace"}})
    for user in org.users:
        user.status = Status.ACTIVE


def test_a_username_without_an_authenticator_cannot_sign_in(
    org: OrgHandle, api: ManagementApi, journey: Journey
) -> None:
    create_user_without_authenticators(org, api)
    org.patch_policy({"identifier_first": True})
    journey.begin().take("identify", identifier="adalovelace")
    assert (journey.status, journey.keys) == (401, ["errors.E0000004"])
    assert "user" not in journey.document


def test_a_username_without_an_authenticator_cannot_sign_in_at_the_hosted_page(
    org: OrgHandle, api: ManagementApi, browser: OrgBrowser
) -> None:
    create_user_without_authenticators(org, api)
    browser.authorize()
    browser.fill(identifier="adalovelace")
    assert (browser.page.status_code, "Authentication failed" in browser.page.text) == (401, True)


@pytest.mark.parametrize("authenticators", [[], ["phone_number"]])
def test_recovery_is_refused_without_a_usable_authenticator(
    org: OrgHandle, journey: Journey, authenticators: list[str]
) -> None:
    OktaOrg(org).sign_up()
    org.patch_policy({"password": {"recovery": {"authenticators": authenticators}}})
    journey.begin().act("recover")
    journey.take("identify-recovery", identifier=ADA["email"])
    assert (journey.status, journey.steps, journey.keys) == (400, ["identify-recovery"], [RESET_REFUSED])
    assert "user" not in journey.document


def test_recovery_is_refused_for_a_user_without_an_address(
    org: OrgHandle, api: ManagementApi, journey: Journey
) -> None:
    create_user_without_authenticators(org, api)
    journey.begin().act("recover")
    journey.take("identify-recovery", identifier="adalovelace")
    assert (journey.status, journey.keys) == (400, [RESET_REFUSED])
    requests.post(org.base + "/signin/forgot-password", data={"identifier": "adalovelace"}, timeout=60)
    assert org.messages() == []


@pytest.mark.parametrize("key", ["okta_verify", "external_idp"])
def test_a_required_authenticator_that_cannot_be_challenged_is_enrolled_once(
    org: OrgHandle, journey: Journey, key: str
) -> None:
    OktaOrg(org).sign_up()
    org.patch_policy({"authenticators": {key: "required"}})
    journey.sign_in()
    assert journey.steps == ["select-authenticator-enroll"]
    org.users[0].enroll(new_enrollment(key, ("x",)))
    journey.sign_in()
    assert "successWithInteractionCode" in journey.document


def test_an_authenticator_that_cannot_be_challenged_is_not_offered_as_second_factor(
    org: OrgHandle, api: ManagementApi, journey: Journey
) -> None:
    create_user_without_authenticators(org, api)
    org.users[0].set_password(PASSWORD, 0)
    org.users[0].enroll(new_enrollment("okta_verify", ("push",)))
    levels = {"okta_verify": "required", "phone_number": "optional"}
    org.patch_policy({"sign_on": "password_and_another", "authenticators": levels})
    journey.begin().take("identify", identifier="adalovelace", credentials={"passcode": PASSWORD})
    assert journey.offered == ["Phone"]
