"""The user profile schema: adding, changing and removing attributes, and their validation in users and forms."""

from typing import Any

import pytest

from okta_devorg import OrgHandle
from okta_devorg.testing import OktaOrg
from support.local_org.management_api import ManagementApi
from support.local_org.org_journey import ADA, Journey

Json = dict[str, Any]
SCHEMA = "meta/schemas/user/default"
BOAT: Json = {"title": "Boat", "type": "string", "description": "Its name", "minLength": 2, "maxLength": 20}


def body(part: str = "custom", **attributes: Any) -> Json:
    return {"definitions": {part: {"id": f"#{part}", "type": "object", "properties": attributes}}}


def custom(document: Json) -> Json:
    properties: Json = document["definitions"]["custom"]["properties"]
    return properties


def ada(**more: Any) -> Json:
    return {"profile": {**ADA, "login": ADA["email"], **more}}


def test_an_attribute_can_be_added_changed_and_removed(api: ManagementApi) -> None:
    api("POST", "users", ada(boat="Kestrel"), status=400)
    created = custom(api("POST", SCHEMA, body(boat=BOAT)))["boat"]
    own = {"permissions": [{"principal": "SELF", "action": "READ_WRITE"}], "master": {"type": "PROFILE_MASTER"}}
    assert created == {**BOAT, "mutability": "READ_WRITE", "scope": "NONE", **own}
    user = api("POST", "users", ada(boat="Kestrel"))
    assert user["profile"]["boat"] == "Kestrel"
    hidden = {"permissions": [{"principal": "SELF", "action": "HIDE"}]}
    assert custom(api("POST", SCHEMA, body(boat=hidden)))["boat"] == {**created, **hidden}
    assert custom(api("POST", SCHEMA, body(boat=None))) == {}
    api("POST", "users", {"profile": {**ADA, "login": "g@example.com", "boat": "Kestrel"}}, status=400)
    api("POST", "users/" + user["id"], {"profile": {"nickName": "Ada"}})


@pytest.mark.parametrize(
    ("kind", "good", "wrong"),
    [
        ({"type": "string", "minLength": 2, "maxLength": 3}, ["ab", "abc"], ["a", "abcd", 7, ["ab"]]),
        ({"type": "integer"}, [0, -7], ["7", 1.5, True]),
        ({"type": "number"}, [0, 1.5], ["7", False]),
        ({"type": "boolean"}, [True, False], ["yes", 1]),
        ({"type": "array", "items": {"type": "string"}}, [["a"], []], ["a", [7], {}]),
        ({"type": "string", "oneOf": [{"const": "s", "title": "Small"}]}, ["s"], ["Small", "l", []]),
        ({"type": "string", "enum": ["s", "l"]}, ["s", "l"], ["m"]),
    ],
    ids=lambda item: item["type"] if isinstance(item, dict) else "",
)
def test_values_that_do_not_fit_the_schema_are_refused(
    api: ManagementApi, kind: Json, good: list[Any], wrong: list[Any]
) -> None:
    api("POST", SCHEMA, body(size={"title": "Size", **kind}))
    path = "users/" + api("POST", "users", ada())["id"]
    for value in good:
        assert api("POST", path, {"profile": {"size": value}})["profile"]["size"] == value
    for value in wrong:
        error = api("POST", path, {"profile": {"size": value}}, status=400)
        assert error["errorCauses"] == [{"errorSummary": "size: Does not match required pattern"}]


def test_a_user_without_a_required_attribute_is_refused(api: ManagementApi) -> None:
    schema = api("POST", SCHEMA, body(boat={**BOAT, "required": True}))
    assert schema["definitions"]["custom"]["required"] == ["boat"]
    error = api("POST", "users", ada(), status=400)
    assert error["errorCauses"] == [{"errorSummary": "boat: The field cannot be left blank"}]
    api("POST", "users", ada(boat="Kestrel"))


