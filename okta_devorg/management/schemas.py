"""The user profile schema: Okta's own attributes, those of the profile form, and `profile_schema` of the policy."""

from flask import Request, Response

from okta_devorg.management.access import Json, not_found
from okta_devorg.policy.settings import SchemaAttribute
from okta_devorg.state.org import Org
from okta_devorg.wire.replies import json_reply

# Source: Okta's Management API, Schemas, "User profile base subschema".
BASE = (
    "login", "firstName", "lastName", "middleName", "honorificPrefix", "honorificSuffix", "email", "title",
    "displayName", "nickName", "profileUrl", "secondEmail", "mobilePhone", "primaryPhone", "streetAddress", "city",
    "state", "zipCode", "countryCode", "postalAddress", "preferredLanguage", "locale", "timezone", "userType",
    "employeeNumber", "costCenter", "organization", "division", "department", "managerId", "manager",
)  # fmt: skip
REQUIRED = ["login", "firstName", "lastName", "email"]


def get_schema(org: Org, request: Request, schema_id: str) -> Response:
    if schema_id != "default":
        raise not_found(schema_id, "UserSchema")
    at, url = org.clock.iso(org.started), f"{org.base}/api/v1/meta/schemas/user/default"
    parts: Json = {part: {"id": f"#{part}", "type": "object", "properties": {}} for part in ("base", "custom")}
    for name, item in attributes(org).items():
        parts["base" if name in BASE else "custom"]["properties"][name] = attribute_json(item, org)
    parts["base"]["required"] = REQUIRED
    head = {"id": url, "$schema": "http://json-schema.org/draft-04/schema#", "name": "user", "title": "User"}
    return json_reply({**head, "type": "object", "created": at, "lastUpdated": at, "definitions": parts})


def attributes(org: Org) -> dict[str, SchemaAttribute]:
    """By name. People may not change their own `login`, as Okta delivers it."""
    known = {name: SchemaAttribute(name) for name in (*BASE, *(item.name for item in org.policy.profile))}
    known["login"] = SchemaAttribute("login", permission="READ_ONLY")
    return known | {item.name: item for item in org.policy.profile_schema}


def attribute_json(item: SchemaAttribute, org: Org) -> Json:
    form = next((shown for shown in org.policy.profile if shown.name == item.name), None)
    shown: Json = {
        "title": form.label if form else item.name,
        "type": form.type if form else "string",
        "mutability": "READ_WRITE",
        "permissions": [{"principal": "SELF", "action": item.permission}],
        "master": {"type": item.source},
    }
    return {**shown, "sensitive": True} if item.sensitive else shown
