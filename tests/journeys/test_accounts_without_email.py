"""Profile forms without an email address: the identifier is a login, a phone number or a custom attribute."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from okta_devorg import OrgHandle
from selfreg.models import OktaIdentity, Registration
from selfreg.statuses import Status
from support.person import PASSWORD, SITE, Person

NAMES = [
    {"name": n, "label": label, "required": True}
    for n, label in (("firstName", "First name"), ("lastName", "Last name"))
]
LOGIN = {"name": "login", "label": "Username", "required": True}
PHONE = {"name": "mobilePhone", "label": "Mobile phone", "required": True}
NUMBER = {"name": "memberNumber", "label": "Member number", "required": True}
EMAIL = {"name": "email", "label": "Email"}
IDENTIFIERS = [
    ("login", LOGIN, "ada_lovelace"),
    ("mobilePhone", PHONE, "+14155550123"),
    ("memberNumber", NUMBER, "M-1815"),
]


def configures_form(org: OrgHandle, *fields: dict[str, Any], **policy: Any) -> None:
    names = [f["name"] for f in fields if f["name"] != "email"]
    org.patch_policy({"profile": [*fields, *NAMES], "allowed_identifiers": names, "username_format": "none", **policy})


def fills_in(person: Person, values: dict[str, str]) -> Person:
    person.opens_the_sign_up().fills({f"userProfile.{n}": v for n, v in values.items()})
    return person.fills_and_presses({"First name": "Ada", "Last name": "Lovelace"}, "Sign up")


@pytest.mark.parametrize(("name", "field", "value"), IDENTIFIERS, ids=[i[0] for i in IDENTIFIERS])
def test_an_account_without_an_address_can_sign_up_and_sign_in_and_no_page_mentions_email(
    person: Person, org: OrgHandle, configure: Callable[..., None], name: str, field: dict[str, Any], value: str
) -> None:
    configure(EMAIL_VERIFICATION="optional")
    configures_form(org, field)
    fills_in(person, {name: value}).chooses("Password").sets_a_password()
    assert person.is_signed_in
    assert "mail we sent" not in person.page.text
    assert "Resend email" not in person.page.text
    assert org.messages() == []
    again = Person().opens(f"{SITE}/oidc/authenticate/").fills_and_presses({"identifier": value}, "Next")
    assert again.fills_and_presses({"password": PASSWORD}, "Sign in").is_signed_in
    assert OktaIdentity.objects.count() == 1


def test_a_page_for_verified_addresses_does_not_claim_that_an_email_was_sent(
    person: Person, org: OrgHandle, configure: Callable[..., None], settings: Any
) -> None:
    configure(EMAIL_VERIFICATION="optional")
    configures_form(org, LOGIN)
    fills_in(person, {"login": "ada_lovelace"}).chooses("Password").sets_a_password()
    settings.ROOT_URLCONF = "support.site_urls"
    person.opens("/inside/")
    assert "your account doesn't have one" in person.page.text
    assert "email we sent to" not in person.page.text


def test_the_password_page_has_the_login_for_password_managers(person: Person, org: OrgHandle) -> None:
    configures_form(org, LOGIN)
    fills_in(person, {"login": "ada_lovelace"}).chooses("Password")
    (hidden,) = [c for f in person.page.forms for c in f.controls if c.name == "username"]
    assert hidden.value == "ada_lovelace"


def test_an_address_beside_the_login_is_verified_by_code(person: Person, org: OrgHandle) -> None:
    configures_form(org, LOGIN, {**EMAIL, "required": True})
    fills_in(person, {"login": "ada_lovelace", "email": person.email}).chooses("Email").types_the_code_from(org)
    assert person.chooses("Password").sets_a_password().is_signed_in


def test_the_end_page_explains_that_a_verified_address_is_mandatory(person: Person, org: OrgHandle) -> None:
    configures_form(org, LOGIN, EMAIL)
    fills_in(person, {"login": "ada_lovelace"}).chooses("Password").sets_a_password()
    assert not person.is_signed_in
    assert "You need a confirmed email address here, and your account doesn't have one." in person.page.text
    assert "Check your" not in person.heading
    assert Registration.objects.get().status == Status.FAILED


@pytest.mark.parametrize(("fields", "has_warning"), [((LOGIN,), True), ((LOGIN, EMAIL), True), ((), False)])
def test_the_database_check_warns_if_the_form_has_no_required_address(
    person: Person, org: OrgHandle, capsys: pytest.CaptureFixture[str], fields: tuple[Any, ...], has_warning: bool
) -> None:
    if fields:
        configures_form(org, *fields)
    person.opens_the_sign_up()
    try:
        call_command("check", database=["default"])
    except SystemCheckError as error:
        print(error)
    output = capsys.readouterr()
    assert ("selfreg.W033" in output.out + output.err) is has_warning
