"""Which phone numbers the org texts or calls: valid, and of a kind that can receive the message
(docs/protocol.md, section 4.5).
"""

import phonenumbers
from phonenumbers import PhoneNumberType as Kind

SMS_KINDS = {Kind.MOBILE, Kind.FIXED_LINE_OR_MOBILE, Kind.VOIP, Kind.PAGER}
ACCEPTED = {"sms": SMS_KINDS, "voice": SMS_KINDS | {Kind.FIXED_LINE, Kind.PERSONAL_NUMBER}}


def acceptable(number: str, method: str) -> str | None:
    """The number in E.164, with its extension (`x42`) if it is called; None when the org refuses it."""
    if not number.startswith("+") or len(number) > 40:
        return None
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed) or phonenumbers.number_type(parsed) not in ACCEPTED[method]:
        return None
    extension = f"x{parsed.extension}" if parsed.extension and method == "voice" else ""
    parsed.extension = None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) + extension
