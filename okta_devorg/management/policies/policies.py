"""Policies."""

from dataclasses import replace

from flask import Request, Response

from okta_devorg.management.app_documents import app_json
from okta_devorg.management.apps import find_app
from okta_devorg.management.json_api import (
    api_body,
    is_activation,
    list_reply,
    no_content,
    require_known,
    required_name,
    validation_error,
)
from okta_devorg.management.links import link
from okta_devorg.management.policies.common import (
    checked_patch,
    find_policy,
    priority_in,
    read_conditions,
    require_changeable,
    settings_under,
    text_or_none,
)
from okta_devorg.management.policies.documents import policy_json
from okta_devorg.management.policies.policy_types import POLICY_TYPES
from okta_devorg.policy.serialization import merged
from okta_devorg.policy.settings import App
from okta_devorg.state.okta_policies import POLICY_TYPE_NAMES, TYPES_ASSIGNED_TO_APPS, OktaPolicy
from okta_devorg.state.org import Org
from okta_devorg.wire.errors import ApiError
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

# Members that the API knows and does not show of every policy.
MAY_BE_SENT = (
    "description", "conditions", "settings.password.complexity.maxConsecutiveRepeatingCharacters",
    "settings.password.complexity.excludeAttributes", "settings.recovery.factors", "settings.authenticators",
)  # fmt: skip


def list_policies(org: Org, request: Request) -> Response:
    """GET policies?type=.

    :raises ApiError: 400, without a type or with an unknown one.
    """
    policy_type = request.args.get("type")
    if policy_type is None:
        raise validation_error("type: The field cannot be left blank")
    if policy_type not in POLICY_TYPES:
        raise validation_error("type: The policy type is not supported by this org")
    return list_reply(org, request, [policy_json(org, policy) for policy in org.policies.of_type(policy_type)])


def create_policy(org: Org, request: Request) -> Response:
    """POST policies: active unless `activate=false`.

    :raises ApiError: 400, if the type is unknown, or the name is missing or taken.
    :raises PolicyError: if a value is wrong.
    """
    body = api_body(request)
    policy_type = body.get("type")
    if policy_type not in POLICY_TYPE_NAMES:
        raise validation_error("type: The policy type is not supported by this org")
    name = required_name(body)
    default = next(policy for policy in org.policies.of_type(policy_type) if policy.system)
    require_known(body, policy_json(org, default), MAY_BE_SENT)
    if any(policy.name == name for policy in org.policies.of_type(policy_type)):
        raise validation_error("name: A policy with this name already exists")
    policy = org.policies.add(
        policy_type,
        name,
        org.clock.now(),
        active=request.args.get("activate", "true") != "false",
        patch=checked_patch(org, POLICY_TYPES[policy_type].read_settings(org, org.own_policy, body)),
        conditions=read_conditions(body),
        description=text_or_none(body.get("description")) or "",
    )
    policy = org.policies.store_at(policy, priority_in(body, policy.priority))
    _record(org, "policy.lifecycle.create", policy)
    return json_reply(policy_json(org, policy))


def get_policy(org: Org, request: Request, policy_id: str) -> Response:
    """GET policies/{id}.

    :raises ApiError: 404, if there is none.
    """
    return json_reply(policy_json(org, find_policy(org, policy_id)))


def replace_policy(org: Org, request: Request, policy_id: str) -> Response:
    """PUT policies/{id}: what is left out stays as it is. A default policy changes the org's own settings.

    :raises ApiError: 404, if there is none.
    :raises PolicyError: if a value is wrong.
    """
    policy, body = find_policy(org, policy_id), api_body(request)
    require_known(body, policy_json(org, policy), MAY_BE_SENT)
    patch = POLICY_TYPES[policy.type].read_settings(org, settings_under(org, policy), body)
    if policy.system:
        org.patch_policy(patch)
    else:
        policy = org.policies.store_at(_with_body(org, policy, body, patch), priority_in(body, policy.priority))
    _record(org, "policy.lifecycle.update", policy)
    return json_reply(policy_json(org, policy))


