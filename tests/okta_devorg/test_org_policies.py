"""Policies and rules in addition to the defaults: for groups, for apps, and by priority."""

from typing import Any

import pytest
import requests

from okta_devorg import OrgHandle
from support.local_org.management_api import ManagementApi
from support.local_org.org_journey import ADA, CLIENT, PASSWORD, REDIRECT, SECRET, Journey

Json = dict[str, Any]
OTHER = {"client_id": "0oaOther", "client_secret": SECRET, "redirect_uris": [REDIRECT]}


@pytest.fixture
def staff(org: OrgHandle, api: ManagementApi, journey: Journey) -> str:
    """A group that contains Ada."""
    journey.signed_up()
    group = str(api("POST", "groups", {"profile": {"name": "Staff"}})["id"])
    api("PUT", f"groups/{group}/users/{org.users[0].id}", status=204)
    return group


def people(*groups: str) -> Json:
    return {"people": {"groups": {"include": list(groups)}}}


def two_factors(name: str, **more: Any) -> Json:
    method = {"type": "ASSURANCE", "factorMode": "2FA"}
    return {"name": name, "actions": {"appSignOn": {"access": "ALLOW", "verificationMethod": method}}, **more}


def default(api: ManagementApi, kind: str) -> str:
    policy: str = next(item for item in api("GET", "policies", type=kind) if item["system"])["id"]
    return policy


def test_a_rule_of_the_default_policy_applies_to_its_group(
    org: OrgHandle, api: ManagementApi, journey: Journey, staff: str
) -> None:
    rules = f"policies/{default(api, 'ACCESS_POLICY')}/rules"
    rule = api("POST", rules, two_factors("Staff", conditions=people(staff)))
    assert [item["name"] for item in api("GET", rules)] == ["Staff", "Catch-all Rule"]
    journey.sign_in()
    assert journey.steps == ["select-authenticator-authenticate"]
    assert org.policy.sign_on == "any_1_factor"
    api("POST", f"{rules}/{rule['id']}/lifecycle/deactivate", status=204)
    journey.sign_in()
    assert "successWithInteractionCode" in journey.document
    api("POST", f"{rules}/{rule['id']}/lifecycle/activate", status=204)
    api("DELETE", f"groups/{staff}/users/{org.users[0].id}", status=204)
    journey.sign_in()
    assert "successWithInteractionCode" in journey.document


def test_the_rule_with_the_higher_priority_is_applied(api: ManagementApi, journey: Journey, staff: str) -> None:
    rules = f"policies/{default(api, 'ACCESS_POLICY')}/rules"
    api("POST", rules, two_factors("Everybody"))
    api("POST", rules, two_factors("Staff", conditions=people(staff), priority=-1))
    denied = {"name": "Denying", "actions": {"appSignOn": {"access": "DENY"}}, "priority": -2}
    denying = api("POST", rules, {**denied, "conditions": people(staff)})
    assert denying["actions"]["appSignOn"]["access"] == "DENY"
    journey.sign_in()
    assert (journey.status, journey.keys) == (403, ["security.access_denied"])
    api("DELETE", f"{rules}/{denying['id']}", status=204)
    journey.sign_in()
    assert journey.steps == ["select-authenticator-authenticate"]


def test_an_access_policy_applies_to_its_apps(org: OrgHandle, api: ManagementApi, journey: Journey, staff: str) -> None:
    apps = api.http.get(org.base + "/_devorg/policy", timeout=60).json()["apps"]
    org.patch_policy({"apps": [*apps, OTHER]})
    policy = api("POST", "policies", {"type": "ACCESS_POLICY", "name": "Strict"})
    rule = api("GET", f"policies/{policy['id']}/rules")[0]
    assert rule["system"]
    api("PUT", f"policies/{policy['id']}/rules/{rule['id']}", two_factors("x"))
    api("PUT", f"apps/{OTHER['client_id']}/policies/{policy['id']}", status=204)
    assert [item["id"] for item in api("GET", f"policies/{policy['id']}/app")] == [OTHER["client_id"]]
    assert [item["id"] for item in api("GET", f"policies/{default(api, 'ACCESS_POLICY')}/app")] == [CLIENT]
    journey.begin(client_id="0oaOther").take("identify", identifier=ADA["email"], credentials={"passcode": PASSWORD})
    assert journey.steps == ["select-authenticator-authenticate"]
    journey.sign_in()
    assert "successWithInteractionCode" in journey.document


