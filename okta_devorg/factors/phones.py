"""Which phone numbers the org texts or calls: valid ones that can receive it (docs/protocol.md, section 4.5)."""

import phonenumbers
from phonenumbers import PhoneNumberType as NumberType

SMS_TYPES = {NumberType.MOBILE, NumberType.FIXED_LINE_OR_MOBILE, NumberType.VOIP, NumberType.PAGER}
ACCEPTED_TYPES = {"sms": SMS_TYPES, "voice": SMS_TYPES | {NumberType.FIXED_LINE, NumberType.PERSONAL_NUMBER}}


def accepted_number(number: str, method: str) -> str | None:
    """Return the number in E.164 form, None if the org refuses it. `method` is `sms` or `voice`.

    A number to call keeps its extension, such as `x42`.
    """
    if not number.startswith("+") or len(number) > 40:
        return None
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed) or phonenumbers.number_type(parsed) not in ACCEPTED_TYPES[method]:
        return None
    extension = f"x{parsed.extension}" if parsed.extension and method == "voice" else ""
    parsed.extension = None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) + extension
