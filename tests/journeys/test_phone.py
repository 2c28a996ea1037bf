"""Scenarios B4 to B6, B8 and B9: a code by text message or voice call, and numbers that the org refuses."""

import pytest

from okta_devorg import OrgHandle
from support.person import Person

pytestmark = pytest.mark.database

NUMBER = "authenticator.phoneNumber"


@pytest.fixture
def at_phone_step(person: Person, org: OrgHandle) -> Person:
    """A visitor with email and password enrolled, at the page that asks for a phone number."""
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    person.signs_up(org).chooses("Phone")
    assert person.heading == "Add your phone"
    return person


def test_a_code_by_text_message_completes_the_sign_up(at_phone_step: Person, org: OrgHandle) -> None:
    at_phone_step.fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert at_phone_step.heading == "Check your phone"
    (text,) = [m for m in org.messages("+14155550100") if m.channel == "sms"]
    assert text.code
    assert at_phone_step.types_the_code_from(org, "+14155550100").is_signed_in


def test_other_optional_authenticators_can_be_skipped_after_the_phone(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional", "security_question": "optional"}})
    person.signs_up(org).chooses("Phone").fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert person.types_the_code_from(org, "+14155550100").heading == "Secure your account"
    assert [c.label for c in person.form.controls if c.type == "radio"] == ["Security Question"]
    assert person.presses("Skip for now").is_signed_in
    assert "phone_number" in org.users[0].enrollments


def test_the_phone_page_mentions_carrier_charges(at_phone_step: Person) -> None:
    assert "Carrier messaging charges may apply." in at_phone_step.page.text


def test_a_voice_call_includes_the_extension(at_phone_step: Person, org: OrgHandle) -> None:
    at_phone_step.picks("Voice call").fills_and_presses({NUMBER: "+1 415 555 0100", "extension": "42"})
    assert [m.to for m in org.messages() if m.channel == "voice"] == ["+14155550100x42"]


def test_a_national_number_is_sent_to_the_org_in_international_format(at_phone_step: Person, org: OrgHandle) -> None:
    at_phone_step.fills_and_presses({"Country": "DE", NUMBER: "0171 / 234 56 78"})
    assert org.code("+491712345678")


def test_a_code_by_voice_call_completes_the_sign_up(at_phone_step: Person, org: OrgHandle) -> None:
    at_phone_step.picks("Voice call").fills_and_presses({NUMBER: "+1 415 555 0100"})
    (call,) = [m for m in org.messages() if m.channel == "voice"]
    assert at_phone_step.fills_and_presses({"credentials.passcode": str(call.code)}).is_signed_in


@pytest.mark.parametrize("refusal", ["fall_back", "stay"])
def test_a_number_refused_by_the_org_is_explained_and_another_number_works(
    at_phone_step: Person, org: OrgHandle, refusal: str
) -> None:
    org.patch_policy({"unknowns": {"phone_refusal": refusal}})
    at_phone_step.fills_and_presses({NUMBER: "+1 199 555 0100"})
    assert "We can't reach this number." in at_phone_step.page.text
    if at_phone_step.heading == "Secure your account":
        at_phone_step.chooses("Phone")
    at_phone_step.fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert at_phone_step.types_the_code_from(org, "+14155550100").is_signed_in


def test_a_refused_number_stays_in_its_field_with_the_error_beside_it(at_phone_step: Person) -> None:
    at_phone_step.fills_and_presses({NUMBER: "+1 199 555 0100"})
    assert at_phone_step.heading == "Add your phone"
    assert any("We can't reach this number." in text for text in at_phone_step.page.beside(NUMBER))
    assert at_phone_step.page.typed(NUMBER) == "+1 199 555 0100"


@pytest.mark.parametrize("typed", ["my number", "+", "☎", "+1 415 555", "(202) 555-01234"])
def test_an_invalid_number_is_rejected_without_a_call(at_phone_step: Person, org: OrgHandle, typed: str) -> None:
    before = len(org.calls())
    at_phone_step.fills_and_presses({NUMBER: typed, "Country": "US"})
    assert at_phone_step.page.beside(NUMBER)
    assert at_phone_step.page.typed(NUMBER) == typed
    assert len(org.calls()) == before


def test_the_phone_can_be_skipped_if_it_is_the_only_optional_authenticator(at_phone_step: Person) -> None:
    assert "Choose a different method" not in at_phone_step.page.text
    assert at_phone_step.presses("Skip for now").is_signed_in
