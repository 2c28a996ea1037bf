"""Phone numbers: converts what people type to E.164, and explains what is wrong with impossible numbers."""

from collections.abc import Mapping
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from selfreg.forms import typed_text
from selfreg.texts import errors

# Why a number is impossible -> the error message. ``phonenumbers`` has two enumerations for it.
UNPARSABLE: Mapping[int, Any] = {
    NumberParseException.TOO_SHORT_AFTER_IDD: errors.PHONE_TOO_SHORT,
    NumberParseException.TOO_SHORT_NSN: errors.PHONE_TOO_SHORT,
    NumberParseException.TOO_LONG: errors.PHONE_TOO_LONG,
}
IMPOSSIBLE: Mapping[int, Any] = {
    ValidationResult.TOO_SHORT: errors.PHONE_TOO_SHORT,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: errors.PHONE_TOO_SHORT,
    ValidationResult.TOO_LONG: errors.PHONE_TOO_LONG,
    ValidationResult.INVALID_LENGTH: errors.PHONE_WRONG_LENGTH,
}


def possible_number(typed: str, country: str = "") -> PhoneNumber:
    """Return the number that was typed. If it can't be one of the country, the prefix 00 is read as "+".

    :param country: the ISO 3166 code of the country whose numbers need no prefix; "" for none
    :raises ValidationError: it is no number, or has too few or too many digits
    """
    try:
        return _possible(typed, country)
    except ValidationError:
        if international := typed_text.international(typed):
            return _possible(international, "")
        raise


def e164(number: PhoneNumber) -> str:
    """Return the number in the format of E.164: "+14155550100"."""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def check_profile_number(typed: str) -> None:
    """Refuse an impossible number in a profile if it has a country code. Okta accepts any other text.

    :raises ValidationError: it has too few or too many digits
    """
    if typed.startswith("+") or typed_text.international(typed):
        possible_number(typed)


def _possible(typed: str, country: str) -> PhoneNumber:
    try:
        number = phonenumbers.parse(typed, country or None)
    except NumberParseException as problem:
        raise ValidationError(UNPARSABLE.get(problem.error_type, errors.NOT_A_PHONE_NUMBER)) from None
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        raise ValidationError(IMPOSSIBLE.get(reason, errors.NOT_A_PHONE_NUMBER))
    return number
