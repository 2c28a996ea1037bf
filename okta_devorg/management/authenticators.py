"""The authenticators of the org, switched on and off in `authenticators` of the org's settings."""

from flask import Request, Response

from okta_devorg.factors.catalogue import AUTHENTICATORS, Authenticator, authenticator_by_id
from okta_devorg.management.json_api import is_activation, list_reply, not_found
from okta_devorg.state.org import Org
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply


def list_authenticators(org: Org, request: Request) -> Response:
    """GET authenticators."""
    return list_reply(org, request, [_authenticator_json(org, item) for item in AUTHENTICATORS.values()])


def get_authenticator(org: Org, request: Request, authenticator_id: str) -> Response:
    """GET authenticators/{id}.

    :raises ApiError: 404, if there is none.
    """
    return json_reply(_authenticator_json(org, _find_authenticator(authenticator_id)))


def set_authenticator_active(org: Org, request: Request, authenticator_id: str, change: str) -> Response:
    """POST authenticators/{id}/lifecycle/activate and deactivate. An activated one is optional.

    :raises ApiError: 404, if there is no such authenticator or change.
    """
    authenticator = _find_authenticator(authenticator_id)
    active = is_activation(change)
    if _is_active(org, authenticator) != active:
        org.patch_policy({"authenticators": {authenticator.key: "optional" if active else "disabled"}})
    return json_reply(_authenticator_json(org, authenticator))


def list_methods(org: Org, request: Request, authenticator_id: str) -> Response:
    """GET authenticators/{id}/methods.

    :raises ApiError: 404, if there is no such authenticator.
    """
    authenticator = _find_authenticator(authenticator_id)
    status = "ACTIVE" if _is_active(org, authenticator) else "INACTIVE"
    return list_reply(org, request, [{"type": method, "status": status} for method in authenticator.methods])


def _find_authenticator(authenticator_id: str) -> Authenticator:
    authenticator = authenticator_by_id(authenticator_id)
    if authenticator is None:
        raise not_found(authenticator_id, "Authenticator")
    return authenticator


def _is_active(org: Org, authenticator: Authenticator) -> bool:
    return bool(getattr(org.policy.authenticators, authenticator.key) != "disabled")


def _authenticator_json(org: Org, authenticator: Authenticator) -> Json:
    at, href = org.clock.iso(org.started), f"{org.base}/api/v1/authenticators/{authenticator.id}"
    head: Json = {
        "type": authenticator.type,
        "id": authenticator.id,
        "key": authenticator.key,
        "name": authenticator.label,
    }
    if authenticator.key == "okta_email":
        minutes = org.policy.lifetimes.email_code // 60
        head["settings"] = {"allowedFor": "any", "tokenLifetimeInMinutes": minutes}
    return {
        **head,
        "status": "ACTIVE" if _is_active(org, authenticator) else "INACTIVE",
        "created": at,
        "lastUpdated": at,
        "_links": {"self": {"href": href}, "methods": {"href": href + "/methods"}},
    }
