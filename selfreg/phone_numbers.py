"""Phone numbers in E.164: which country they belong to, and how they are displayed."""

from contextlib import suppress

import phonenumbers


def calling_code(number: str) -> str:
    """Return the country calling code of an E.164 number (``44``), "" if it cannot be parsed."""
    parsed = _parsed(number)
    return str(parsed.country_code or "") if parsed else ""


def region(number: str) -> str:
    """Return the country of an E.164 number (``US``), else its calling code (``+800``); "" if it cannot be parsed."""
    parsed = _parsed(number)
    return phonenumbers.region_code_for_number(parsed) or f"+{parsed.country_code}" if parsed else ""


def masked(number: str) -> str:
    """Return ``+1 ••• 2671``: the owner recognises it, somebody who looks on does not learn it; "" for none."""
    country = f"+{code}" if (code := calling_code(number)) else "+"
    return f"{country} ••• {number.partition('x')[0][-4:]}" if number else ""


def _parsed(number: str) -> phonenumbers.PhoneNumber | None:
    with suppress(phonenumbers.NumberParseException):
        return phonenumbers.parse(number.partition("x")[0])
    return None
