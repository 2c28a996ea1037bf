"""Scenario B2: an org whose policy asks for the password first and for the email code after it."""

import pytest

from okta_devorg import OrgHandle
from support.person import Person

pytestmark = pytest.mark.database


@pytest.fixture
def org(org: OrgHandle) -> OrgHandle:
    org.patch_policy({"order": "password_first", "authenticators": {"phone_number": "optional"}})
    return org


def test_the_only_available_authenticator_is_started_without_a_choice(person: Person) -> None:
    assert person.opens_the_sign_up().submits_profile().heading == "Choose a password"
    assert "Choose a different method" not in person.page.text
    assert person.sets_a_password().heading == "Check your email"
    assert "Choose a different method" not in person.page.text


def test_skipping_the_optional_phone_completes_the_sign_up(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    person.chooses("Email").types_the_code_from(org).presses("Skip for now")
    assert person.is_signed_in
    assert org.users[0].status.value == "ACTIVE"
