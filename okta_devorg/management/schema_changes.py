"""Changing the user profile schema: `profile_schema` of the settings."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Request, Response

from okta_devorg.management.json_api import (
    api_body,
    list_at,
    object_at,
    require_known,
    validation_error,
    value_at,
)
from okta_devorg.management.schemas import (
    BASE_ATTRIBUTES,
    attribute_json,
    form_attributes,
    require_schema,
    schema_attributes,
    schema_json,
)
from okta_devorg.policy.serialization import from_json, to_json
from okta_devorg.policy.settings import SchemaAttribute
from okta_devorg.state.org import Org
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

PROPERTIES = ("definitions.base.properties", "definitions.custom.properties")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What may be sent of a custom attribute. Those in `SAME_NAMES` are settings under the same name.
SAME_NAMES = ("title", "type", "description", "required", "minLength", "maxLength", "sensitive")
MEMBERS: Json = {
    **dict.fromkeys((*SAME_NAMES, "enum", "mutability", "scope")),
    "items": {"type": "string"},
    "master": {"type": "PROFILE_MASTER"},
    "oneOf": [{"const": None, "title": None}],
    "permissions": [{"principal": "SELF", "action": "READ_WRITE"}],
}


def update_schema(org: Org, request: Request, schema_id: str) -> Response:
    """POST meta/schemas/user/default: add custom attributes or change them; null removes one.

    Of Okta's own attributes only the permission and the source can be changed.

    :raises ApiError: 404, for another schema; 400, if a member is unknown or cannot be changed.
    :raises PolicyError: if a value is wrong.
    """
    require_schema(schema_id)
    body = api_body(request)
    require_known(body, schema_json(org), PROPERTIES)
    attributes = {attribute.name: attribute for attribute in org.policy.profile_schema}
    for name, sent in object_at(body, "definitions", "base", "properties").items():
        attributes[name] = _changed_base(org, name, sent)
    for name, sent in object_at(body, "definitions", "custom", "properties").items():
        if sent is not None:
            attributes[name] = _changed_custom(org, name, sent)
            continue
        _require_unused(org, name)
        attributes.pop(name, None)
    org.patch_policy({"profile_schema": [to_json(attribute) for attribute in attributes.values()]})
    return json_reply(schema_json(org))


def _changed_base(org: Org, name: str, sent: object) -> SchemaAttribute:
    if name not in BASE_ATTRIBUTES or not isinstance(sent, Mapping):
        raise validation_error(f"{name}: There is no such attribute in the base part of the schema")
    old = schema_attributes(org)[name]
    shown = attribute_json(org, old)
    others = {key: value for key, value in sent.items() if key not in ("permissions", "master") and value is not None}
    if any(shown.get(key, False) != value for key, value in others.items()):
        raise validation_error(f"{name}: Only permissions and master of this attribute can be changed")
    checked: SchemaAttribute = from_json(SchemaAttribute, {"name": name, **_origin(sent)}, name)
    return replace(old, **{key: getattr(checked, key) for key in _origin(sent)})


def _changed_custom(org: Org, name: str, sent: object) -> SchemaAttribute:
    """Return the attribute as the body of a request wants it; what is left out stays as it is."""
    if name in BASE_ATTRIBUTES or not NAME.fullmatch(name) or not isinstance(sent, Mapping):
        raise validation_error(f"{name}: There can be no such attribute in the custom part of the schema")
    require_known(sent, MEMBERS, path=name)
    old = schema_attributes(org).get(name)
    if old is None and not (sent.get("title") and sent.get("type")):
        raise validation_error(f"{name}: A new attribute needs a title and a type")
    if old is not None and sent.get("type", old.type) != old.type:
        raise validation_error(f"{name}: The type of an attribute cannot be changed")
    values = {key: sent[key] for key in SAME_NAMES if sent.get(key) is not None}
    choices = [{"label": value_at(item, "title"), "value": value_at(item, "const")} for item in list_at(sent, "oneOf")]
    choices = choices or [{"label": item, "value": item} for item in list_at(sent, "enum")]
    values |= {"options": choices} if choices else {}
    known = to_json(old or SchemaAttribute(name))
    changed: SchemaAttribute = from_json(SchemaAttribute, {**known, **values, **_origin(sent)}, name)
    return changed


def _origin(sent: Mapping[str, Any]) -> Json:
    """Return who may change the values of an attribute, and where they come from, as far as it was sent."""
    permission = next((value_at(item, "action") for item in list_at(sent, "permissions")), None)
    read = {"permission": permission, "source": value_at(sent, "master", "type")}
    return {key: value for key, value in read.items() if value is not None}


def _require_unused(org: Org, name: str) -> None:
    """Refuse to remove an attribute that a form asks for, and one that does not exist."""
    if name not in schema_attributes(org) or name in BASE_ATTRIBUTES:
        raise validation_error(f"{name}: There is no such attribute in the custom part of the schema")
    if any(attribute.name == name for attribute in form_attributes(org)):
        raise validation_error(f"{name}: A profile enrollment policy asks for the attribute")
