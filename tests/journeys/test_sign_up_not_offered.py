"""Orgs whose policy or app does not allow sign-up."""

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


def test_a_policy_that_denies_sign_up_shows_the_unavailable_page(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"sign_up": False})
    person.opens_the_sign_up()
    assert person.heading == "Sign-up isn't available"
    assert person.status == 200
    assert person.page.link("Sign in")
    assert not Registration.objects.exists()


def test_try_again_shows_the_form_after_the_policy_allows_sign_up(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"sign_up": False})
    person.opens_the_sign_up()
    org.patch_policy({"sign_up": True})
    assert person.follows("Try again").heading == "Create your account"


def test_no_account_is_created_if_the_policy_denies_sign_up_after_the_cached_form_was_shown(
    person: Person, org: OrgHandle
) -> None:
    Person().opens_the_sign_up()
    person.opens_the_sign_up()
    org.patch_policy({"sign_up": False})
    person.submits_profile()
    assert person.heading == "Sign-up isn't available"
    assert org.users == []


@pytest.mark.parametrize(
    "change",
    [
        {"grants": ["authorization_code"]},
        {"redirect_uris": ["https://elsewhere.example/cb"]},
        {"client_secret": "other"},
    ],
    ids=["no interaction_code grant", "wrong redirect URI", "wrong secret"],
)
def test_a_misconfigured_app_shows_the_unavailable_page(person: Person, org: OrgHandle, change: dict[str, Any]) -> None:
    org.patch_policy({"apps": [APP | change]})
    person.opens_the_sign_up()
    assert person.heading == "Sign-up isn't available"
    assert "local-demo-secret" not in person.page.html


def test_the_end_page_explains_that_the_account_is_not_assigned_to_the_app(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"apps": [APP | {"assigned": False}]})
    person.signs_up(org)
    assert not person.is_signed_in
    assert "Your account doesn't have access to this site." in person.page.text
