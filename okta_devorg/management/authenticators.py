"""The authenticators of the org, switched on and off in `authenticators` of the org's settings."""

from collections.abc import Callable

from flask import Request, Response

from okta_devorg.factors.catalogue import AUTHENTICATORS, Authenticator, authenticator_by_id
from okta_devorg.management.json_api import (
    api_body,
    is_activation,
    list_reply,
    not_found,
    object_at,
    require_known,
    validation_error,
    value_at,
)
from okta_devorg.management.links import lifecycle_link, link
from okta_devorg.state.okta_policies import with_patch
from okta_devorg.state.org import Org
from okta_devorg.wire.errors import ApiError
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

# Authenticators that only some orgs have.
OF_OTHERS = ("duo", "smart_card_idp", "external_idp")
# What Okta says.
ALWAYS_ACTIVE = "Api validation failed: api.authenticator.error.unsupported.active.deactivate"
IN_USE = (
    "Cannot modify/disable this authenticator because it is enabled in one or more policies. To continue, disable the "
    "authenticator in these policies."
)
NO_SUCH_AUTHENTICATOR = "Api validation failed: com.okta.services.factors.iface.dto.AuthenticatorCatalog"
NO_TELEPHONY = "You must have an active telephony inline hook to activate and use the Phone authenticator."
# Okta's limit for codes in mails.
LONGEST_MINUTES = 1440


def list_authenticators(org: Org, request: Request) -> Response:
    """GET authenticators: as in a real org, those that need another company only if they were set up."""
    items = (item for item in AUTHENTICATORS.values() if item.key not in OF_OTHERS or _is_active(org, item))
    return list_reply(org, request, [_authenticator_json(org, item) for item in items])


def get_authenticator(org: Org, request: Request, authenticator_id: str) -> Response:
    """GET authenticators/{id}.

    :raises ApiError: 404, if there is none.
    """
    return json_reply(_authenticator_json(org, _find_authenticator(authenticator_id)))


def set_authenticator_active(org: Org, request: Request, authenticator_id: str, change: str) -> Response:
    """POST authenticators/{id}/lifecycle/activate and deactivate. An activated one is optional.

    :raises ApiError: 404, if there is no such authenticator or change; 403, if a policy requires it; 400 for
        the password, which is always there, and for a phone that nothing sends texts to.
    """
    authenticator = _find_authenticator(authenticator_id)
    active = is_activation(change)
    if not active:
        _require_unused(org, authenticator)
    elif authenticator.key == "phone_number":
        _require_telephony(org)
    if _is_active(org, authenticator) != active:
        org.patch_policy({"authenticators": {authenticator.key: "optional" if active else "disabled"}})
    return json_reply(_authenticator_json(org, authenticator))


def replace_authenticator(org: Org, request: Request, authenticator_id: str) -> Response:
    """PUT authenticators/{id}: what it is for, and how long codes in mails are valid. Nothing else can be changed here.

    :raises ApiError: 404; 400, if a member is unknown, or for a phone that nothing sends texts to.
    :raises PolicyError: if a value is wrong.
    """
    authenticator, body = _find_authenticator(authenticator_id), api_body(request)
    shown = _authenticator_json(org, authenticator)
    require_known(body, shown)
    if authenticator.key == "phone_number":
        _require_telephony(org)
    settings = object_at(body, "settings")
    if "allowedFor" in settings and "allowedFor" in object_at(shown, "settings"):
        org.patch_policy({"recovery_only": _recovery_only(org, authenticator.key, settings["allowedFor"])})
    minutes = value_at(body, "settings", "tokenLifetimeInMinutes")
    if minutes is not None and value_at(shown, "settings", "tokenLifetimeInMinutes") is not None:
        if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= LONGEST_MINUTES:
            raise validation_error("settings.tokenLifetimeInMinutes: The field has an invalid value")
        org.patch_policy({"lifetimes": {"email_code": minutes * 60}})
    return json_reply(_authenticator_json(org, authenticator))


def create_authenticator(org: Org, request: Request) -> Response:
    """POST authenticators: add one that only some orgs have, by its `key`; active unless `activate=false`.

    :raises ApiError: 400, if there is no such authenticator, or the org has it already.
    """
    key = api_body(request).get("key")
    if key not in OF_OTHERS or _is_active(org, AUTHENTICATORS[key]):
        raise ApiError(400, "E0000001", NO_SUCH_AUTHENTICATOR, ("The field has an invalid value",))
    if request.args.get("activate") != "false":
        org.patch_policy({"authenticators": {key: "optional"}})
    return json_reply(_authenticator_json(org, AUTHENTICATORS[key]))


def list_methods(org: Org, request: Request, authenticator_id: str) -> Response:
    """GET authenticators/{id}/methods.

    :raises ApiError: 404, if there is no such authenticator.
    """
    authenticator = _find_authenticator(authenticator_id)
    return list_reply(org, request, [_method_json(org, authenticator, method) for method in authenticator.methods])


