"""Policies and rules: those of the org's own settings, and further ones for some people or apps."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import Request, Response

from okta_devorg.management.access import Json, body_of, invalid, items, listing, member, no_content, not_found, objects
from okta_devorg.management.apps import app_json
from okta_devorg.management.hooks import hook_by_id
from okta_devorg.management.schemas import attributes as schema_attributes
from okta_devorg.policy.serialization import write
from okta_devorg.policy.settings import PasswordPolicy, Policy
from okta_devorg.state.org import Org
from okta_devorg.state.policies import BY_APP, TYPES, Conditions, FurtherPolicy, Rule, merged, patched
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.refusals import ApiError
from okta_devorg.wire.replies import json_reply

SELF = {"required": "REQUIRED", "optional": "OPTIONAL", "disabled": "NOT_ALLOWED"}
REQUIREMENT = {value: key for key, value in SELF.items()}


@dataclass(frozen=True)
class View:
    """`settings` and `actions` show a policy; the `read_` halves make of what was sent back a patch of it."""

    settings: Callable[[Org, Policy], Json]
    read_settings: Callable[[Org, Policy, Json], Json]
    actions: Callable[[Org, Policy], Json]
    read_actions: Callable[[Org, Policy, Json], Json]


def nothing(org: Org, policy: Policy) -> Json:
    return {}


def read_nothing(org: Org, policy: Policy, body: Json) -> Json:
    """Nothing of it can be changed."""
    return {}


# ---- MFA_ENROLL


# Okta's own SDK knows no such key here and refuses the whole policy.
UNKNOWN = ("smart_card_idp",)


def enroll_settings(org: Org, policy: Policy) -> Json:
    levels = write(policy.authenticators)
    shown = [{"key": key, "enroll": {"self": SELF[level]}} for key, level in levels.items() if key not in UNKNOWN]
    return {"settings": {"type": "AUTHENTICATORS", "authenticators": shown}}


def read_enroll_settings(org: Org, policy: Policy, body: Json) -> Json:
    known, levels = write(policy.authenticators), {}
    for item in items(body, "settings", "authenticators"):
        level = REQUIREMENT.get(str(member(item, "enroll", "self")))
        if level and str(member(item, "key")) in known:
            levels[str(item["key"])] = level
    return {"authenticators": levels}


def enroll_actions(org: Org, policy: Policy) -> Json:
    return {"enroll": {"self": "CHALLENGE"}}


# ---- PASSWORD


def password_policy(org: Org, policy: Policy) -> Json:
    password = {part: write(getattr(policy.password, part)) for part in PASSWORD_PARTS}
    return {"settings": {"password": password, "recovery": {"factors": recovery_factors(policy.password)}}}


def recovery_factors(policy: PasswordPolicy) -> Json:
    """Mail, texts and calls, and the question beside them, in the words of the API."""
    on = {
        key: "ACTIVE" if key in policy.recovery.authenticators else "INACTIVE" for key in ("okta_email", "phone_number")
    }
    question = "ACTIVE" if policy.recovery.security_question else "INACTIVE"
    return {
        "okta_email": {"status": on["okta_email"], "properties": {"recoveryToken": {}}},
        "okta_sms": {"status": on["phone_number"]},
        "okta_call": {"status": on["phone_number"]},
        "recovery_question": {"status": question, "properties": {"complexity": {"minLength": 4}}},
    }


def read_password_policy(org: Org, policy: Policy, body: Json) -> Json:
    given, known = objects(body, "settings", "password"), write(policy.password)
    patch = {}
    for part in PASSWORD_PARTS:
        values = objects(given, part)
        patch[part] = {key: value for key, value in values.items() if key in known[part]}
    factors = objects(body, "settings", "recovery", "factors")
    active = {name for name in factors if member(factors, name, "status") == "ACTIVE"}
    if factors:
        named = {"okta_email": "okta_email", "okta_sms": "phone_number", "okta_call": "phone_number"}
        authenticators = list(dict.fromkeys(key for name, key in named.items() if name in active))
        patch["recovery"] = {"authenticators": authenticators, "security_question": "recovery_question" in active}
    return {"password": patch}


PASSWORD_PARTS = ("complexity", "age", "lockout")
SELF_SERVICE = {"reset": "selfServicePasswordReset", "unlock": "selfServiceUnlock"}


def password_actions(org: Org, policy: Policy) -> Json:
    recovery = write(policy.password.recovery)
    access = {name: "ALLOW" if recovery[key] else "DENY" for key, name in SELF_SERVICE.items()}
    return {name: {"access": value} for name, value in {"passwordChange": "ALLOW", **access}.items()}


def read_password_actions(org: Org, policy: Policy, body: Json) -> Json:
    given = {key: member(body, "actions", name, "access") for key, name in SELF_SERVICE.items()}
    said = {key: value == "ALLOW" for key, value in given.items() if value in ("ALLOW", "DENY")}
    return {"password": {"recovery": said}}


# ---- ACCESS_POLICY


def sign_on_actions(org: Org, policy: Policy) -> Json:
    mode = "2FA" if policy.sign_on == "password_and_another" else "1FA"
    method = {"type": "ASSURANCE", "factorMode": mode, "reauthenticateIn": "PT2H", "constraints": []}
    access = "DENY" if policy.sign_on == "denied" else "ALLOW"
    return {"appSignOn": {"access": access, "verificationMethod": method}}


def read_sign_on_actions(org: Org, policy: Policy, body: Json) -> Json:
    given = objects(body, "actions", "appSignOn")
    mode = member(given, "verificationMethod", "factorMode")
    if given.get("access") == "DENY":
        return {"sign_on": "denied"}
    return {"sign_on": MODES[mode]} if mode in MODES else {}


MODES = {"1FA": "any_1_factor", "2FA": "password_and_another"}


# ---- PROFILE_ENROLLMENT


def enrollment_actions(org: Org, policy: Policy) -> Json:
    hook = policy.hooks.registration
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


def read_enrollment_actions(org: Org, policy: Policy, body: Json) -> Json:
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
        patch["profile"] = [attribute(org, policy, item) for item in given["profileAttributes"]]
    if given.get("preRegistrationInlineHooks") == []:
        patch["hooks"] = {"registration": None}
    for reference in items(given, "preRegistrationInlineHooks"):
        patch["hooks"] = {"registration": hook_by_id(org, str(member(reference, "inlineHookId")))}
    return patch


def attribute(org: Org, policy: Policy, given: object) -> Json:
    """What the SDK knows of an attribute, over what the org knows beyond it."""
    known = {item.name: write(item) for item in policy.profile}
    said = {key: member(given, key) for key in ("name", "label", "required")}
    name = str(said["name"])
    if name not in schema_attributes(org):
        raise invalid(f"profileAttributes: {name} is not an attribute of the user profile")
    return {**known.get(name, {}), **{key: value for key, value in said.items() if value is not None}}


VIEWS = {
    "PROFILE_ENROLLMENT": View(nothing, read_nothing, enrollment_actions, read_enrollment_actions),
    "MFA_ENROLL": View(enroll_settings, read_enroll_settings, enroll_actions, read_nothing),
    "ACCESS_POLICY": View(nothing, read_nothing, sign_on_actions, read_sign_on_actions),
    "PASSWORD": View(password_policy, read_password_policy, password_actions, read_password_actions),
}


# ---- policies


def find(org: Org, policy_id: str) -> FurtherPolicy:
    if policy_id not in org.policies.by_id:
        raise not_found(policy_id, "Policy")
    return org.policies.by_id[policy_id]


def shown(org: Org, policy: FurtherPolicy, rule: Rule | None = None) -> Policy:
    """The settings as they are under this policy, and this rule."""
    found = patched(org.own_policy, policy.patch)
    return patched(found, rule.patch) if rule else found


def list_policies(org: Org, request: Request) -> Response:
    wanted = request.args.get("type")
    if wanted is None:
        raise ApiError(400, "E0000001", "Api validation failed: type", ("type: The field cannot be left blank",))
    return listing(org, request, [policy_json(org, policy) for policy in org.policies.of_type(wanted)])


def create_policy(org: Org, request: Request) -> Response:
    body = body_of(request)
    kind, name = body.get("type"), body.get("name")
    if kind not in TYPES:
        raise invalid("type: The policy type is not supported by this org")
    if not isinstance(name, str) or not name:
        raise invalid("name: The field cannot be left blank")
    if any(item.name == name for item in org.policies.of_type(kind)):
        raise invalid("name: A policy with this name already exists")
    patch = checked(org, VIEWS[kind].read_settings(org, org.own_policy, body))
    more = {"patch": patch, "conditions": conditions(body), "description": text(body.get("description"))}
    active = request.args.get("activate", "true") != "false"
    policy = org.policies.add(kind, name, org.clock.now(), active=active, **more)
    log(org, "policy.lifecycle.create", policy)
    return json_reply(policy_json(org, policy))


def checked(org: Org, patch: Json) -> Json:
    """Raises PolicyError for a patch that makes no sense."""
    patched(org.own_policy, patch)
    return patch


def text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def conditions(body: Json) -> Conditions:
    """`people` of a policy or a rule: groups and users, included and left out."""
    people = objects(body, "conditions", "people")
    return Conditions(
        ids(people, "users", "include"),
        ids(people, "groups", "include"),
        ids(people, "users", "exclude"),
        ids(people, "groups", "exclude"),
    )


def ids(people: Json, *path: str) -> tuple[str, ...]:
    return tuple(str(item) for item in items(people, *path))


def get_policy(org: Org, request: Request, policy_id: str) -> Response:
    return json_reply(policy_json(org, find(org, policy_id)))


def replace_policy(org: Org, request: Request, policy_id: str) -> Response:
    policy, body = find(org, policy_id), body_of(request)
    patch = VIEWS[policy.type].read_settings(org, shown(org, policy), body)
    if policy.system:
        org.patch_policy(patch)
    else:
        priority = body.get("priority")
        policy = org.policies.keep(
            replace(
                policy,
                name=text(body.get("name")) or policy.name,
                description=text(body.get("description")) or policy.description,
                priority=priority if isinstance(priority, int) else policy.priority,
                conditions=conditions(body) if "conditions" in body else policy.conditions,
                patch=checked(org, merged(policy.patch, patch)),
            )
        )
    log(org, "policy.lifecycle.update", policy)
    return json_reply(policy_json(org, policy))


def delete_policy(org: Org, request: Request, policy_id: str) -> Response:
    policy = find(org, policy_id)
    forbid_system(policy)
    del org.policies.by_id[policy.id]
    log(org, "policy.lifecycle.delete", policy)
    return no_content()


def set_policy_active(org: Org, request: Request, policy_id: str, change: str) -> Response:
    policy = find(org, policy_id)
    forbid_system(policy)
    org.policies.keep(replace(policy, active=switched(change)))
    return no_content()


def switched(change: str) -> bool:
    if change not in ("activate", "deactivate"):
        raise not_found(change, "Lifecycle")
    return change == "activate"


def forbid_system(what: FurtherPolicy | Rule) -> None:
    if what.system:
        raise ApiError(403, "E0000077", "Cannot modify or delete a system policy or rule")


def list_apps(org: Org, request: Request, policy_id: str) -> Response:
    """Those assigned to it; to a default all that have no other of its type."""
    policy = find(org, policy_id)
    elsewhere = {app for item in org.policies.of_type(policy.type) for app in item.apps}
    apps = [app for app in org.policy.apps if app.client_id in policy.apps]
    if policy.system:
        apps = [app for app in org.policy.apps if app.client_id not in elsewhere]
    return listing(org, request, [app_json(org, app) for app in apps])


def assign_app(org: Org, request: Request, app_id: str, policy_id: str) -> Response:
    """The app's access policy, or its user profile policy."""
    policy = find(org, policy_id)
    if org.policy.app(app_id) is None:
        raise not_found(app_id, "AppInstance")
    if policy.type not in BY_APP:
        raise invalid("policyId: A policy of this type is not assigned to apps")
    org.policies.assign(policy, app_id)
    return no_content()


