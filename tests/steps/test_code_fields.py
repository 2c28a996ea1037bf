"""Code fields: length and format from the org decide the keyboard, the hint and the automatic submission."""

from typing import Any

import pytest

from support.idx.documents import EMAIL, PHONE, array
from support.idx.scripted_org import ScriptedOrg
from support.idx.situations import (
    APP,
    CUSTOM,
    TOKEN,
    VERIFY,
    WRONG_CODE,
    YUBIKEY,
    challenging,
    credentials,
    ending,
    enrolling,
)
from support.person import Person

SIX_DIGITS_HINT = "when you enter all 6 digits"
LETTERS = {"minLength": 10, "maxLength": 10, "format": "alphanumeric"}


def opens_code_page(ada: Person, scripted: ScriptedOrg, authenticator: Any, **rules: Any) -> dict[str, str | None]:
    code = {"name": "passcode", "label": "Enter code", **rules}
    scripted.answers_with(enrolling(authenticator, credentials(code)), ending("Enough.", "enough"))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    (control,) = ada.form.find("credentials.passcode")
    return dict(control.attributes)


@pytest.mark.parametrize(
    ("authenticator", "rules", "keyboard", "length", "hint"),
    [
        (EMAIL, {}, "numeric", "6", SIX_DIGITS_HINT),
        (PHONE, {"minLength": 6, "maxLength": 6}, "numeric", "6", SIX_DIGITS_HINT),
        (APP, {"maxLength": 8}, "numeric", "8", "when you enter all 8 characters"),
        (EMAIL, LETTERS, "text", "10", "when you enter all 10 characters"),
        (EMAIL, {"format": "alphanumeric"}, "text", None, None),
        (EMAIL, {"minLength": 4, "maxLength": 10}, "numeric", None, None),
        (CUSTOM, {"format": "numeric"}, "numeric", None, None),
        (TOKEN, {}, "text", None, None),
    ],
)
def test_keyboard_and_hint_follow_the_rules_of_the_org(
    ada: Person,
    scripted: ScriptedOrg,
    authenticator: Any,
    rules: Any,
    keyboard: str,
    length: str | None,
    hint: str | None,
) -> None:
    attributes = opens_code_page(ada, scripted, authenticator, **rules)
    assert attributes["inputmode"] == keyboard
    assert attributes.get("data-length") == length
    assert (hint or SIX_DIGITS_HINT) in ada.page.html if hint else "continue automatically" not in ada.page.html
    assert "maxlength" not in attributes


def test_an_alphanumeric_code_keeps_its_case_and_a_short_code_makes_no_call(ada: Person, scripted: ScriptedOrg) -> None:
    opens_code_page(ada, scripted, EMAIL, **LETTERS)
    sent = len(scripted.sent)
    ada.fills_and_presses({"credentials.passcode": "aB3dE"})
    assert ada.page.beside("credentials.passcode")
    assert len(scripted.sent) == sent
    ada.fills_and_presses({"credentials.passcode": "aB3dE-fGh1J"})
    assert scripted.body["credentials"] == {"passcode": "aB3dEfGh1J"}


@pytest.mark.parametrize(("authenticator", "name"), [(APP, "passcode"), (VERIFY, "totp")])
def test_the_code_of_an_app_has_a_numeric_keyboard_in_every_challenge(
    ada: Person, scripted: ScriptedOrg, authenticator: Any, name: str
) -> None:
    scripted.answers_with(
        challenging(authenticator, credentials({"name": name, "label": "Enter code", "required": True}))
    )
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    (control,) = ada.form.find(f"credentials.{name}")
    assert (control.attributes["inputmode"], control.attributes["autocomplete"]) == ("numeric", "one-time-code")


def test_a_refused_code_is_not_shown_again(ada: Person, scripted: ScriptedOrg) -> None:
    code = {"name": "totp", "label": "Enter code", "required": True}
    page = challenging(VERIFY, credentials(code))
    scripted.answers_with(page, {**page, "messages": array(WRONG_CODE)})
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    ada.fills_and_presses({"credentials.totp": "123456"})
    assert ada.page.typed("credentials.totp") == ""


def test_a_secret_code_is_not_offered_to_password_managers(ada: Person, scripted: ScriptedOrg) -> None:
    attributes = opens_code_page(ada, scripted, YUBIKEY, secret=True)
    assert (attributes["type"], attributes["autocomplete"]) == ("password", "one-time-code")
