"""The custom authorization server `default`: at most one access policy with one rule (`interaction_code` of the org's
policy). What can be changed is whether they are there, and Interaction Code among the rule's grants.
"""

from flask import Request, Response

from okta_devorg.management.access import Json, body_of, invalid, items, listing, no_content, not_found
from okta_devorg.management.search import matches
from okta_devorg.state.org import Org
from okta_devorg.wire.refusals import ApiError
from okta_devorg.wire.replies import json_reply

SERVER, POLICY, RULE = "default", "00pLocalServerPol001", "0prLocalServerRul001"
GRANT = "interaction_code"
NO_RULE = {"access_rule": None, "server": False}
OTHER_GRANTS = ["authorization_code", "implicit", "password"]


def list_servers(org: Org, request: Request) -> Response:
    expression = request.args.get("filter", "")
    servers = [server_json(org)]
    return listing(org, request, [item for item in servers if not expression or matches(expression, item)])


def get_server(org: Org, request: Request, server_id: str) -> Response:
    find(server_id)
    return json_reply(server_json(org))


def find(server_id: str) -> None:
    if server_id != SERVER:
        raise not_found(server_id, "AuthorizationServer")


def server_json(org: Org) -> Json:
    at, href = org.clock.iso(org.started), f"{org.base}/api/v1/authorizationServers/{SERVER}"
    head: Json = {
        "id": SERVER,
        "name": SERVER,
        "audiences": ["api://default"],
        "issuer": org.issuer,
        "issuerMode": "ORG_URL",
    }
    links = {"self": {"href": href}, "policies": {"href": href + "/policies"}}
    return {**head, "status": "ACTIVE", "created": at, "lastUpdated": at, "_links": links}


# ---- the access policy


def list_policies(org: Org, request: Request, server_id: str) -> Response:
    find(server_id)
    return listing(org, request, [policy_json(org)] if org.policy.interaction_code.access_policy else [])


def create_policy(org: Org, request: Request, server_id: str) -> Response:
    find(server_id)
    name = named(body_of(request))
    if org.policy.interaction_code.access_policy:
        raise ApiError(403, "E0000006", "This server has at most one access policy")
    org.patch_policy({"interaction_code": {"access_policy": name, **NO_RULE}})
    return json_reply(policy_json(org), 201)


def get_policy(org: Org, request: Request, server_id: str, policy_id: str) -> Response:
    find_policy(org, server_id, policy_id)
    return json_reply(policy_json(org))


def delete_policy(org: Org, request: Request, server_id: str, policy_id: str) -> Response:
    find_policy(org, server_id, policy_id)
    org.patch_policy({"interaction_code": {"access_policy": None, **NO_RULE}})
    return no_content()


def find_policy(org: Org, server_id: str, policy_id: str) -> None:
    find(server_id)
    if policy_id != POLICY or not org.policy.interaction_code.access_policy:
        raise not_found(policy_id, "Policy")


def named(body: Json) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise invalid("name: The field cannot be left blank")
    return name


def policy_json(org: Org) -> Json:
    at = org.clock.iso(org.started)
    head: Json = {"id": POLICY, "type": "OAUTH_AUTHORIZATION_POLICY", "status": "ACTIVE"}
    head["name"] = org.policy.interaction_code.access_policy
    conditions = {"clients": {"include": ["ALL_CLIENTS"]}}
    dates = {"created": at, "lastUpdated": at}
    return {**head, "description": "", "priority": 1, "system": False, "conditions": conditions, **dates}


# ---- its rule


def list_rules(org: Org, request: Request, server_id: str, policy_id: str) -> Response:
    find_policy(org, server_id, policy_id)
    return listing(org, request, [rule_json(org)] if org.policy.interaction_code.access_rule else [])


def create_rule(org: Org, request: Request, server_id: str, policy_id: str) -> Response:
    find_policy(org, server_id, policy_id)
    if org.policy.interaction_code.access_rule:
        raise ApiError(403, "E0000006", "An access policy of this server has at most one rule")
    return keep_rule(org, body_of(request), 201)


def get_rule(org: Org, request: Request, server_id: str, policy_id: str, rule_id: str) -> Response:
    find_rule(org, server_id, policy_id, rule_id)
    return json_reply(rule_json(org))


def replace_rule(org: Org, request: Request, server_id: str, policy_id: str, rule_id: str) -> Response:
    find_rule(org, server_id, policy_id, rule_id)
    return keep_rule(org, body_of(request), 200)


def delete_rule(org: Org, request: Request, server_id: str, policy_id: str, rule_id: str) -> Response:
    find_rule(org, server_id, policy_id, rule_id)
    org.patch_policy({"interaction_code": NO_RULE})
    return no_content()


def find_rule(org: Org, server_id: str, policy_id: str, rule_id: str) -> None:
    find_policy(org, server_id, policy_id)
    if rule_id != RULE or not org.policy.interaction_code.access_rule:
        raise not_found(rule_id, "PolicyRule")


def keep_rule(org: Org, body: Json, status: int) -> Response:
    name = named(body)
    grants = items(body, "conditions", "grantTypes", "include")
    if not grants:
        raise invalid("conditions.grantTypes: The field cannot be left blank")
    org.patch_policy({"interaction_code": {"access_rule": name, "server": GRANT in grants}})
    return json_reply(rule_json(org), status)


def rule_json(org: Org) -> Json:
    at = org.clock.iso(org.started)
    head: Json = {"id": RULE, "type": "RESOURCE_ACCESS", "status": "ACTIVE", "priority": 1}
    head["name"] = org.policy.interaction_code.access_rule
    conditions = {
        "people": {"users": {"include": [], "exclude": []}, "groups": {"include": ["EVERYONE"], "exclude": []}},
        "grantTypes": {"include": [*OTHER_GRANTS, *([GRANT] if org.policy.interaction_code.server else [])]},
        "scopes": {"include": ["*"]},
    }
    minutes = org.policy.lifetimes.tokens // 60
    actions = {"token": {"accessTokenLifetimeMinutes": minutes, "refreshTokenLifetimeMinutes": 0}}
    dates = {"created": at, "lastUpdated": at}
    return {**head, "system": False, "conditions": conditions, "actions": actions, **dates}
