"""Scenarios B12 and B13: the org requires only the email, so its code comes first; a password is optional."""

import pytest

from okta_devorg import OrgHandle
from support.person import Person

pytestmark = pytest.mark.database

PASSWORD_OPTIONAL = {"email_verification": False, "authenticators": {"okta_password": "optional"}}


@pytest.fixture
def org(org: OrgHandle) -> OrgHandle:
    org.patch_policy(PASSWORD_OPTIONAL)
    return org


def test_the_code_page_follows_the_form_and_the_password_can_be_skipped(person: Person, org: OrgHandle) -> None:
    assert person.opens_the_sign_up().submits_profile().heading == "Check your email"
    person.types_the_code_from(org)
    assert [c.label for c in person.form.controls if c.type == "radio"] == ["Password"]
    person.presses("Skip for now")
    assert person.is_signed_in
    assert "ada@example.com" in person.page.text


def test_the_optional_password_can_be_set(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().types_the_code_from(org).chooses("Password").sets_a_password()
    assert person.is_signed_in
    assert org.users[0].password_hash
