"""An org whose policy, or whose app, lets nobody sign up."""

from typing import Any

import pytest

from okta_devorg import OrgHandle
from selfreg.models import Registration
from support.person import SITE, Person

APP = {
    "client_id": "0oaLocalDemoApp0000",
    "client_secret": "local-demo-secret-not-for-production",
    "redirect_uris": [f"{SITE}/oidc/callback/"],
}


def test_a_policy_that_denies_sign_up_is_a_page_that_says_so(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"sign_up": False})
    person.opens_the_sign_up()
    assert person.heading == "Sign-up isn't available"
    assert person.status == 200
    assert person.page.link("Sign in")
    assert not Registration.objects.exists()


def test_a_policy_that_is_opened_again_is_seen_at_the_next_try(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"sign_up": False})
    person.opens_the_sign_up()
    org.patch_policy({"sign_up": True})
    assert person.follows("Try again").heading == "Create your account"


def test_a_policy_that_closes_after_the_cached_form_was_shown_makes_no_account(person: Person, org: OrgHandle) -> None:
    Person().opens_the_sign_up()
    person.opens_the_sign_up()
    org.patch_policy({"sign_up": False})
    person.tells_who_she_is()
    assert person.heading == "Sign-up isn't available"
    assert org.users == []


@pytest.mark.parametrize(
    "change",
    [
        {"grants": ["authorization_code"]},
        {"redirect_uris": ["https://elsewhere.example/cb"]},
        {"client_secret": "other"},
    ],
    ids=["no interaction code", "another address", "another secret"],
)
def test_an_app_that_is_set_up_wrongly_is_a_page_not_a_crash(
    person: Person, org: OrgHandle, change: dict[str, Any]
) -> None:
    org.patch_policy({"apps": [APP | change]})
    person.opens_the_sign_up()
    assert person.heading == "Sign-up isn't available"
    assert "local-demo-secret" not in person.page.html


def test_an_app_that_the_person_is_not_assigned_to_ends_and_says_why(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"apps": [APP | {"assigned": False}]})
    person.signs_up(org)
    assert not person.is_signed_in
    assert "Your account doesn't have access to this site." in person.page.text
