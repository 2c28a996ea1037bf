"""Policies and rules: views on the org's one policy. One policy of each type, with one rule."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Request, Response

from okta_devorg.org import Org
from okta_devorg.passwords import settings as password_settings
from okta_devorg.policy_json import write
from okta_devorg.refusals import ApiError
from okta_devorg.replies import json_reply

from .access import Json, body_of, items, listing, member, not_found, objects
from .apps import app_json
from .hooks import hook_by_id

SELF = {"required": "REQUIRED", "optional": "OPTIONAL", "disabled": "NOT_ALLOWED"}
REQUIREMENT = {value: key for key, value in SELF.items()}


@dataclass(frozen=True)
class View:
    """`settings` and `actions` show the org's policy; their `take_` halves change it from what was sent back."""

    type: str
    id: str
    rule_id: str
    name: str
    settings: Callable[[Org], Json]
    take_settings: Callable[[Org, Json], None]
    actions: Callable[[Org], Json]
    take_actions: Callable[[Org, Json], None]


def nothing(org: Org) -> Json:
    return {}


def take_nothing(org: Org, body: Json) -> None:
    """Nothing of it can be changed."""


# ---- MFA_ENROLL


def enroll_settings(org: Org) -> Json:
    levels = write(org.policy.authenticators)
    shown = [{"key": key, "enroll": {"self": SELF[level]}} for key, level in levels.items()]
    return {"settings": {"type": "AUTHENTICATORS", "authenticators": shown}}


def take_enroll_settings(org: Org, body: Json) -> None:
    known, levels = write(org.policy.authenticators), {}
    for item in items(body, "settings", "authenticators"):
        level = REQUIREMENT.get(str(member(item, "enroll", "self")))
        if level and str(member(item, "key")) in known:
            levels[str(item["key"])] = level
    org.patch_policy({"authenticators": levels})


def enroll_actions(org: Org) -> Json:
    return {"enroll": {"self": "CHALLENGE"}}


# ---- PASSWORD


def password_policy(org: Org) -> Json:
    recovery = {"factors": {"okta_email": {"status": "ACTIVE", "properties": {"recoveryToken": {}}}}}
    return {"settings": {"password": password_settings(org.policy.password), "recovery": recovery}}


def take_password_policy(org: Org, body: Json) -> None:
    given, known = objects(body, "settings", "password"), write(org.policy.password)
    patch = {}
    for part in ("complexity", "age"):
        values = objects(given, part)
        patch[part] = {key: value for key, value in values.items() if key in known[part]}
    org.patch_policy({"password": patch})


def password_actions(org: Org) -> Json:
    return {name: {"access": "ALLOW"} for name in ("passwordChange", "selfServicePasswordReset", "selfServiceUnlock")}


# ---- ACCESS_POLICY


def sign_on_actions(org: Org) -> Json:
    mode = "2FA" if org.policy.sign_on == "password_and_another" else "1FA"
    method = {"type": "ASSURANCE", "factorMode": mode, "reauthenticateIn": "PT2H", "constraints": []}
    return {"appSignOn": {"access": "ALLOW", "verificationMethod": method}}


def take_sign_on_actions(org: Org, body: Json) -> None:
    mode = member(body, "actions", "appSignOn", "verificationMethod", "factorMode")
    if mode in ("1FA", "2FA"):
        org.patch_policy({"sign_on": "password_and_another" if mode == "2FA" else "any_1_factor"})


# ---- PROFILE_ENROLLMENT


def enrollment_actions(org: Org) -> Json:
    policy, hook = org.policy, org.policy.hooks.registration
    attributes = [{"name": item.name, "label": item.label, "required": item.required} for item in policy.profile]
    group = org.groups.find(policy.target_group) if policy.target_group else None
    return {
        "profileEnrollment": {
            "access": "ALLOW",
            "unknownUserAction": "REGISTER" if policy.sign_up else "DENY",
            "activationRequirements": {"emailVerification": policy.email_verification},
            "progressiveProfilingAction": "ENABLED" if policy.progressive_profile.attributes else "DISABLED",
            "profileAttributes": attributes,
            "preRegistrationInlineHooks": [{"inlineHookId": hook.id}] if hook else None,
            "targetGroupIds": [group.id] if group else None,
            "enrollAuthenticatorTypes": ["password"] if policy.password_on_form else [],
            "uiSchemaId": None,
        }
    }


def take_enrollment_actions(org: Org, body: Json) -> None:
    given = objects(body, "actions", "profileEnrollment")
    patch: Json = {}
    if given.get("unknownUserAction") in ("REGISTER", "DENY"):
        patch["sign_up"] = given["unknownUserAction"] == "REGISTER"
    verification = member(given, "activationRequirements", "emailVerification")
    if isinstance(verification, bool):
        patch["email_verification"] = verification
    if isinstance(given.get("enrollAuthenticatorTypes"), list):
        patch["password_on_form"] = "password" in given["enrollAuthenticatorTypes"]
    if isinstance(given.get("targetGroupIds"), list):
        patch["target_group"] = next(iter(given["targetGroupIds"]), None)
    if isinstance(given.get("profileAttributes"), list):
        patch["profile"] = [attribute(org, item) for item in given["profileAttributes"]]
    if given.get("preRegistrationInlineHooks") == []:
        patch["hooks"] = {"registration": None}
    for reference in items(given, "preRegistrationInlineHooks"):
        patch["hooks"] = {"registration": hook_by_id(org, str(member(reference, "inlineHookId")))}
    org.patch_policy(patch)


