"""Builders for Ion documents, the JSON of Identity Engine (docs/protocol.md, section 3).

Keys are in the order in which recorded answers of real orgs have them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

# A JSON object, decoded.
Json = dict[str, Any]

ION_CONTENT_TYPE = "application/ion+json; okta-version=1.0.0"
ACCEPTS = "application/json; okta-version=1.0.0"


def message(text: str, key: str | None = None, params: Sequence[object] | None = None, kind: str = "ERROR") -> Json:
    """Return a message (docs/protocol.md, section 3.6).

    `key` and `params` become its `i18n` member, which is left out without a key; `kind` (`ERROR`, `INFO`) its `class`.
    """
    i18n: Json = {"key": key} if params is None else {"key": key, "params": list(params)}
    return {"message": text, **({"i18n": i18n} if key else {}), "class": kind}


def ion_array(items: Iterable[Json]) -> Json:
    """Return the items in Ion's wrapper for arrays."""
    return {"type": "array", "value": list(items)}


def ion_object(value: Json) -> Json:
    """Return the object in Ion's wrapper for objects."""
    return {"type": "object", "value": value}


def form(fields: Iterable[Json]) -> Json:
    """Return the value of a field's `form`: the fields nested in it."""
    return {"value": list(fields)}


def state_handle_field(state_handle: str) -> Json:
    """Return the hidden field that every remediation carries and every request must send back."""
    return {"name": "stateHandle", "required": True, "value": state_handle, "visible": False, "mutable": False}


def fixed_field(name: str, value: str, required: bool) -> Json:
    """Return a field whose value is set by the org and sent back unchanged."""
    return {"name": name, "required": required, "value": value, "mutable": False}


def action(name: str, href: str, fields: Iterable[Json], **more: Any) -> Json:
    """Return a form to POST (docs/protocol.md, section 3.2): a remediation, or an action such as cancel or resend.

    `more` are further members, such as `relatesTo` and `refresh`.
    """
    relates = {"relatesTo": more.pop("relatesTo")} if "relatesTo" in more else {}
    head = {
        "rel": ["create-form"],
        "name": name,
        **relates,
        "href": href,
        "method": "POST",
        "produces": ION_CONTENT_TYPE,
        **more,
    }
    return {**head, "value": list(fields), "accepts": ACCEPTS}


def with_field_messages(fields: list[Json], path: Sequence[str], messages: list[Json]) -> list[Json]:
    """Return the fields with `messages` on the one at `path`, a list of field names from the outside in.

    Where the path leads through a choice between objects, every option gets the messages (docs/protocol.md,
    section 3.6).
    """
    return [_add_messages(field, path[1:], messages) if field["name"] == path[0] else field for field in fields]


def _add_messages(field: Json, path: Sequence[str], messages: list[Json]) -> Json:
    if not path:
        return {**field, "messages": ion_array(messages)}
    if "form" in field:
        return {**field, "form": form(with_field_messages(field["form"]["value"], path, messages))}
    options = [
        {**option, "value": {"form": form(with_field_messages(option["value"]["form"]["value"], path, messages))}}
        for option in field.get("options", ())
    ]
    return {**field, "options": options}