def delete_policy(org: Org, request: Request, policy_id: str) -> Response:
    """DELETE policies/{id}.

    :raises ApiError: 404; 403, if it is a default policy.
    """
    policy = find_policy(org, policy_id)
    require_changeable(policy)
    org.policies.remove(policy)
    _record(org, "policy.lifecycle.delete", policy)
    return no_content()


def set_policy_active(org: Org, request: Request, policy_id: str, change: str) -> Response:
    """POST policies/{id}/lifecycle/activate and deactivate.

    :raises ApiError: 404, if there is no such policy or change; 403, if it is a default policy.
    """
    policy = find_policy(org, policy_id)
    require_changeable(policy)
    org.policies.store(replace(policy, active=is_activation(change)))
    return no_content()


def list_apps(org: Org, request: Request, policy_id: str) -> Response:
    """GET policies/{id}/app: the apps assigned to it; to a default policy those that have no other of its type.

    :raises ApiError: 404, if there is no such policy.
    """
    return list_reply(org, request, [app_json(org, app) for app in _apps_of(org, find_policy(org, policy_id))])


def _apps_of(org: Org, policy: OktaPolicy) -> list[App]:
    if policy.type not in TYPES_ASSIGNED_TO_APPS:
        return []
    return [app for app in org.policy.apps if org.policies.of_app(policy.type, app.client_id).id == policy.id]


def list_mappings(org: Org, request: Request, policy_id: str) -> Response:
    """GET policies/{id}/mappings: the apps that are assigned to the policy.

    :raises ApiError: 404, if there is no such policy.
    """
    policy = find_policy(org, policy_id)
    return list_reply(org, request, [_mapping_json(org, policy, app.client_id) for app in _apps_of(org, policy)])


def map_app(org: Org, request: Request, policy_id: str) -> Response:
    """POST policies/{id}/mappings: refused, as in a real org; `PUT apps/{app}/policies/{id}` assigns an app.

    :raises ApiError: 404, if there is no such policy; 400.
    """
    find_policy(org, policy_id)
    text = "Api validation failed: Policy mappings are no longer supported on this endpoint."
    raise ApiError(400, "E0000001", text)


def _mapping_json(org: Org, policy: OktaPolicy, app_id: str) -> Json:
    api, mapping_id = f"{org.base}/api/v1", "plm" + app_id[3:]
    links = {
        "self": link(f"{api}/policies/{policy.id}/mappings/{mapping_id}", "GET"),
        "application": link(f"{api}/apps/{app_id}", "GET"),
        "policy": link(f"{api}/policies/{policy.id}", "GET"),
    }
    return {"id": mapping_id, "_links": links}


def assign_app(org: Org, request: Request, app_id: str, policy_id: str) -> Response:
    """PUT apps/{app}/policies/{id}: make it the app's policy of its type.

    :raises ApiError: 404, if there is no such policy or app; 400, if policies of the type are not for apps.
    """
    policy = find_policy(org, policy_id)
    find_app(org, app_id)
    if policy.type not in TYPES_ASSIGNED_TO_APPS:
        raise validation_error("policyId: A policy of this type is not assigned to apps")
    org.policies.assign(policy, app_id)
    return no_content()


def _with_body(org: Org, policy: OktaPolicy, body: Json, patch: Json) -> OktaPolicy:
    return replace(
        policy,
        name=text_or_none(body.get("name")) or policy.name,
        description=text_or_none(body.get("description")) or policy.description,
        conditions=read_conditions(body) if "conditions" in body else policy.conditions,
        patch=checked_patch(org, merged(policy.patch, patch)),
    )


def _record(org: Org, event: str, policy: OktaPolicy) -> None:
    org.record(event, {"id": policy.id, "type": "PolicyEntity", "displayName": policy.name})
