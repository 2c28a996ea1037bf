"""Small builders of ION documents (docs/protocol.md, section 3). Key order follows the recordings."""

from collections.abc import Iterable, Sequence
from typing import Any

Json = dict[str, Any]
ION = "application/ion+json; okta-version=1.0.0"
ACCEPTS = "application/json; okta-version=1.0.0"


def message(text: str, key: str | None = None, params: Sequence[object] | None = None, kind: str = "ERROR") -> Json:
    i18n: Json = {"key": key} if params is None else {"key": key, "params": list(params)}
    return {"message": text, **({"i18n": i18n} if key else {}), "class": kind}


def array(items: Iterable[Json]) -> Json:
    return {"type": "array", "value": list(items)}


def obj(value: Json) -> Json:
    return {"type": "object", "value": value}


def form(fields: Iterable[Json]) -> Json:
    return {"value": list(fields)}


def handle_field(state_handle: str) -> Json:
    return {"name": "stateHandle", "required": True, "value": state_handle, "visible": False, "mutable": False}


def fixed(name: str, value: str, required: bool) -> Json:
    return {"name": name, "required": required, "value": value, "mutable": False}


def action(name: str, href: str, fields: Iterable[Json], **more: Any) -> Json:
    """A form somebody may POST: a remediation, or an action such as cancel and resend."""
    relates = {"relatesTo": more.pop("relatesTo")} if "relatesTo" in more else {}
    head = {"rel": ["create-form"], "name": name, **relates, "href": href, "method": "POST", "produces": ION, **more}
    return {**head, "value": list(fields), "accepts": ACCEPTS}


def with_messages(fields: list[Json], path: Sequence[str], messages: list[Json]) -> list[Json]:
    """The fields with messages on the one at `path`; in every option of a choice of objects on the way."""
    return [hang(item, path[1:], messages) if item["name"] == path[0] else item for item in fields]


def hang(item: Json, rest: Sequence[str], messages: list[Json]) -> Json:
    if not rest:
        return {**item, "messages": array(messages)}
    if "form" in item:
        return {**item, "form": form(with_messages(item["form"]["value"], rest, messages))}
    options = [
        {**option, "value": {"form": form(with_messages(option["value"]["form"]["value"], rest, messages))}}
        for option in item.get("options", ())
    ]
    return {**item, "options": options}
