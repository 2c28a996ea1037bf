"""Scenarios B4 to B6, B8 and B9: a code by text message or call, and numbers that nobody can be reached at."""

import pytest

from okta_devorg import OrgHandle
from support.person import Person

pytestmark = pytest.mark.database

NUMBER = "authenticator.phoneNumber"


@pytest.fixture
def at_the_phone(person: Person, org: OrgHandle) -> Person:
    """Everything else is done; the page asks for a number."""
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    person.signs_up(org).chooses("Phone")
    assert person.heading == "Add your phone"
    return person


def test_a_code_by_text_message_ends_the_sign_up(at_the_phone: Person, org: OrgHandle) -> None:
    at_the_phone.fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert at_the_phone.heading == "Check your phone"
    (text,) = [m for m in org.messages("+14155550100") if m.channel == "sms"]
    assert text.code
    assert at_the_phone.types_the_code_from(org, "+14155550100").is_signed_in


def test_after_the_phone_what_else_is_optional_can_be_skipped(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional", "security_question": "optional"}})
    person.signs_up(org).chooses("Phone").fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert person.types_the_code_from(org, "+14155550100").heading == "Secure your account"
    assert [c.label for c in person.form.controls if c.type == "radio"] == ["Security Question"]
    assert person.presses("Skip for now").is_signed_in
    assert "phone_number" in org.users[0].enrollments


def test_the_page_says_what_it_may_cost(at_the_phone: Person) -> None:
    assert "Carrier messaging charges may apply." in at_the_phone.page.text


def test_an_extension_is_called_with_the_number(at_the_phone: Person, org: OrgHandle) -> None:
    at_the_phone.picks("Voice call").fills_and_presses({NUMBER: "+1 415 555 0100", "extension": "42"})
    assert [m.to for m in org.messages() if m.channel == "voice"] == ["+14155550100x42"]


def test_a_number_as_people_write_it_reaches_the_org_in_one_form(at_the_phone: Person, org: OrgHandle) -> None:
    at_the_phone.fills_and_presses({"Country": "DE", NUMBER: "0171 / 234 56 78"})
    assert org.code("+491712345678")


def test_a_call_is_as_good_as_a_text(at_the_phone: Person, org: OrgHandle) -> None:
    at_the_phone.picks("Voice call").fills_and_presses({NUMBER: "+1 415 555 0100"})
    (call,) = [m for m in org.messages() if m.channel == "voice"]
    assert at_the_phone.fills_and_presses({"credentials.passcode": str(call.code)}).is_signed_in


@pytest.mark.parametrize("refusal", ["fall_back", "stay"])
def test_a_number_the_org_refuses_is_said_on_the_page_and_the_flow_lives(
    at_the_phone: Person, org: OrgHandle, refusal: str
) -> None:
    org.patch_policy({"unknowns": {"phone_refusal": refusal}})
    at_the_phone.fills_and_presses({NUMBER: "+1 199 555 0100"})
    assert "We can't reach this number." in at_the_phone.page.text
    if at_the_phone.heading == "Secure your account":
        at_the_phone.chooses("Phone")
    at_the_phone.fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert at_the_phone.types_the_code_from(org, "+14155550100").is_signed_in


def test_a_refused_number_is_said_beside_it_and_still_there(at_the_phone: Person) -> None:
    at_the_phone.fills_and_presses({NUMBER: "+1 199 555 0100"})
    assert at_the_phone.heading == "Add your phone"
    assert any("We can't reach this number." in text for text in at_the_phone.page.beside(NUMBER))
    assert at_the_phone.page.typed(NUMBER) == "+1 199 555 0100"


@pytest.mark.parametrize("typed", ["my number", "+", "☎", "+1 415 555", "(202) 555-01234"])
def test_what_is_no_number_at_all_costs_no_call(at_the_phone: Person, org: OrgHandle, typed: str) -> None:
    before = len(org.calls())
    at_the_phone.fills_and_presses({NUMBER: typed, "Country": "US"})
    assert at_the_phone.page.beside(NUMBER)
    assert at_the_phone.page.typed(NUMBER) == typed
    assert len(org.calls()) == before


def test_the_phone_as_the_only_optional_way_can_be_skipped(at_the_phone: Person) -> None:
    assert "Choose a different method" not in at_the_phone.page.text
    assert at_the_phone.presses("Skip for now").is_signed_in
