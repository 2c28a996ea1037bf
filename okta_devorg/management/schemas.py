"""The user profile schema: Okta's own attributes, those of the forms, and `profile_schema` of the settings."""

from dataclasses import replace

from flask import Request, Response

from okta_devorg.factors.profile_form import ACCEPTS
from okta_devorg.management.json_api import not_found
from okta_devorg.management.user_documents import USER_TYPE
from okta_devorg.policy.settings import Attribute, SchemaAttribute
from okta_devorg.state.org import Org
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

# Okta's own attributes (Management API, Schemas, "User profile base subschema").
BASE_ATTRIBUTES = (
    "login", "firstName", "lastName", "middleName", "honorificPrefix", "honorificSuffix", "email", "title",
    "displayName", "nickName", "profileUrl", "secondEmail", "mobilePhone", "primaryPhone", "streetAddress", "city",
    "state", "zipCode", "countryCode", "postalAddress", "preferredLanguage", "locale", "timezone", "userType",
    "employeeNumber", "costCenter", "organization", "division", "department", "managerId", "manager",
)  # fmt: skip
# Further members of an attribute.
LENGTHS: dict[str, Json] = {
    "login": {"minLength": 5, "maxLength": 100},
    "firstName": {"minLength": 1, "maxLength": 50},
    "lastName": {"minLength": 1, "maxLength": 50},
    "email": {"format": "email"},
}
REQUIRED = ("login", "firstName", "lastName", "email")


def get_schema(org: Org, request: Request, schema_id: str) -> Response:
    """GET meta/schemas/user/default.

    :raises ApiError: 404, for another schema.
    """
    require_schema(schema_id)
    return json_reply(schema_json(org))


def require_schema(schema_id: str) -> None:
    """Refuse every schema but the one that there is.

    :raises ApiError: 404.
    """
    if schema_id != "default":
        raise not_found(schema_id, "UserSchema")


def schema_attributes(org: Org) -> dict[str, SchemaAttribute]:
    """Return all attributes by name. As in a real org, users may not change their own `login`."""
    attributes = {name: SchemaAttribute(name, required=name in REQUIRED) for name in BASE_ATTRIBUTES}
    attributes["login"] = replace(attributes["login"], permission="READ_ONLY")
    attributes |= {item.name: _of_field(item) for item in form_attributes(org) if item.name not in attributes}
    return attributes | {attribute.name: attribute for attribute in org.policy.profile_schema}


def accepts(attribute: SchemaAttribute, value: object) -> bool:
    """Return whether a user's attribute can have this value; no value fits always. Okta's own take any scalar here."""
    if value is None or attribute.name in BASE_ATTRIBUTES:
        return not isinstance(value, dict | list)
    field = Attribute(
        attribute.name,
        attribute.name,
        attribute.type,
        options=attribute.options,
        min_length=attribute.min_length,
        max_length=attribute.max_length,
    )
    return ACCEPTS[attribute.type](field, value)


def form_attributes(org: Org) -> tuple[Attribute, ...]:
    """Return the fields of the profile form and of the one that asks for more later."""
    return (*org.policy.profile, *org.policy.progressive_profile.attributes)


def _of_field(field: Attribute) -> SchemaAttribute:
    """Return the attribute that a field of a form stands for, if the settings have none of its name."""
    return SchemaAttribute(
        field.name,
        field.label,
        field.type,
        min_length=field.min_length,
        max_length=field.max_length,
        options=field.options,
    )


def schema_json(org: Org) -> Json:
    """Return the schema as the API shows it."""
    at, url = org.clock.iso(org.started), f"{org.base}/api/v1/meta/schemas/user/default"
    attributes = schema_attributes(org)
    custom = {name: attribute for name, attribute in attributes.items() if name not in BASE_ATTRIBUTES}
    parts = {"base": {name: attributes[name] for name in BASE_ATTRIBUTES}, "custom": custom}
    definitions = {
        part: {
            "id": f"#{part}",
            "type": "object",
            "properties": {name: attribute_json(org, attribute) for name, attribute in items.items()},
            "required": [name for name, attribute in items.items() if _is_required(attribute)],
        }
        for part, items in parts.items()
    }
    profile = {"profile": {"allOf": [{"$ref": "#/definitions/custom"}, {"$ref": "#/definitions/base"}]}}
    links = {
        "self": {"rel": "self", "href": url, "method": "GET"},
        "type": {"rel": "type", "href": f"{org.base}/api/v1/meta/types/user/{USER_TYPE}", "method": "GET"},
    }
    head = {
        "id": url,
        "$schema": "http://json-schema.org/draft-04/schema#",
        "name": "user",
        "title": "User",
        "description": "Okta user profile template with default permission settings",
        "lastUpdated": at,
        "created": at,
        "type": "object",
    }
    return {**head, "definitions": definitions, "properties": profile, "_links": links}


def attribute_json(org: Org, attribute: SchemaAttribute) -> Json:
    """Return an attribute as the API shows it."""
    field = next((item for item in form_attributes(org) if item.name == attribute.name), None)
    schema: Json = {
        "title": attribute.title or (field.label if field else attribute.name),
        **({"description": attribute.description} if attribute.description else {}),
        "type": attribute.type,
        **({"items": {"type": "string"}} if attribute.type == "array" else {}),
        **({"required": True} if _is_required(attribute) else {}),
        "mutability": "READ_WRITE",
        "scope": "NONE",
        **LENGTHS.get(attribute.name, {}),
        **({"minLength": attribute.min_length} if attribute.min_length is not None else {}),
        **({"maxLength": attribute.max_length} if attribute.max_length is not None else {}),
        "permissions": [{"principal": "SELF", "action": attribute.permission}],
        "master": {"type": attribute.source},
    }
    if attribute.options:
        schema["enum"] = [choice.value for choice in attribute.options]
        schema["oneOf"] = [{"const": choice.value, "title": choice.label} for choice in attribute.options]
    return {**schema, "sensitive": True} if attribute.sensitive else schema


def _is_required(attribute: SchemaAttribute) -> bool:
    return attribute.required or attribute.name in REQUIRED
