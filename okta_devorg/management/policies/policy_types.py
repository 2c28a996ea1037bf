"""The types of policies: which settings each one shows and changes, and in which words."""

from collections.abc import Callable
from dataclasses import dataclass

from okta_devorg.factors.catalogue import AUTHENTICATORS
from okta_devorg.management.hooks import registration_hook_setting
from okta_devorg.management.json_api import list_at, object_at, validation_error, value_at
from okta_devorg.management.schemas import schema_attributes
from okta_devorg.policy.password_settings import PasswordPolicy
from okta_devorg.policy.serialization import to_json
from okta_devorg.policy.settings import Policy, SchemaAttribute
from okta_devorg.state.okta_policies import PolicyRule
from okta_devorg.state.org import Org
from okta_devorg.wire.ion import Json

REQUIREMENT_NAMES = {"required": "REQUIRED", "optional": "OPTIONAL", "disabled": "NOT_ALLOWED"}
REQUIREMENTS = {name: requirement for requirement, name in REQUIREMENT_NAMES.items()}
# Okta's SDK for Python does not know this authenticator and refuses a whole policy that names it.
UNKNOWN_TO_THE_SDK = ("smart_card_idp",)
PASSWORD_PARTS = ("complexity", "age", "lockout")
# Settings of `password.recovery` and their names in a rule.
SELF_SERVICE_ACTIONS = {"reset": "selfServicePasswordReset", "unlock": "selfServiceUnlock"}
# Names of recovery factors and the authenticators they stand for.
RECOVERY_FACTORS = {"okta_email": "okta_email", "okta_sms": "phone_number", "okta_call": "phone_number"}
ACCESS = ("ALLOW", "DENY")
SIGN_ON_MODES = {"1FA": "any_1_factor", "2FA": "password_and_another"}

Show = Callable[[Org, Policy], Json]
Read = Callable[[Org, Policy, Json], Json]


def _shows_nothing(org: Org, settings: Policy) -> Json:
    return {}


def _reads_nothing(org: Org, settings: Policy, body: Json) -> Json:
    return {}


def _people_conditions(rule: PolicyRule) -> Json | None:
    people = rule.conditions.to_json()
    return {"people": people} if people else None


def _network_conditions(rule: PolicyRule) -> Json:
    """Return the conditions of a rule that also has one about networks, which this org does not have."""
    nobody: Json = {kind: {"include": [], "exclude": []} for kind in ("users", "groups")}
    return {"people": nobody | rule.conditions.to_json(), "network": {"connection": "ANYWHERE"}}


def _sign_on_conditions(rule: PolicyRule) -> Json | None:
    if rule.system and not rule.conditions.to_json():
        return None
    return {**_network_conditions(rule), "riskScore": {"level": "ANY"}, "userType": {"include": [], "exclude": []}}


def _session_conditions(rule: PolicyRule) -> Json:
    people = {"users": {"exclude": list(rule.conditions.excluded_users)}}
    network = {"connection": "ANYWHERE"}
    return {
        "people": people,
        "network": network,
        "authContext": {"authType": "ANY"},
        "identityProvider": {"provider": "ANY"},
    }


@dataclass(frozen=True)
class PolicyType:
    """How policies of a type look, given the settings that hold under them.

    `settings` returns the members of a policy that are special to its type, `actions` and `rule_conditions` those of
    its rules.
    `read_settings` and `read_actions` return the patch of the settings that the body of a policy or rule asks for.
    """

    actions: Show
    settings: Show = _shows_nothing
    rule_conditions: Callable[[PolicyRule], Json | None] = _people_conditions
    read_settings: Read = _reads_nothing
    read_actions: Read = _reads_nothing


# ---- MFA_ENROLL: which authenticators users set up


def _enroll_settings(org: Org, settings: Policy) -> Json:
    requirements = to_json(settings.authenticators)
    promoted = {"webauthn": {"promotion": {"status": "ACTIVE"}}} if settings.passkey_promotion else {}
    authenticators = [
        {
            "key": key,
            "id": AUTHENTICATORS[key].id,
            "enroll": {"self": REQUIREMENT_NAMES[requirement], **promoted.get(key, {})},
        }
        for key, requirement in requirements.items()
        if key not in UNKNOWN_TO_THE_SDK
    ]
    return {"settings": {"type": "AUTHENTICATORS", "authenticators": authenticators}}


def _read_enroll_settings(org: Org, settings: Policy, body: Json) -> Json:
    keys, requirements = to_json(settings.authenticators), {}
    for item in list_at(body, "settings", "authenticators"):
        requirement = REQUIREMENTS.get(str(value_at(item, "enroll", "self")))
        if requirement and str(value_at(item, "key")) in keys:
            requirements[str(item["key"])] = requirement
    return {"authenticators": requirements}


