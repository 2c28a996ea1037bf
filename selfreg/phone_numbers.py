"""Phone numbers in E.164: which country they belong to, and how they are displayed."""

from contextlib import suppress

import phonenumbers


def region(number: str) -> str:
    """Return the country of an E.164 number (``US``), else its calling code (``+800``); "" if it can't be parsed."""
    parsed = _parsed(number)
    return phonenumbers.region_code_for_number(parsed) or f"+{parsed.country_code}" if parsed else ""


def masked(number: str) -> str:
    """Return a number as ``+1 ••• 2671``, which its owner recognises, but nobody else can use; "" for none."""
    parsed = _parsed(number)
    country = parsed.country_code if parsed else ""
    return f"+{country} ••• {number.partition('x')[0][-4:]}" if number else ""


def _parsed(number: str) -> phonenumbers.PhoneNumber | None:
    with suppress(phonenumbers.NumberParseException):
        return phonenumbers.parse(number.partition("x")[0])
    return None
