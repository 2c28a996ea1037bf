"""The user profile schema: Okta's own attributes, those of the profile form, and `profile_schema` of the settings."""

from flask import Request, Response

from okta_devorg.management.json_api import not_found
from okta_devorg.management.user_documents import USER_TYPE
from okta_devorg.policy.settings import SchemaAttribute
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
REQUIRED = ["login", "firstName", "lastName", "email"]


def get_schema(org: Org, request: Request, schema_id: str) -> Response:
    """GET meta/schemas/user/default.

    :raises ApiError: 404, for another schema.
    """
    if schema_id != "default":
        raise not_found(schema_id, "UserSchema")
    at, url = org.clock.iso(org.started), f"{org.base}/api/v1/meta/schemas/user/default"
    parts: Json = {
        part: {"id": f"#{part}", "type": "object", "properties": {}, "required": REQUIRED if part == "base" else []}
        for part in ("base", "custom")
    }
    for name, attribute in schema_attributes(org).items():
        part = "base" if name in BASE_ATTRIBUTES else "custom"
        parts[part]["properties"][name] = _attribute_json(org, attribute)
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
    return json_reply({**head, "definitions": parts, "properties": profile, "_links": links})


def schema_attributes(org: Org) -> dict[str, SchemaAttribute]:
    """Return all attributes by name. As in a real org, users may not change their own `login`."""
    names = (*BASE_ATTRIBUTES, *(attribute.name for attribute in org.policy.profile))
    attributes = {name: SchemaAttribute(name) for name in names}
    attributes["login"] = SchemaAttribute("login", permission="READ_ONLY")
    return attributes | {attribute.name: attribute for attribute in org.policy.profile_schema}


def _attribute_json(org: Org, attribute: SchemaAttribute) -> Json:
    form_field = next((item for item in org.policy.profile if item.name == attribute.name), None)
    schema: Json = {
        "title": form_field.label if form_field else attribute.name,
        "type": form_field.type if form_field else "string",
        **({"required": True} if attribute.name in REQUIRED else {}),
        "mutability": "READ_WRITE",
        "scope": "NONE",
        **LENGTHS.get(attribute.name, {}),
        "permissions": [{"principal": "SELF", "action": attribute.permission}],
        "master": {"type": attribute.source},
    }
    return {**schema, "sensitive": True} if attribute.sensitive else schema