def _enroll_actions(org: Org, settings: Policy) -> Json:
    return {"enroll": {"self": "CHALLENGE"}}


# ---- PASSWORD


def _password_settings(org: Org, settings: Policy) -> Json:
    password = {part: _without_none(to_json(getattr(settings.password, part))) for part in PASSWORD_PARTS}
    password["complexity"]["dictionary"] = {"common": {"exclude": settings.password.common_passwords}}
    password["age"]["expireWarnDays"] = 0
    password["lockout"]["userLockoutNotificationChannels"] = []
    password["breachedProtection"] = {
        "expireAfterDays": None,
        "logoutEnabled": False,
        "delegatedWorkflowId": None,
    }
    return {
        "settings": {
            "password": password,
            "recovery": {"factors": _recovery_factors(settings.password)},
            "delegation": {"options": {"skipUnlock": False}},
        }
    }


def _without_none(values: Json) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def _recovery_factors(policy: PasswordPolicy) -> Json:
    status = {
        key: "ACTIVE" if key in policy.recovery.authenticators else "INACTIVE" for key in ("okta_email", "phone_number")
    }
    question_status = "ACTIVE" if policy.recovery.security_question else "INACTIVE"
    return {
        "okta_email": {"status": status["okta_email"], "properties": {"recoveryToken": {}}},
        "okta_sms": {"status": status["phone_number"]},
        "okta_call": {"status": status["phone_number"]},
        "recovery_question": {"status": question_status, "properties": {"complexity": {}}},
    }


def _read_password_settings(org: Org, settings: Policy, body: Json) -> Json:
    sent, current = object_at(body, "settings", "password"), to_json(settings.password)
    patch: Json = {}
    for part in PASSWORD_PARTS:
        patch[part] = {key: value for key, value in object_at(sent, part).items() if key in current[part]}
    common = value_at(sent, "complexity", "dictionary", "common", "exclude")
    if isinstance(common, bool):
        patch["common_passwords"] = common
    factors = object_at(body, "settings", "recovery", "factors")
    if factors:
        active = {name for name in factors if value_at(factors, name, "status") == "ACTIVE"}
        authenticators = list(dict.fromkeys(key for name, key in RECOVERY_FACTORS.items() if name in active))
        patch["recovery"] = {"authenticators": authenticators, "security_question": "recovery_question" in active}
    return {"password": patch}


def _password_actions(org: Org, settings: Policy) -> Json:
    recovery = to_json(settings.password.recovery)
    access = {name: "ALLOW" if recovery[key] else "DENY" for key, name in SELF_SERVICE_ACTIONS.items()}
    actions: Json = {name: {"access": value} for name, value in {"passwordChange": "ALLOW", **access}.items()}
    methods = ["email" if key == "okta_email" else "sms" for key in settings.password.recovery.authenticators]
    question = settings.password.recovery.security_question
    actions["selfServicePasswordReset"]["requirement"] = {
        "accessControl": "LEGACY",
        "primary": {"methods": methods},
        "stepUp": {"required": question, **({"methods": ["security_question"]} if question else {})},
    }
    return actions


def _read_password_actions(org: Org, settings: Policy, body: Json) -> Json:
    access = {key: value_at(body, "actions", name, "access") for key, name in SELF_SERVICE_ACTIONS.items()}
    return {"password": {"recovery": {key: value == "ALLOW" for key, value in access.items() if value in ACCESS}}}


# ---- ACCESS_POLICY: what it takes to use an app


def _sign_on_actions(org: Org, settings: Policy) -> Json:
    mode = "2FA" if settings.sign_on == "password_and_another" else "1FA"
    method = {"type": "ASSURANCE", "factorMode": mode, "reauthenticateIn": "PT2H"}
    access = "DENY" if settings.sign_on == "denied" else "ALLOW"
    prompt = {"postAuth": "PROMPTED" if settings.keep_me_signed_in else "NOT_ALLOWED"}
    return {"appSignOn": {"access": access, "verificationMethod": method, "keepMeSignedIn": prompt}}


# ---- OKTA_SIGN_ON and IDP_DISCOVERY: only shown


def _session_actions(org: Org, settings: Policy) -> Json:
    minutes = settings.lifetimes.session // 60
    session = {"usePersistentCookie": False, "maxSessionIdleMinutes": minutes, "maxSessionLifetimeMinutes": minutes}
    return {
        "signon": {
            "access": "ALLOW",
            "requireFactor": False,
            "primaryFactor": "PASSWORD_IDP_ANY_FACTOR",
            "rememberDeviceByDefault": False,
            "session": session,
        }
    }


def _discovery_actions(org: Org, settings: Policy) -> Json:
    """Show no provider: Okta's SDK for Python does not know the type that stands for the org itself."""
    return {"idp": {"providers": [], "idpSelectionType": "SPECIFIC"}}


