"""The profile form: its fields as IDX shows them and the reading of what was typed (docs/protocol.md, section 4.2)."""

import math
import re
import unicodedata
import zoneinfo
from collections.abc import Callable

from okta_devorg.policy.settings import Attribute
from okta_devorg.wire.ion import Json, message
from okta_devorg.wire.refusals import bad_request

LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:" + LABEL + r"\.)+[A-Za-z]" + LABEL)
EMAIL_MAX = 100
TEXT_MAX = 2000


def field_json(attribute: Attribute) -> Json:
    shown = display(attribute)
    field: Json = {"name": attribute.name}
    if attribute.type != "string" or shown:
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
    return {**field, "options": [{"label": "display", "value": {"type": "object", "value": shown}}]} if shown else field


def display(attribute: Attribute) -> Json:
    """The display hint of docs/protocol.md, section 3.4 (3). Countries and time zones come without choices: the client
    knows them.
    """
    kind = attribute.display or ("select" if attribute.options or attribute.format else None)
    if kind is None:
        return {}
    hint: Json = {"inputType": kind}
    if attribute.format == "country-code":
        hint["format"] = attribute.format
    if attribute.options:
        hint["options"] = [{"label": choice.label, "value": choice.value} for choice in attribute.options]
    elif attribute.type == "boolean" and kind == "radio":
        hint["options"] = [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]
    return hint


def read_profile(attributes: tuple[Attribute, ...], typed: object) -> tuple[Json, dict[str, list[Json]]]:
    """The values to keep and, by dotted path, the messages of those that will not do. Raises IdxRefusal."""
    if not isinstance(typed, dict) or set(typed) - {attribute.name for attribute in attributes}:
        raise bad_request()
    values: Json = {}
    errors: dict[str, list[Json]] = {}
    for attribute in attributes:
        value = typed.get(attribute.name)
        if isinstance(value, dict | list):
            raise bad_request()
        found = problems(attribute, value)
        if found:
            errors[f"userProfile.{attribute.name}"] = found
        elif value not in (None, ""):
            values[attribute.name] = value in (True, "true") if attribute.type == "boolean" else value
    return values, errors


def problems(attribute: Attribute, value: object) -> list[Json]:
    if value is None or value == "" or (isinstance(value, str) and not value.strip()):
        return [message("This field is required", "api.error.field_required")] if attribute.required else []
    mismatch = message(
        f"Provided value for property '{attribute.label}' does not match required pattern",
        "registration.error.doesNotMatchPattern",
        [attribute.label],
    )
    if attribute.name in ("email", "login", "secondEmail") and not is_email(value):
        text = f"'{attribute.label}' must be in the form of an email address"
        return [message(text, "registration.error.invalidLoginEmail", [attribute.label]), mismatch]
    return [] if ACCEPTS[attribute.type](attribute, value) else [mismatch]


def is_email(value: object) -> bool:
    if not isinstance(value, str) or len(value) > EMAIL_MAX or ".." in value:
        return False
    return EMAIL.fullmatch(value) is not None


def accepts_text(attribute: Attribute, value: object) -> bool:
    if not isinstance(value, str):
        return False
    if attribute.format == "country-code":
        return re.fullmatch("[A-Z]{2}", value) is not None
    if attribute.format == "timezone":
        return value in zoneinfo.available_timezones()
    if attribute.options and value not in {choice.value for choice in attribute.options}:
        return False
    most = TEXT_MAX if attribute.max_length is None else attribute.max_length
    return (attribute.min_length or 0) <= len(value) <= most and not any(
        unicodedata.category(c) in ("Cc", "Cs") for c in value
    )


def is_finite(value: float) -> bool:
    """True for a JSON number; Python's parser also reads NaN and Infinity, and a bool is an int to it."""
    return not isinstance(value, bool) and abs(value) < math.inf


ACCEPTS: dict[str, Callable[[Attribute, object], bool]] = {
    "string": accepts_text,
    "boolean": lambda attribute, value: isinstance(value, bool) or value in ("true", "false"),
    "integer": lambda attribute, value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda attribute, value: isinstance(value, int | float) and is_finite(value),
    "array": lambda attribute, value: isinstance(value, list),
}
