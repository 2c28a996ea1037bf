"""Allowed identifiers find a user on every page that asks for one, and other attributes do not."""

from typing import Any

import pytest

from okta_devorg import OrgHandle
from support.local_org.management_api import ManagementApi
from support.local_org.org_browser import OrgBrowser
from support.local_org.org_journey import ADA, PASSWORD, Journey

MEMBER: dict[str, Any] = {"name": "memberNumber", "label": "Member number", "required": True}
FIELDS = [{"name": name, "label": name, "required": True} for name in ("firstName", "lastName", "email")]


@pytest.fixture
def member(org: OrgHandle) -> str:
    """The member number of an account that has no other identifier."""
    org.patch_policy({"profile": [*FIELDS, MEMBER], "allowed_identifiers": ["memberNumber"]})
    journey = Journey(org)
    journey.to_profile().enroll_profile(userProfile={**ADA, "memberNumber": "M-77"})
    journey.verify_email()
    journey.set_password()
    assert "successWithInteractionCode" in journey.document
    journey.close()
    return "M-77"


@pytest.mark.parametrize("other", [ADA["email"], "id"])
def test_sign_in_accepts_only_allowed_identifiers(org: OrgHandle, member: str, journey: Journey, other: str) -> None:
    credentials = {"passcode": PASSWORD}
    refused = org.users[0].id if other == "id" else other
    journey.begin().take("identify", identifier=refused, credentials=credentials)
    assert journey.status == 401
    journey.take("identify", identifier=member.lower(), credentials=credentials)
    assert "successWithInteractionCode" in journey.document


@pytest.mark.parametrize("first_page", ["recover", "identifier_first"])
def test_recovery_and_identifier_first_accept_only_allowed_identifiers(
    org: OrgHandle, member: str, journey: Journey, first_page: str
) -> None:
    org.patch_policy({"identifier_first": first_page == "identifier_first"})
    journey.begin()
    if first_page == "recover":
        journey.act("recover")
    name = journey.steps[0]
    journey.take(name, identifier=ADA["email"])
    assert journey.keys == ["idx.unknown.user"]
    journey.take(name, identifier=member)
    assert journey.document["user"]["value"]["id"] == org.users[0].id


def test_the_hosted_sign_in_page_accepts_only_allowed_identifiers(
    org: OrgHandle, member: str, browser: OrgBrowser
) -> None:
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    assert browser.fill(password=PASSWORD).status_code == 401
    browser.fill(action="restart")
    browser.fill(identifier=member)
    browser.fill(password=PASSWORD)
    assert browser.landed["code"]


def test_a_taken_identifier_is_refused_for_other_users(
    org: OrgHandle, member: str, journey: Journey, api: ManagementApi
) -> None:
    grace = {**ADA, "email": "grace@example.com", "memberNumber": member}
    journey.to_profile().enroll_profile(userProfile=grace)
    assert (journey.status, journey.keys) == (400, ["registration.error.notUniqueWithinOrg"])
    user = {"profile": {**grace, "login": "grace@example.com"}}
    assert "memberNumber" in api("POST", "users", user, status=400)["errorCauses"][0]["errorSummary"]
    user["profile"]["memberNumber"] = "M-78"
    user_id = api("POST", "users", user)["id"]
    api("POST", f"users/{user_id}", {"profile": {"memberNumber": member}}, status=400)


def test_a_user_without_an_address_can_be_created_and_updated(org: OrgHandle, api: ManagementApi) -> None:
    login = {"name": "login", "label": "Username", "required": True}
    org.patch_policy({"profile": [login, *FIELDS[:2]], "username_format": "none"})
    profile = {"login": "ada_lovelace", "firstName": "Ada", "lastName": "Lovelace"}
    created = api("POST", "users", {"profile": profile})
    changed = api("POST", f"users/{created['id']}", {"profile": {"firstName": "Augusta"}})
    assert (changed["profile"]["login"], changed["profile"]["firstName"]) == ("ada_lovelace", "Augusta")
    api("POST", f"users/{created['id']}", {"profile": {"email": "nowhere"}}, status=400)