def get_method(org: Org, request: Request, authenticator_id: str, method: str) -> Response:
    """GET authenticators/{id}/methods/{method}.

    :raises ApiError: 404, if there is no such authenticator or method.
    """
    authenticator = _find_authenticator(authenticator_id)
    if method not in authenticator.methods:
        raise not_found(method, "AuthenticatorMethod")
    return json_reply(_method_json(org, authenticator, method))


def _find_authenticator(authenticator_id: str) -> Authenticator:
    authenticator = authenticator_by_id(authenticator_id)
    if authenticator is None:
        raise not_found(authenticator_id, "Authenticator")
    return authenticator


def _require_unused(org: Org, authenticator: Authenticator) -> None:
    if authenticator.key == "okta_password":
        raise ApiError(400, "E0000001", ALWAYS_ACTIVE)
    policies = [policy for policy in org.policies.of_type("MFA_ENROLL") if policy.active]
    using = [
        policy.name
        for policy in policies
        if getattr(with_patch(org.own_policy, policy.patch).authenticators, authenticator.key) == "required"
    ]
    if using:
        raise ApiError(403, "E0000148", IN_USE, (f"Authenticator Enrollment Policies: {', '.join(using)}",))


def _require_telephony(org: Org) -> None:
    if not org.policy.telephony:
        raise ApiError(400, "E0000226", NO_TELEPHONY)


def _recovery_only(org: Org, key: str, allowed_for: object) -> list[str]:
    """Return the setting `recovery_only` once the authenticator may be used for `allowed_for`."""
    if allowed_for not in ("any", "recovery"):
        raise validation_error("settings.allowedFor: The field has an invalid value")
    others: list[str] = [other for other in org.policy.recovery_only if other != key]
    return [*others, key] if allowed_for == "recovery" else others


def _is_active(org: Org, authenticator: Authenticator) -> bool:
    """Return whether the authenticator is switched on. The password always is: policies alone decide about it."""
    return org.policy.offers(authenticator.key) or authenticator.key == "okta_password"


def _authenticator_json(org: Org, authenticator: Authenticator) -> Json:
    at, href = org.clock.iso(org.started), f"{org.base}/api/v1/authenticators/{authenticator.id}"
    is_active, key = _is_active(org, authenticator), authenticator.key
    changes = {} if key == "okta_password" else lifecycle_link(href, is_active)
    enroll = {"enroll": link(f"{org.base}/#/settings", "GET")} if key == "okta_verify" else {}
    settings = SETTINGS.get(key)
    return {
        "type": authenticator.type,
        "id": authenticator.id,
        "key": key,
        "status": "ACTIVE" if is_active else "INACTIVE",
        "name": authenticator.label,
        "created": at,
        "lastUpdated": at,
        **({"settings": settings(org)} if settings else {}),
        "_links": {
            "self": link(href, "GET", "PUT"),
            "methods": link(href + "/methods", "GET"),
            **enroll,
            **changes,
        },
    }


def _method_json(org: Org, authenticator: Authenticator, method: str) -> Json:
    href = f"{org.base}/api/v1/authenticators/{authenticator.id}/methods/{method}"
    status = "ACTIVE" if _is_active(org, authenticator) else "INACTIVE"
    settings = {"settings": METHOD_SETTINGS[method]} if method in METHOD_SETTINGS else {}
    return {"type": method, "status": status, **settings, "_links": {"self": link(href, "GET")}}


TOTP: Json = {"timeIntervalInSeconds": 30, "encoding": "BASE32", "algorithm": "HMACSHA1", "passCodeLength": 6}
DEVICE_KEY: Json = {"algorithms": ["RS256", "ES256"], "keyProtection": "ANY"}
# By method.
METHOD_SETTINGS: dict[str, Json] = {
    "otp": TOTP,
    "push": {**DEVICE_KEY, "transactionTypes": ["LOGIN"]},
    "signed_nonce": {**DEVICE_KEY, "showSignInWithOV": "ALWAYS"},
    "totp": TOTP,
    "webauthn": {"attachment": "ANY", "userVerification": "DISCOURAGED"},
}
OKTA_VERIFY: Json = {
    "channelBinding": {"required": "HIGH_RISK_ONLY", "style": "NUMBER_CHALLENGE"},
    "compliance": {"fips": "OPTIONAL"},
    "userVerification": "PREFERRED",
    "userVerificationMethods": ["BIOMETRICS"],
    "appInstanceId": "0oaLocalOktaVerify01",
}


def _allowed_for(org: Org, key: str) -> str:
    return "recovery" if key in org.policy.recovery_only else "any"


# By key: the `settings` of an authenticator.
SETTINGS: dict[str, Callable[[Org], Json]] = {
    "okta_email": lambda org: {
        "allowedFor": _allowed_for(org, "okta_email"),
        "tokenLifetimeInMinutes": org.policy.lifetimes.email_code // 60,
    },
    "phone_number": lambda org: {"allowedFor": _allowed_for(org, "phone_number")},
    "security_question": lambda org: {"allowedFor": _allowed_for(org, "security_question")},
    "google_otp": lambda org: {},
    "okta_verify": lambda org: OKTA_VERIFY,
}