@pytest.mark.parametrize(
    "attributes",
    [
        {"boat": {"type": "string"}}, {"boat": {"title": "Boat"}}, {"boat": {**BOAT, "colour": "red"}}, {"boat": "x"},
        {"boat": {**BOAT, "type": "mail"}}, {"boat": {**BOAT, "minLength": "2"}}, {"my-boat": BOAT}, {"7": BOAT},
        {"boat": {**BOAT, "permissions": [{"principal": "SELF", "action": "ANY"}]}}, {"nickName": BOAT}, {"ship": None},
        {"email": None}, {"boat": {**BOAT, "oneOf": [7]}}, {"boat": {**BOAT, "enum": [7]}},
    ],
)  # fmt: skip
def test_an_invalid_attribute_is_refused_and_nothing_changes(
    org: OrgHandle, api: ManagementApi, attributes: Json
) -> None:
    assert api("POST", SCHEMA, body(**attributes), status=400)["errorCode"] == "E0000001"
    assert org.policy.profile_schema == ()


def test_the_type_of_an_attribute_cannot_be_changed(api: ManagementApi) -> None:
    api("POST", SCHEMA, body(boat=BOAT))
    error = api("POST", SCHEMA, body(boat={"type": "integer"}), status=400)
    assert error["errorCauses"] == [{"errorSummary": "boat: The type of an attribute cannot be changed"}]


def test_only_permissions_and_source_of_base_attributes_can_be_changed(api: ManagementApi) -> None:
    readable = {"permissions": [{"principal": "SELF", "action": "READ_ONLY"}], "master": {"type": "OKTA"}}
    changed = api("POST", SCHEMA, body("base", nickName=readable))["definitions"]["base"]["properties"]
    assert {key: changed["nickName"][key] for key in readable} == readable
    for change in ({"title": "Nick"}, {"maxLength": 3}, {"required": True}, {"type": "integer"}, None):
        api("POST", SCHEMA, body("base", nickName=change), status=400)
    api("POST", SCHEMA, body("base", boat=BOAT), status=400)
    whole = api("GET", SCHEMA)
    assert api("POST", SCHEMA, whole) == whole


def test_a_form_field_has_the_label_and_options_of_the_schema(
    org: OrgHandle, api: ManagementApi, journey: Journey
) -> None:
    sizes = [{"const": "s", "title": "Small"}, {"const": "l", "title": "Large"}]
    api("POST", SCHEMA, body(size={"title": "Size", "type": "string", "oneOf": sizes}))
    policy = api("GET", "policies", type="PROFILE_ENROLLMENT")[0]["id"]
    (rule,) = api("GET", f"policies/{policy}/rules")
    rule["actions"]["profileEnrollment"]["profileAttributes"].append({"name": "size"})
    api("PUT", f"policies/{policy}/rules/{rule['id']}", rule)
    journey.to_profile()
    field = journey.document["remediation"]["value"][0]["value"][0]["form"]["value"][-1]
    assert (field["label"], len(field["options"][0]["value"]["value"]["options"])) == ("Size", 2)
    in_use = api("POST", SCHEMA, body(size=None), status=400)
    assert in_use["errorCauses"] == [{"errorSummary": "size: A profile enrollment policy asks for the attribute"}]


def test_a_user_with_attributes_of_progressive_profiling_or_a_hook_can_be_updated(
    org: OrgHandle, api: ManagementApi
) -> None:
    org.patch_policy({"progressive_profile": {"attributes": [{"name": "ship", "label": "Ship"}]}})
    user = OktaOrg(org).sign_up(ship="Kestrel", fromHook="x")
    assert "ship" in custom(api("GET", SCHEMA))
    changed = api("POST", "users/" + user.id, {"profile": {"nickName": "Ada", "ship": "Swan"}})
    assert (changed["profile"]["ship"], changed["profile"]["fromHook"]) == ("Swan", "x")
