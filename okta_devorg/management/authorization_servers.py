"""The custom authorization server `default`, with at most one access policy with at most one rule.

Whether they exist, and whether the rule allows the Interaction Code grant, are in `interaction_code` of the org's
settings. Nothing else about them can be changed.
"""

from flask import Request, Response

from okta_devorg.management.json_api import (
    api_body,
    list_at,
    list_reply,
    no_content,
    not_found,
    require_known,
    required_name,
    validation_error,
)
from okta_devorg.management.links import lifecycle_link, link
from okta_devorg.management.search import matching
from okta_devorg.oidc.authorization_request import SCOPES
from okta_devorg.state.org import Org
from okta_devorg.wire.errors import ApiError
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

SERVER_ID, POLICY_ID, RULE_ID = "default", "00pLocalServerPol001", "0prLocalServerRul001"
INTERACTION_CODE = "interaction_code"
OTHER_GRANTS = ["authorization_code", "implicit", "password"]
METADATA = ("oauth-authorization-server", "openid-configuration")
NO_RULE = {"access_rule": None, "server": False}


def list_servers(org: Org, request: Request) -> Response:
    """GET authorizationServers: by `filter`.

    :raises ApiError: 400, if the expression cannot be read.
    """
    return list_reply(org, request, matching([_server_json(org)], request.args.get("filter", "")))


def get_server(org: Org, request: Request, server_id: str) -> Response:
    """GET authorizationServers/{id}.

    :raises ApiError: 404, if there is none.
    """
    _require_server(server_id)
    return json_reply(_server_json(org))


def list_claims(org: Org, request: Request, server_id: str) -> Response:
    """GET authorizationServers/{id}/claims: the claims are fixed here, and none is special to this server.

    :raises ApiError: 404, if there is no such server.
    """
    _require_server(server_id)
    return list_reply(org, request, [])


def list_scopes(org: Org, request: Request, server_id: str) -> Response:
    """GET authorizationServers/{id}/scopes.

    :raises ApiError: 404, if there is no such server.
    """
    _require_server(server_id)
    return list_reply(org, request, [{"id": f"scpLocal{name}", "name": name, "system": True} for name in SCOPES])


def _require_server(server_id: str) -> None:
    if server_id != SERVER_ID:
        raise not_found(server_id, "AuthorizationServer")


def _server_href(org: Org) -> str:
    return f"{org.base}/api/v1/authorizationServers/{SERVER_ID}"


def _server_json(org: Org) -> Json:
    at, href = org.clock.iso(org.started), _server_href(org)
    metadata = [{"name": "default", "href": f"{org.issuer}/.well-known/{document}"} for document in METADATA]
    return {
        "id": SERVER_ID,
        "name": SERVER_ID,
        "description": "Default Authorization Server",
        "audiences": ["api://default"],
        "issuer": org.issuer,
        "issuerMode": "ORG_URL",
        "status": "ACTIVE",
        "default": True,
        "created": at,
        "lastUpdated": at,
        "credentials": {"signing": {"kid": org.key.kid, "rotationMode": "AUTO", "lastRotated": at, "nextRotation": at}},
        "_links": {
            "self": link(href, "GET"),
            "policies": link(href + "/policies", "GET", "POST"),
            "claims": link(href + "/claims", "GET"),
            "scopes": link(href + "/scopes", "GET"),
            "keys": link(href + "/credentials/keys", "GET"),
            "rotateKey": link(href + "/credentials/lifecycle/keyRotate", "POST"),
            "metadata": [{**item, "hints": {"allow": ["GET"]}} for item in metadata],
            **lifecycle_link(href, is_active=True),
        },
    }


# ---- the access policy


def list_policies(org: Org, request: Request, server_id: str) -> Response:
    """GET authorizationServers/{id}/policies.

    :raises ApiError: 404, if there is no such server.
    """
    _require_server(server_id)
    return list_reply(org, request, [_policy_json(org)] if org.policy.interaction_code.access_policy else [])


def create_policy(org: Org, request: Request, server_id: str) -> Response:
    """POST authorizationServers/{id}/policies.

    :raises ApiError: 404; 400, if the name is missing; 403, if there is a policy already.
    """
    _require_server(server_id)
    body = api_body(request)
    name = required_name(body)
    require_known(body, _policy_json(org))
    if org.policy.interaction_code.access_policy:
        raise ApiError(403, "E0000006", "This server has at most one access policy")
    org.patch_policy({"interaction_code": {"access_policy": name, **NO_RULE}})
    return json_reply(_policy_json(org), 201)


def get_policy(org: Org, request: Request, server_id: str, policy_id: str) -> Response:
    """GET authorizationServers/{id}/policies/{policy}.

    :raises ApiError: 404, if there is none.
    """
    _require_policy(org, server_id, policy_id)
    return json_reply(_policy_json(org))


def delete_policy(org: Org, request: Request, server_id: str, policy_id: str) -> Response:
    """DELETE authorizationServers/{id}/policies/{policy}.

    :raises ApiError: 404, if there is none.
    """
    _require_policy(org, server_id, policy_id)
    org.patch_policy({"interaction_code": {"access_policy": None, **NO_RULE}})
    return no_content()