# ---- rules


def find_rule(org: Org, policy_id: str, rule_id: str) -> tuple[FurtherPolicy, Rule]:
    policy = find(org, policy_id)
    rule = next((item for item in policy.rules if item.id == rule_id), None)
    if rule is None:
        raise not_found(rule_id, "PolicyRule")
    return policy, rule


def list_rules(org: Org, request: Request, policy_id: str) -> Response:
    policy = find(org, policy_id)
    return listing(org, request, [rule_json(org, policy, rule) for rule in policy.rules])


def create_rule(org: Org, request: Request, policy_id: str) -> Response:
    policy, body = find(org, policy_id), body_of(request)
    if policy.type == "PROFILE_ENROLLMENT":
        raise ApiError(403, "E0000006", "A user profile policy has exactly one rule")
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise invalid("name: The field cannot be left blank")
    patch = checked(org, VIEWS[policy.type].read_actions(org, shown(org, policy), body))
    place = len([item for item in policy.rules if not item.system])
    priority = body["priority"] if isinstance(body.get("priority"), int) else place
    rule = Rule(new_id("0pr"), name, priority, org.clock.now(), patch, conditions(body))
    return keep_rule(org, policy, rule, "policy.rule.add")


def keep_rule(org: Org, policy: FurtherPolicy, rule: Rule, event: str) -> Response:
    policy = org.policies.keep_rule(policy, rule)
    org.record(event, {"id": rule.id, "type": "PolicyRule", "displayName": rule.name})
    return json_reply(rule_json(org, policy, rule))