def attribute(org: Org, given: object) -> Json:
    """What the SDK knows of an attribute, over what the org knows beyond it."""
    known = {item.name: write(item) for item in org.policy.profile}
    said = {key: member(given, key) for key in ("name", "label", "required")}
    name = str(said["name"])
    return {**known.get(name, {}), **{key: value for key, value in said.items() if value is not None}}


VIEWS = {
    view.id: view
    for view in (
        View("PROFILE_ENROLLMENT", "rstLocalProfileEnr01", "rulLocalProfileEnr01", "Default Policy",
             nothing, take_nothing, enrollment_actions, take_enrollment_actions),
        View("MFA_ENROLL", "00pLocalMfaEnroll001", "0prLocalMfaEnroll001", "Default Policy",
             enroll_settings, take_enroll_settings, enroll_actions, take_nothing),
        View("ACCESS_POLICY", "rstLocalAccessPol001", "rulLocalAccessPol001", "Any two factors",
             nothing, take_nothing, sign_on_actions, take_sign_on_actions),
        View("PASSWORD", "00pLocalPassword0001", "0prLocalPassword0001", "Default Policy",
             password_policy, take_password_policy, password_actions, take_nothing),
    )
}  # fmt: skip


def find(policy_id: str) -> View:
    if policy_id not in VIEWS:
        raise not_found(policy_id, "Policy")
    return VIEWS[policy_id]


def list_policies(org: Org, request: Request) -> Response:
    wanted = request.args.get("type")
    if wanted is None:
        raise ApiError(400, "E0000001", "Api validation failed: type", ("type: The field cannot be left blank",))
    return listing(org, request, [policy_json(org, view) for view in VIEWS.values() if view.type == wanted])


def get_policy(org: Org, request: Request, policy_id: str) -> Response:
    return json_reply(policy_json(org, find(policy_id)))


def replace_policy(org: Org, request: Request, policy_id: str) -> Response:
    view = find(policy_id)
    view.take_settings(org, body_of(request))
    org.record("policy.lifecycle.update", {"id": view.id, "type": "PolicyEntity", "displayName": view.name})
    return json_reply(policy_json(org, view))


def list_rules(org: Org, request: Request, policy_id: str) -> Response:
    return listing(org, request, [rule_json(org, find(policy_id))])


def find_rule(policy_id: str, rule_id: str) -> View:
    view = find(policy_id)
    if rule_id != view.rule_id:
        raise not_found(rule_id, "PolicyRule")
    return view


def get_rule(org: Org, request: Request, policy_id: str, rule_id: str) -> Response:
    return json_reply(rule_json(org, find_rule(policy_id, rule_id)))


def replace_rule(org: Org, request: Request, policy_id: str, rule_id: str) -> Response:
    view = find_rule(policy_id, rule_id)
    view.take_actions(org, body_of(request))
    org.record("policy.rule.update", {"id": view.rule_id, "type": "PolicyRule", "displayName": "Catch-all Rule"})
    return json_reply(rule_json(org, view))


def list_apps(org: Org, request: Request, policy_id: str) -> Response:
    find(policy_id)
    return listing(org, request, [app_json(org, app) for app in org.policy.apps])


def refuse_more(org: Org, request: Request, **ids: str) -> Response:
    """This org has one policy of each type and one rule in it: nothing can be added, deleted or switched off."""
    raise ApiError(403, "E0000006", "This org has exactly one policy of each type, with one rule")


def policy_json(org: Org, view: View) -> Json:
    at, href = org.clock.iso(org.started), f"{org.base}/api/v1/policies/{view.id}"
    head = {"id": view.id, "status": "ACTIVE", "name": view.name, "description": None, "priority": 1, "system": True}
    links = {"self": {"href": href}, "rules": {"href": href + "/rules"}}
    dates = {"created": at, "lastUpdated": at}
    return {**head, "conditions": None, **dates, "type": view.type, **view.settings(org), "_links": links}


def rule_json(org: Org, view: View) -> Json:
    at, href = org.clock.iso(org.started), f"{org.base}/api/v1/policies/{view.id}/rules/{view.rule_id}"
    head = {"id": view.rule_id, "status": "ACTIVE", "name": "Catch-all Rule", "priority": 99, "system": True}
    dates = {"created": at, "lastUpdated": at}
    links = {"self": {"href": href}}
    return {**head, "conditions": None, **dates, "type": view.type, "actions": view.actions(org), "_links": links}
