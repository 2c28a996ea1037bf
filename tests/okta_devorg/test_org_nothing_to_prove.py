"""People who have nothing with which to prove who they are get in nowhere; others are asked once, not for ever."""

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


def nameless(org: OrgHandle, api: ManagementApi) -> None:
    """An active account without address, password or anything else."""
    org.patch_policy(USERNAMES)
    api("POST", "users", {"profile": {"login": "adalovelace"}})
    for user in org.users:
        user.status = Status.ACTIVE


def test_a_bare_username_signs_nobody_in(org: OrgHandle, api: ManagementApi, journey: Journey) -> None:
    nameless(org, api)
    org.patch_policy({"identifier_first": True})
    journey.begin().take("identify", identifier="adalovelace")
    assert (journey.status, journey.keys) == (401, ["errors.E0000004"])
    assert "user" not in journey.document


def test_a_bare_username_signs_nobody_in_at_the_orgs_own_page(
    org: OrgHandle, api: ManagementApi, browser: OrgBrowser
) -> None:
    nameless(org, api)
    browser.authorize()
    browser.fill(identifier="adalovelace")
    assert (browser.page.status_code, "Authentication failed" in browser.page.text) == (401, True)


@pytest.mark.parametrize("authenticators", [[], ["phone_number"]])
def test_nobody_sets_a_new_password_without_any_proof(
    org: OrgHandle, journey: Journey, authenticators: list[str]
) -> None:
    OktaOrg(org).sign_up()
    org.patch_policy({"password": {"recovery": {"authenticators": authenticators}}})
    journey.begin().act("recover")
    journey.take("identify-recovery", identifier=ADA["email"])
    assert (journey.status, journey.steps, journey.keys) == (400, ["identify-recovery"], [RESET_REFUSED])
    assert "user" not in journey.document


def test_a_code_for_a_new_password_is_mailed_only_to_who_has_an_address(
    org: OrgHandle, api: ManagementApi, journey: Journey
) -> None:
    nameless(org, api)
    journey.begin().act("recover")
    journey.take("identify-recovery", identifier="adalovelace")
    assert (journey.status, journey.keys) == (400, [RESET_REFUSED])
    requests.post(org.base + "/signin/forgot-password", data={"identifier": "adalovelace"}, timeout=5)
    assert org.messages() == []


@pytest.mark.parametrize("key", ["okta_verify", "external_idp"])
def test_what_cannot_be_asked_for_at_sign_in_is_set_up_once(org: OrgHandle, journey: Journey, key: str) -> None:
    OktaOrg(org).sign_up()
    org.patch_policy({"authenticators": {key: "required"}})
    journey.sign_in()
    assert journey.steps == ["select-authenticator-enroll"]
    org.users[0].enroll(new_enrollment(key, ("x",)))
    journey.sign_in()
    assert "successWithInteractionCode" in journey.document


def test_an_authenticator_that_cannot_be_challenged_is_no_second_factor(
    org: OrgHandle, api: ManagementApi, journey: Journey
) -> None:
    nameless(org, api)
    org.users[0].set_password(PASSWORD, 0)
    org.users[0].enroll(new_enrollment("okta_verify", ("push",)))
    levels = {"okta_verify": "required", "phone_number": "optional"}
    org.patch_policy({"sign_on": "password_and_another", "authenticators": levels})
    journey.begin().take("identify", identifier="adalovelace", credentials={"passcode": PASSWORD})
    assert journey.offered == ["Phone"]