def get_rule(org: Org, request: Request, policy_id: str, rule_id: str) -> Response:
    return json_reply(rule_json(org, *find_rule(org, policy_id, rule_id)))


def replace_rule(org: Org, request: Request, policy_id: str, rule_id: str) -> Response:
    policy, rule = find_rule(org, policy_id, rule_id)
    body = body_of(request)
    patch = VIEWS[policy.type].read_actions(org, shown(org, policy, rule), body)
    if policy.system and rule.system:
        org.patch_policy(patch)
    else:
        rule = replace(rule, patch=checked(org, merged(rule.patch, patch)))
    if not rule.system:
        rule = replace(rule, name=text(body.get("name")) or rule.name)
        rule = replace(rule, conditions=conditions(body) if "conditions" in body else rule.conditions)
    return keep_rule(org, policy, rule, "policy.rule.update")


def delete_rule(org: Org, request: Request, policy_id: str, rule_id: str) -> Response:
    policy, rule = find_rule(org, policy_id, rule_id)
    forbid_system(rule)
    org.policies.keep(replace(policy, rules=tuple(item for item in policy.rules if item.id != rule.id)))
    org.record("policy.rule.delete", {"id": rule.id, "type": "PolicyRule", "displayName": rule.name})
    return no_content()


def set_rule_active(org: Org, request: Request, policy_id: str, rule_id: str, change: str) -> Response:
    policy, rule = find_rule(org, policy_id, rule_id)
    forbid_system(rule)
    org.policies.keep_rule(policy, replace(rule, active=switched(change)))
    return no_content()


