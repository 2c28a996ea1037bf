"""Authenticators of the org: which there are, and switching them on and off (`authenticators` of the policy)."""

from flask import Request, Response

from okta_devorg.factors.catalogue import AUTHENTICATORS, Authenticator, by_id
from okta_devorg.management.access import Json, listing, not_found
from okta_devorg.state.org import Org
from okta_devorg.wire.replies import json_reply


def find(authenticator_id: str) -> Authenticator:
    found = by_id(authenticator_id)
    if found is None:
        raise not_found(authenticator_id, "Authenticator")
    return found


def is_on(org: Org, item: Authenticator) -> bool:
    return bool(getattr(org.policy.authenticators, item.key) != "disabled")


def list_authenticators(org: Org, request: Request) -> Response:
    return listing(org, request, [shown(org, item) for item in AUTHENTICATORS.values()])


def get_authenticator(org: Org, request: Request, authenticator_id: str) -> Response:
    return json_reply(shown(org, find(authenticator_id)))


def set_active(org: Org, request: Request, authenticator_id: str, change: str) -> Response:
    item = find(authenticator_id)
    if change not in ("activate", "deactivate"):
        raise not_found(change, "Lifecycle")
    if is_on(org, item) != (change == "activate"):
        org.patch_policy({"authenticators": {item.key: "optional" if change == "activate" else "disabled"}})
    return json_reply(shown(org, item))


def list_methods(org: Org, request: Request, authenticator_id: str) -> Response:
    item = find(authenticator_id)
    status = "ACTIVE" if is_on(org, item) else "INACTIVE"
    return listing(org, request, [{"type": method, "status": status} for method in item.methods])


def shown(org: Org, item: Authenticator) -> Json:
    at, href = org.clock.iso(org.started), f"{org.base}/api/v1/authenticators/{item.id}"
    head: Json = {"type": item.type, "id": item.id, "key": item.key, "name": item.label}
    status = "ACTIVE" if is_on(org, item) else "INACTIVE"
    links = {"self": {"href": href}, "methods": {"href": href + "/methods"}}
    if item.key == "okta_email":
        minutes = org.policy.lifetimes.email_code // 60
        head["settings"] = {"allowedFor": "any", "tokenLifetimeInMinutes": minutes}
    return {**head, "status": status, "created": at, "lastUpdated": at, "_links": links}