def _require_policy(org: Org, server_id: str, policy_id: str) -> None:
    _require_server(server_id)
    if policy_id != POLICY_ID or not org.policy.interaction_code.access_policy:
        raise not_found(policy_id, "Policy")


def _policy_json(org: Org) -> Json:
    at, href = org.clock.iso(org.started), f"{_server_href(org)}/policies/{POLICY_ID}"
    return {
        "id": POLICY_ID,
        "type": "OAUTH_AUTHORIZATION_POLICY",
        "status": "ACTIVE",
        "name": org.policy.interaction_code.access_policy,
        "description": "For all apps",
        "priority": 1,
        "system": False,
        "conditions": {"clients": {"include": ["ALL_CLIENTS"]}},
        "created": at,
        "lastUpdated": at,
        "_links": {
            "self": link(href, "GET", "DELETE"),
            "rules": link(href + "/rules", "GET", "POST"),
            **lifecycle_link(href, is_active=True),
        },
    }


# ---- its rule


def list_rules(org: Org, request: Request, server_id: str, policy_id: str) -> Response:
    """GET authorizationServers/{id}/policies/{policy}/rules.

    :raises ApiError: 404, if there is no such policy.
    """
    _require_policy(org, server_id, policy_id)
    return list_reply(org, request, [_rule_json(org)] if org.policy.interaction_code.access_rule else [])


def create_rule(org: Org, request: Request, server_id: str, policy_id: str) -> Response:
    """POST authorizationServers/{id}/policies/{policy}/rules.

    :raises ApiError: 404; 400, if name or grants are missing; 403, if there is a rule already.
    """
    _require_policy(org, server_id, policy_id)
    if org.policy.interaction_code.access_rule:
        raise ApiError(403, "E0000006", "An access policy of this server has at most one rule")
    return _store_rule(org, api_body(request), 201)


def get_rule(org: Org, request: Request, server_id: str, policy_id: str, rule_id: str) -> Response:
    """GET authorizationServers/{id}/policies/{policy}/rules/{rule}.

    :raises ApiError: 404, if there is none.
    """
    _require_rule(org, server_id, policy_id, rule_id)
    return json_reply(_rule_json(org))


def replace_rule(org: Org, request: Request, server_id: str, policy_id: str, rule_id: str) -> Response:
    """PUT authorizationServers/{id}/policies/{policy}/rules/{rule}.

    :raises ApiError: 404; 400, if name or grants are missing.
    """
    _require_rule(org, server_id, policy_id, rule_id)
    return _store_rule(org, api_body(request), 200)


def delete_rule(org: Org, request: Request, server_id: str, policy_id: str, rule_id: str) -> Response:
    """DELETE authorizationServers/{id}/policies/{policy}/rules/{rule}.

    :raises ApiError: 404, if there is none.
    """
    _require_rule(org, server_id, policy_id, rule_id)
    org.patch_policy({"interaction_code": NO_RULE})
    return no_content()


def _require_rule(org: Org, server_id: str, policy_id: str, rule_id: str) -> None:
    _require_policy(org, server_id, policy_id)
    if rule_id != RULE_ID or not org.policy.interaction_code.access_rule:
        raise not_found(rule_id, "PolicyRule")


def _store_rule(org: Org, body: Json, status: int) -> Response:
    name = required_name(body)
    require_known(body, _rule_json(org), ("conditions.people", "actions.token.inlineHook"))
    grants = list_at(body, "conditions", "grantTypes", "include")
    if not grants:
        raise validation_error("conditions.grantTypes: The field cannot be left blank")
    org.patch_policy({"interaction_code": {"access_rule": name, "server": INTERACTION_CODE in grants}})
    return json_reply(_rule_json(org), status)


def _rule_json(org: Org) -> Json:
    at = org.clock.iso(org.started)
    href = f"{_server_href(org)}/policies/{POLICY_ID}/rules/{RULE_ID}"
    grants = [*OTHER_GRANTS, *([INTERACTION_CODE] if org.policy.interaction_code.server else [])]
    token = {
        "accessTokenLifetimeMinutes": org.policy.lifetimes.tokens // 60,
        "refreshTokenLifetimeMinutes": 0,
        "refreshTokenWindowMinutes": 10080,
    }
    return {
        "id": RULE_ID,
        "type": "RESOURCE_ACCESS",
        "status": "ACTIVE",
        "priority": 1,
        "name": org.policy.interaction_code.access_rule,
        "system": False,
        "conditions": {
            "people": {"users": {"exclude": []}, "groups": {"include": ["EVERYONE"]}},
            "grantTypes": {"include": grants},
            "scopes": {"include": ["*"]},
        },
        "actions": {"token": token},
        "created": at,
        "lastUpdated": at,
        "_links": {"self": link(href, "GET", "PUT", "DELETE"), **lifecycle_link(href, is_active=True)},
    }
