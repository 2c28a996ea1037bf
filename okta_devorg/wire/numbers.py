"""Reading numbers that somebody typed or sent as text."""

MOST_DIGITS = 18


def whole_number(text: str) -> int | None:
    """Return the number that the digits stand for, None for other text and for more than eighteen digits."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    return int(text) if is_number else None