def _read_sign_on_actions(org: Org, settings: Policy, body: Json) -> Json:
    sign_on = object_at(body, "actions", "appSignOn")
    if sign_on.get("access") == "DENY":
        return {"sign_on": "denied"}
    mode = value_at(sign_on, "verificationMethod", "factorMode")
    return {"sign_on": SIGN_ON_MODES[mode]} if mode in SIGN_ON_MODES else {}


# ---- PROFILE_ENROLLMENT: who may sign up, and what is asked


def _sign_up_actions(org: Org, settings: Policy) -> Json:
    hook = settings.hooks.registration
    attributes = [{"name": item.name, "label": item.label, "required": item.required} for item in settings.profile]
    group = org.groups.find(settings.target_group) if settings.target_group else None
    return {
        "profileEnrollment": {
            "access": "ALLOW",
            "unknownUserAction": "REGISTER" if settings.sign_up else "DENY",
            "activationRequirements": {"emailVerification": settings.email_verification},
            "progressiveProfilingAction": "ENABLED" if settings.progressive_profile.attributes else "DISABLED",
            "profileAttributes": attributes,
            "allowedIdentifiers": list(settings.allowed_identifiers),
            "preRegistrationInlineHooks": [{"inlineHookId": hook.id}] if hook else None,
            "targetGroupIds": [group.id] if group else None,
            **({"enrollAuthenticatorTypes": ["password"]} if settings.password_on_form else {}),
        }
    }


def _read_sign_up_actions(org: Org, settings: Policy, body: Json) -> Json:
    sent = object_at(body, "actions", "profileEnrollment")
    patch: Json = {}
    if sent.get("unknownUserAction") in ("REGISTER", "DENY"):
        patch["sign_up"] = sent["unknownUserAction"] == "REGISTER"
    email_verification = value_at(sent, "activationRequirements", "emailVerification")
    if isinstance(email_verification, bool):
        patch["email_verification"] = email_verification
    if isinstance(sent.get("enrollAuthenticatorTypes"), list):
        patch["password_on_form"] = "password" in sent["enrollAuthenticatorTypes"]
    if isinstance(sent.get("allowedIdentifiers"), list):
        patch["allowed_identifiers"] = [_known_attribute(org, name) for name in sent["allowedIdentifiers"]]
    if isinstance(sent.get("targetGroupIds"), list):
        patch["target_group"] = next(iter(sent["targetGroupIds"]), None)
    if isinstance(sent.get("profileAttributes"), list):
        patch["profile"] = [_attribute_setting(org, settings, item) for item in sent["profileAttributes"]]
    if sent.get("preRegistrationInlineHooks") == []:
        patch["hooks"] = {"registration": None}
    for reference in list_at(sent, "preRegistrationInlineHooks"):
        hook_id = str(value_at(reference, "inlineHookId"))
        patch["hooks"] = {"registration": registration_hook_setting(org, hook_id)}
    return patch


def _attribute_setting(org: Org, settings: Policy, sent: object) -> Json:
    """Return an attribute of the profile form: the API knows three of its members, the others stay as they are."""
    current = {item.name: to_json(item) for item in settings.profile}
    members = {key: value_at(sent, key) for key in ("name", "label", "required")}
    name = _known_attribute(org, members["name"])
    new = {"name": name, "label": name, **_of_schema(schema_attributes(org)[name])}
    return {**current.get(name, new), **{key: value for key, value in members.items() if value is not None}}


def _of_schema(attribute: SchemaAttribute) -> Json:
    """Return what a new field of the form takes from the schema."""
    shared = to_json(attribute)
    values = {key: shared[key] for key in ("type", "minLength", "maxLength", "options")}
    return {**values, **({"label": attribute.title} if attribute.title else {})}


def _known_attribute(org: Org, name: object) -> str:
    if str(name) not in schema_attributes(org):
        raise validation_error(f"profileAttributes: {name} is not an attribute of the user profile")
    return str(name)


POLICY_TYPES = {
    "PROFILE_ENROLLMENT": PolicyType(_sign_up_actions, read_actions=_read_sign_up_actions),
    "MFA_ENROLL": PolicyType(_enroll_actions, _enroll_settings, read_settings=_read_enroll_settings),
    "ACCESS_POLICY": PolicyType(
        _sign_on_actions, rule_conditions=_sign_on_conditions, read_actions=_read_sign_on_actions
    ),
    "PASSWORD": PolicyType(
        _password_actions,
        _password_settings,
        _network_conditions,
        read_settings=_read_password_settings,
        read_actions=_read_password_actions,
    ),
    "OKTA_SIGN_ON": PolicyType(_session_actions, rule_conditions=_session_conditions),
    "IDP_DISCOVERY": PolicyType(_discovery_actions),
}
