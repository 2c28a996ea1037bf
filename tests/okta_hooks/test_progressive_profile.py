"""Progressive profile: more attributes at sign-in on the org's page, or at the end of a sign-up on the site's page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from okta_devorg import OrgHandle
from selfreg.models import Registration
from selfreg.statuses import Status
from support.person import SITE, Person

AUTHENTICATE = f"{SITE}/oidc/authenticate/?next=/members/"
CITY = {"name": "city", "label": "City", "required": True}
AGE = {"name": "age", "label": "Age", "type": "integer"}
Configure = Callable[..., None]


def require_attributes(org: OrgHandle, *attributes: dict[str, Any]) -> None:
    org.patch_policy({"progressive_profile": {"attributes": list(attributes)}})


@pytest.fixture
def person_with_missing_attributes(person: Person, org: OrgHandle) -> Person:
    """Return a person with an account from before, in a new browser on the org's page for missing attributes."""
    person.signs_up(org)
    require_attributes(org, CITY, AGE)
    return Person().opens(AUTHENTICATE).signs_in_at_the_org()


def test_missing_attributes_are_required_before_the_sign_in(
    person_with_missing_attributes: Person, org: OrgHandle
) -> None:
    assert person_with_missing_attributes.page.url.startswith(org.base)
    assert person_with_missing_attributes.heading == "Additional profile information"
    assert not person_with_missing_attributes.is_signed_in
    person_with_missing_attributes.fills_and_presses({"City": "London", "Age (optional)": "36"}, "Submit")
    assert (person_with_missing_attributes.is_signed_in, person_with_missing_attributes.path) == (True, "/members/")
    profile = org.users[0].profile
    assert (profile["city"], profile["age"]) == ("London", 36)
    assert User.objects.count() == 1


def test_given_attributes_are_not_asked_for_again(person_with_missing_attributes: Person, org: OrgHandle) -> None:
    person_with_missing_attributes.fills_and_presses({"City": "London", "Age (optional)": "36"}, "Submit")
    assert Person().opens(AUTHENTICATE).signs_in_at_the_org().is_signed_in


@pytest.mark.parametrize(("city", "age"), [("", "36"), ("  ", ""), ("London", "thirty"), ("London", "1.5")])
def test_invalid_attributes_are_asked_for_again(
    person_with_missing_attributes: Person, org: OrgHandle, city: str, age: str
) -> None:
    person_with_missing_attributes.fills_and_presses({"City": city, "Age (optional)": age}, "Submit")
    assert person_with_missing_attributes.status == 400
    assert not person_with_missing_attributes.is_signed_in
    assert "city" not in org.users[0].profile


def test_required_attributes_cannot_be_skipped(person_with_missing_attributes: Person, org: OrgHandle) -> None:
    with pytest.raises(LookupError):
        person_with_missing_attributes.presses("Skip")
    again = person_with_missing_attributes.opens(AUTHENTICATE)
    assert again.page.url.startswith(org.base)
    assert not again.is_signed_in


def test_session_at_the_org_does_not_bypass_required_attributes(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    browser = Person().opens(AUTHENTICATE).signs_in_at_the_org()
    require_attributes(org, CITY)
    browser.browser.logout()
    assert not browser.opens(AUTHENTICATE).is_signed_in


def test_optional_attributes_can_be_skipped(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    require_attributes(org, AGE)
    returning_person = Person().opens(AUTHENTICATE).signs_in_at_the_org().presses("Skip")
    assert (returning_person.is_signed_in, returning_person.path) == (True, "/members/")


@pytest.mark.database
def test_awaiting_registration_is_completed_after_the_missing_attributes(person: Person, org: OrgHandle) -> None:
    """Activation link, Initiate login URI, the org's page for attributes, and the same row."""
    org.patch_policy({"email_verification": True, "authenticators": {"okta_email": "disabled"}})
    person.opens_the_sign_up("?next=/members/").submits_profile().chooses("Password").sets_a_password()
    require_attributes(org, CITY)
    person.opens_the_email_link(org).signs_in_at_the_org()
    assert Registration.objects.get().status == Status.AWAITING_EMAIL
    person.fills_and_presses({"City": "London"}, "Submit")
    assert person.is_signed_in
    assert Registration.objects.get().status == Status.COMPLETED


# ---- at the end of a sign-up, on the site's pages


@pytest.mark.parametrize("step", ["profile-update", "enroll-profile"])
def test_attributes_asked_for_at_the_end_are_a_step_of_the_sign_up(person: Person, org: OrgHandle, step: str) -> None:
    org.patch_policy({"progressive_profile": {"step": step, "attributes": [CITY, AGE]}})
    person.signs_up(org)
    assert (person.is_signed_in, "City" in person.page.text) == (False, True)
    person.fills_and_presses({"City": "London"})
    assert person.is_signed_in
    assert org.users[0].profile["city"] == "London"


def test_profile_hook_gets_the_complete_profile_at_the_last_step(
    person: Person, org: OrgHandle, configure: Configure
) -> None:
    require_attributes(org, CITY)
    person.signs_up(org)
    configure(PROFILE_HOOK="support.site_hooks.refuses_freemail")
    person.fills_and_presses({"City": "London"})
    assert "Use your work address." in person.page.text
    configure(PROFILE_HOOK="support.site_hooks.amends_the_name")
    person.fills_and_presses({"City": "London"})
    assert person.is_signed_in
    assert org.users[0].profile["lastName"] == "Lovelace"


def test_address_changed_after_the_verification_is_not_verified(person: Person, org: OrgHandle) -> None:
    """The org asks for the address again. Only the first one is verified."""
    org.patch_policy({"progressive_profile": {"attributes": [{"name": "email", "label": "Email"}, CITY]}})
    person.signs_up(org).fills_and_presses({"Email": "victim@example.com", "City": "London"})
    assert org.users[0].profile["email"] == "victim@example.com"
    assert Registration.objects.get().email == "ada@example.com"
