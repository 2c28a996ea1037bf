"""The profile form: how IDX shows its fields, and reading what was submitted (docs/protocol.md, section 4.2)."""

import math
import re
import unicodedata
import zoneinfo
from collections.abc import Callable

from okta_devorg.policy.settings import Attribute
from okta_devorg.wire.errors import bad_request
from okta_devorg.wire.ion import Json, message

DOMAIN_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:" + DOMAIN_LABEL + r"\.)+[A-Za-z]" + DOMAIN_LABEL)
EMAIL_MAX_LENGTH = 100
LOGIN_MAX_LENGTH = 100
TEXT_MAX_LENGTH = 2000

# What stands for an attribute that was left empty.
NOTHING: tuple[object, ...] = (None, "", [])


def field_json(attribute: Attribute) -> Json:
    """Return the field for an attribute."""
    hint = _display_hint(attribute)
    field: Json = {"name": attribute.name}
    if attribute.type != "string" or hint:
        field["type"] = attribute.type
    field |= {"label": attribute.label, "required": attribute.required}
    if attribute.min_length is not None:
        field["minLength"] = attribute.min_length
    if attribute.max_length is not None:
        field["maxLength"] = attribute.max_length
    if attribute.custom_label:
        field["customLabel"] = True
    if attribute.desc:
        field["desc"] = attribute.desc
    return {**field, "options": [{"label": "display", "value": {"type": "object", "value": hint}}]} if hint else field


def _display_hint(attribute: Attribute) -> Json:
    """Return the third meaning of `options` (docs/protocol.md, section 3.4), empty for a plain text field.

    Countries and time zones come without choices: the client knows them.
    """
    input_type = attribute.display or ("select" if attribute.options or attribute.format else None)
    if input_type is None:
        return {}
    hint: Json = {"inputType": input_type}
    if attribute.format == "country-code":
        hint["format"] = attribute.format
    if attribute.options:
        hint["options"] = [{"label": choice.label, "value": choice.value} for choice in attribute.options]
    elif attribute.type == "boolean" and input_type == "radio":
        hint["options"] = [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]
    return hint


def read_profile(
    attributes: tuple[Attribute, ...], submitted: object, username_format: str = "email"
) -> tuple[Json, dict[str, list[Json]]]:
    """Return the values of a submitted `userProfile`, and the messages about wrong ones by the path of their field.

    Logins must be addresses if that is the `username_format`.

    :raises IdxError: if it is not an object of scalars, or of lists for arrays, for these attributes.
    """
    if not isinstance(submitted, dict) or set(submitted) - {attribute.name for attribute in attributes}:
        raise bad_request()
    values: Json = {}
    problems: dict[str, list[Json]] = {}
    addresses = ("email", "secondEmail", *(["login"] if username_format == "email" else []))
    for attribute in attributes:
        value = submitted.get(attribute.name)
        if isinstance(value, dict) or (isinstance(value, list) and attribute.type != "array"):
            raise bad_request()
        messages = _problems(attribute, value, is_address=attribute.name in addresses)
        if messages:
            problems[f"userProfile.{attribute.name}"] = messages
        elif value not in NOTHING:
            values[attribute.name] = value in (True, "true") if attribute.type == "boolean" else value
    return values, problems


def _problems(attribute: Attribute, value: object, *, is_address: bool) -> list[Json]:
    if value in NOTHING or (isinstance(value, str) and not value.strip()):
        return [message("This field is required", "api.error.field_required")] if attribute.required else []
    mismatch = message(
        f"Provided value for property '{attribute.label}' does not match required pattern",
        "registration.error.doesNotMatchPattern",
        [attribute.label],
    )
    if is_address and not is_email(value):
        text = f"'{attribute.label}' must be in the form of an email address"
        return [message(text, "registration.error.invalidLoginEmail", [attribute.label]), mismatch]
    return [] if ACCEPTS[attribute.type](attribute, value) else [mismatch]


def not_unique(label: str) -> Json:
    """Return the message for a value that must be one user's own and is another's already."""
    return message(f"A user with this {label} already exists", "registration.error.notUniqueWithinOrg", [label])


def is_email(value: object) -> bool:
    """Return whether the value has the form of an email address."""
    if not isinstance(value, str) or len(value) > EMAIL_MAX_LENGTH or ".." in value:
        return False
    return EMAIL.fullmatch(value) is not None


def _accepts_text(attribute: Attribute, value: object) -> bool:
    if not isinstance(value, str):
        return False
    if attribute.format == "country-code":
        return re.fullmatch("[A-Z]{2}", value) is not None
    if attribute.format == "timezone":
        return value in zoneinfo.available_timezones()
    if attribute.options and value not in {choice.value for choice in attribute.options}:
        return False
    longest = LOGIN_MAX_LENGTH if attribute.name == "login" else TEXT_MAX_LENGTH
    most = longest if attribute.max_length is None else attribute.max_length
    has_control_characters = any(unicodedata.category(character) in ("Cc", "Cs") for character in value)
    return (attribute.min_length or 0) <= len(value) <= most and not has_control_characters


def _is_json_number(value: float) -> bool:
    """Python's parser also reads NaN and Infinity, which JSON does not have, and takes a boolean for a number."""
    return not isinstance(value, bool) and abs(value) < math.inf


# By type of the attribute.
ACCEPTS: dict[str, Callable[[Attribute, object], bool]] = {
    "string": _accepts_text,
    "boolean": lambda attribute, value: isinstance(value, bool) or value in ("true", "false"),
    "integer": lambda attribute, value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda attribute, value: isinstance(value, int | float) and _is_json_number(value),
    "array": lambda attribute, value: isinstance(value, list) and all(_accepts_text(attribute, item) for item in value),
}