def test_an_app_can_have_its_own_profile_form(org: OrgHandle, api: ManagementApi, journey: Journey) -> None:
    policy = api("POST", "policies", {"type": "PROFILE_ENROLLMENT", "name": "Short"})
    rule = api("GET", f"policies/{policy['id']}/rules")[0]
    attributes = [{"name": "email", "label": "Your address", "required": True}]
    rule["actions"]["profileEnrollment"]["profileAttributes"] = attributes
    api("PUT", f"policies/{policy['id']}/rules/{rule['id']}", rule)
    api("PUT", f"apps/{CLIENT}/policies/{policy['id']}", status=204)
    journey.to_profile()
    form = journey.document["remediation"]["value"][0]["value"][0]["form"]["value"]
    assert [(field["name"], field["label"]) for field in form] == [("email", "Your address")]
    journey.enroll_profile(userProfile={"email": ADA["email"]})
    assert journey.steps[0] == "select-authenticator-enroll"
    assert len(org.policy.profile) == 3
    api("POST", f"policies/{policy['id']}/rules", {"name": "second"}, status=403)


def test_enrollment_and_password_policies_apply_to_their_group(
    org: OrgHandle, api: ManagementApi, journey: Journey, staff: str
) -> None:
    phone = [{"key": "phone_number", "enroll": {"self": "REQUIRED"}}]
    enroll = {"type": "MFA_ENROLL", "name": "Staff", "conditions": people(staff)}
    policy = api("POST", "policies", {**enroll, "settings": {"type": "AUTHENTICATORS", "authenticators": phone}})
    journey.sign_in()
    assert "successWithInteractionCode" in journey.document, "a policy without a rule must not apply"
    api("POST", f"policies/{policy['id']}/rules", {"name": "All of them"})
    journey.sign_in()
    assert (journey.steps, journey.offered) == (["select-authenticator-enroll"], ["Phone"])
    api("DELETE", f"policies/{policy['id']}", status=204)
    settings = {"password": {"complexity": {"minLength": 20}}}
    strict = {"type": "PASSWORD", "name": "Staff", "conditions": people(staff), "settings": settings}
    policy = api("POST", "policies", strict)
    api("POST", f"policies/{policy['id']}/rules", {"name": "All of them"})
    api("POST", f"users/{ADA['email']}/lifecycle/expire_password")
    journey.sign_in()
    shown = journey.document["currentAuthenticator"]["value"]["settings"]["complexity"]
    assert shown["minLength"] == 20
    journey.take("reenroll-authenticator", credentials={"passcode": "Another-horse-8"})
    assert journey.status == 400
    assert org.policy.password.complexity.min_length == 8


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ({"type": "IDP_DISCOVERY", "name": "x"}, "type"),
        ({"type": "PASSWORD"}, "name"),
        ({"type": "PASSWORD", "name": "Default Policy"}, "name"),
        ({"type": "PASSWORD", "name": "x", "settings": {"password": {"complexity": {"minLength": "long"}}}}, "Pass"),
    ],
)
def test_an_invalid_policy_is_refused(api: ManagementApi, body: Json, cause: str) -> None:
    error = api("POST", "policies", body, status=400)
    assert cause.lower() in str(error).lower()
    assert [len(api("GET", "policies", type=kind)) for kind in ("PASSWORD", "ACCESS_POLICY")] == [1, 1]


def test_default_policies_and_rules_cannot_be_deleted(api: ManagementApi) -> None:
    policy = default(api, "ACCESS_POLICY")
    rule = api("GET", f"policies/{policy}/rules")[0]["id"]
    assert api("DELETE", f"policies/{policy}", status=403)["errorCode"] == "E0000077"
    assert api("DELETE", f"policies/{policy}/rules/{rule}", status=403)["errorCode"] == "E0000077"
    api("POST", f"policies/{policy}/lifecycle/deactivate", status=403)


def test_settings_that_make_a_policy_invalid_are_refused(org: OrgHandle, api: ManagementApi, journey: Journey) -> None:
    org.patch_policy({"allowed_identifiers": ["login", "employeeNumber"]})
    policy = api("POST", "policies", {"type": "PROFILE_ENROLLMENT", "name": "Staff"})["id"]
    (rule,) = api("GET", f"policies/{policy}/rules")
    attributes = [{"name": "employeeNumber", "label": "Number", "required": True}]
    form = {"actions": {"profileEnrollment": {"profileAttributes": attributes}}}
    api("PUT", f"policies/{policy}/rules/{rule['id']}", form)
    api("PUT", f"apps/{CLIENT}/policies/{policy}", status=204)
    for method, body in (("PATCH", {"allowed_identifiers": ["login"]}), ("PUT", {})):
        refused = requests.request(method, org.base + "/_devorg/policy", json=body, timeout=60)
        assert (refused.status_code, "the policy “Staff” does not fit" in refused.json()["error"]) == (400, True)
    journey.to_profile()
    assert journey.status == 200
    api("GET", "policies", type="PROFILE_ENROLLMENT")