# ---- JSON


def log(org: Org, event: str, policy: FurtherPolicy) -> None:
    org.record(event, {"id": policy.id, "type": "PolicyEntity", "displayName": policy.name})


def policy_json(org: Org, policy: FurtherPolicy) -> Json:
    href = f"{org.base}/api/v1/policies/{policy.id}"
    links = {"self": {"href": href}, "rules": {"href": href + "/rules"}}
    head = {**head_json(org, policy), "description": policy.description}
    return {**head, "type": policy.type, **VIEWS[policy.type].settings(org, shown(org, policy)), "_links": links}


def rule_json(org: Org, policy: FurtherPolicy, rule: Rule) -> Json:
    href = f"{org.base}/api/v1/policies/{policy.id}/rules/{rule.id}"
    actions = VIEWS[policy.type].actions(org, shown(org, policy, rule))
    return {**head_json(org, rule), "type": policy.type, "actions": actions, "_links": {"self": {"href": href}}}


def head_json(org: Org, what: FurtherPolicy | Rule) -> Json:
    at, named = org.clock.iso(what.created), people_json(what.conditions)
    return {
        "id": what.id,
        "status": "ACTIVE" if what.active else "INACTIVE",
        "name": what.name,
        "priority": 1 if what.system and isinstance(what, FurtherPolicy) else what.priority,
        "system": what.system,
        "conditions": {"people": named} if named else None,
        "created": at,
        "lastUpdated": at,
    }


def people_json(named: Conditions) -> Json:
    users = {"include": list(named.users), "exclude": list(named.not_users)}
    groups = {"include": list(named.groups), "exclude": list(named.not_groups)}
    parts = {"users": users, "groups": groups}
    return {key: value for key, value in parts.items() if value["include"] or value["exclude"]}
