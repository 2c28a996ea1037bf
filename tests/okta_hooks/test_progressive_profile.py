"""The org asks people who exist for more: at sign-in on its own page, at the end of a sign-up on ours."""

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


def asks_for(org: OrgHandle, *attributes: dict[str, Any]) -> None:
    org.patch_policy({"progressive_profile": {"attributes": list(attributes)}})


@pytest.fixture
def known(person: Person, org: OrgHandle) -> Person:
    """Ada, who signed up before the org wanted more; in a new browser, on the org's page."""
    person.signs_up(org)
    asks_for(org, CITY, AGE)
    return Person().opens(AUTHENTICATE).signs_in_at_the_org()


def test_what_is_missing_is_asked_for_before_anybody_is_signed_in(known: Person, org: OrgHandle) -> None:
    assert known.page.url.startswith(org.base)
    assert known.heading == "Additional profile information"
    assert not known.is_signed_in
    known.fills_and_presses({"City": "London", "Age (optional)": "36"}, "Submit")
    assert (known.is_signed_in, known.path) == (True, "/members/")
    profile = org.users[0].profile
    assert (profile["city"], profile["age"]) == ("London", 36)
    assert User.objects.count() == 1


def test_who_gave_it_is_not_asked_again(known: Person, org: OrgHandle) -> None:
    known.fills_and_presses({"City": "London", "Age (optional)": "36"}, "Submit")
    assert Person().opens(AUTHENTICATE).signs_in_at_the_org().is_signed_in


@pytest.mark.parametrize(("city", "age"), [("", "36"), ("  ", ""), ("London", "thirty"), ("London", "1.5")])
def test_what_does_not_do_is_asked_for_again(known: Person, org: OrgHandle, city: str, age: str) -> None:
    known.fills_and_presses({"City": city, "Age (optional)": age}, "Submit")
    assert known.status == 400
    assert not known.is_signed_in
    assert "city" not in org.users[0].profile


def test_there_is_no_way_around_what_is_required(known: Person, org: OrgHandle) -> None:
    with pytest.raises(LookupError):
        known.presses("Skip")
    again = known.opens(AUTHENTICATE)
    assert again.page.url.startswith(org.base)
    assert not again.is_signed_in


def test_a_session_at_the_org_is_no_way_around_it_either(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    browser = Person().opens(AUTHENTICATE).signs_in_at_the_org()
    asks_for(org, CITY)
    browser.browser.logout()
    assert not browser.opens(AUTHENTICATE).is_signed_in


def test_what_is_optional_can_be_skipped(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    asks_for(org, AGE)
    later = Person().opens(AUTHENTICATE).signs_in_at_the_org().presses("Skip")
    assert (later.is_signed_in, later.path) == (True, "/members/")


@pytest.mark.database
def test_the_registration_that_waited_is_completed_by_it(person: Person, org: OrgHandle) -> None:
    """By the activation link, through the Initiate login URI, over the org's question, into the same row."""
    org.patch_policy({"email_verification": True, "authenticators": {"okta_email": "disabled"}})
    person.opens_the_sign_up("?next=/members/").tells_who_she_is().chooses("Password").sets_a_password()
    asks_for(org, CITY)
    person.opens_the_link_in_the_mail(org).signs_in_at_the_org()
    assert Registration.objects.get().status == Status.AWAITING_EMAIL
    person.fills_and_presses({"City": "London"}, "Submit")
    assert person.is_signed_in
    assert Registration.objects.get().status == Status.COMPLETED


# ---- at the end of a sign-up, on our pages


@pytest.mark.parametrize("step", ["profile-update", "enroll-profile"])
def test_what_the_org_asks_for_at_the_end_is_a_page_of_ours(person: Person, org: OrgHandle, step: str) -> None:
    org.patch_policy({"progressive_profile": {"step": step, "attributes": [CITY, AGE]}})
    person.signs_up(org)
    assert (person.is_signed_in, "City" in person.page.text) == (False, True)
    person.fills_and_presses({"City": "London"})
    assert person.is_signed_in
    assert org.users[0].profile["city"] == "London"


def test_the_sites_hook_judges_the_whole_person(person: Person, org: OrgHandle, configure: Configure) -> None:
    asks_for(org, CITY)
    person.signs_up(org)
    configure(PROFILE_HOOK="support.site_hooks.refuses_freemail")
    person.fills_and_presses({"City": "London"})
    assert "Use your work address." in person.page.text
    configure(PROFILE_HOOK="support.site_hooks.amends_the_name")
    person.fills_and_presses({"City": "London"})
    assert person.is_signed_in
    assert org.users[0].profile["lastName"] == "Lovelace"


def test_an_address_that_comes_after_the_proof_is_not_the_proven_one(person: Person, org: OrgHandle) -> None:
    """An org that asks for the address once more: what was proven is the first one."""
    org.patch_policy({"progressive_profile": {"attributes": [{"name": "email", "label": "Email"}, CITY]}})
    person.signs_up(org).fills_and_presses({"Email": "victim@example.com", "City": "London"})
    assert org.users[0].profile["email"] == "victim@example.com"
    assert Registration.objects.get().email == "ada@example.com"
