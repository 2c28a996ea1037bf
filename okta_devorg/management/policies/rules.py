"""The rules of policies."""

from dataclasses import replace

from flask import Request, Response

from okta_devorg.management.json_api import (
    api_body,
    is_activation,
    list_reply,
    no_content,
    not_found,
    require_known,
    required_name,
)
from okta_devorg.management.policies.common import (
    checked_patch,
    find_policy,
    priority_in,
    read_conditions,
    require_changeable,
    settings_under,
    text_or_none,
)
from okta_devorg.management.policies.documents import rule_json
from okta_devorg.management.policies.policy_types import POLICY_TYPES
from okta_devorg.policy.serialization import merged
from okta_devorg.state.okta_policies import OktaPolicy, PolicyRule
from okta_devorg.state.org import Org
from okta_devorg.wire.errors import ApiError
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.replies import json_reply

# Policies of these types have the one rule that they come with.
ONE_RULE = ("PROFILE_ENROLLMENT", "OKTA_SIGN_ON", "IDP_DISCOVERY")
NEW_RULE = PolicyRule("", "", 0, 0.0)
# Members that the API knows and does not show of every rule.
MAY_BE_SENT = (
    "conditions", "description", "actions.profileEnrollment.enrollAuthenticatorTypes",
    "actions.profileEnrollment.uiSchemaId", "actions.profileEnrollment.preRegistrationInlineHooks",
    "actions.profileEnrollment.targetGroupIds", "actions.appSignOn.verificationMethod.constraints",
    "actions.appSignOn.verificationMethod.inactivityPeriod",
    "actions.selfServicePasswordReset.requirement",
)  # fmt: skip


def list_rules(org: Org, request: Request, policy_id: str) -> Response:
    """GET policies/{id}/rules.

    :raises ApiError: 404, if there is no such policy.
    """
    policy = find_policy(org, policy_id)
    return list_reply(org, request, [rule_json(org, policy, rule) for rule in policy.rules])


def create_rule(org: Org, request: Request, policy_id: str) -> Response:
    """POST policies/{id}/rules: after the other rules, unless the body has a priority.

    :raises ApiError: 404; 403, if the policy has exactly one rule; 400, if the name is missing.
    :raises PolicyError: if a value is wrong.
    """
    policy, body = find_policy(org, policy_id), api_body(request)
    if policy.type in ONE_RULE:
        raise ApiError(403, "E0000006", "A policy of this type has exactly one rule here")
    name = required_name(body)
    require_known(body, rule_json(org, policy, policy.rules[-1] if policy.rules else NEW_RULE), MAY_BE_SENT)
    patch = checked_patch(org, POLICY_TYPES[policy.type].read_actions(org, settings_under(org, policy), body))
    last = max((item.priority for item in policy.rules if not item.system), default=-1)
    priority = priority_in(body, last + 1)
    rule = PolicyRule(new_id("0pr"), name, priority, org.clock.now(), patch, read_conditions(body))
    return _store(org, policy, rule, "policy.rule.add")


def get_rule(org: Org, request: Request, policy_id: str, rule_id: str) -> Response:
    """GET policies/{id}/rules/{rule}.

    :raises ApiError: 404, if there is none.
    """
    policy, rule = _find_rule(org, policy_id, rule_id)
    return json_reply(rule_json(org, policy, rule))


def replace_rule(org: Org, request: Request, policy_id: str, rule_id: str) -> Response:
    """PUT policies/{id}/rules/{rule}: what is left out stays as it is.

    The rule of a default policy changes the org's own settings.

    :raises ApiError: 404, if there is none.
    :raises PolicyError: if a value is wrong.
    """
    policy, rule = _find_rule(org, policy_id, rule_id)
    body = api_body(request)
    require_known(body, rule_json(org, policy, rule), MAY_BE_SENT)
    patch = POLICY_TYPES[policy.type].read_actions(org, settings_under(org, policy, rule), body)
    if policy.system and rule.system:
        org.patch_policy(patch)
    else:
        rule = replace(rule, patch=checked_patch(org, merged(rule.patch, patch)))
    if not rule.system:
        rule = replace(
            rule,
            name=text_or_none(body.get("name")) or rule.name,
            priority=priority_in(body, rule.priority),
            conditions=read_conditions(body) if "conditions" in body else rule.conditions,
        )
    return _store(org, policy, rule, "policy.rule.update")


def delete_rule(org: Org, request: Request, policy_id: str, rule_id: str) -> Response:
    """DELETE policies/{id}/rules/{rule}.

    :raises ApiError: 404; 403, if the rule is built in.
    """
    policy, rule = _find_rule(org, policy_id, rule_id)
    require_changeable(rule)
    org.policies.store(replace(policy, rules=tuple(item for item in policy.rules if item.id != rule.id)))
    _record(org, "policy.rule.delete", rule)
    return no_content()


def set_rule_active(org: Org, request: Request, policy_id: str, rule_id: str, change: str) -> Response:
    """POST policies/{id}/rules/{rule}/lifecycle/activate and deactivate.

    :raises ApiError: 404, if there is no such rule or change; 403, if the rule is built in.
    """
    policy, rule = _find_rule(org, policy_id, rule_id)
    require_changeable(rule)
    org.policies.store_rule(policy, replace(rule, active=is_activation(change)))
    return no_content()


def _find_rule(org: Org, policy_id: str, rule_id: str) -> tuple[OktaPolicy, PolicyRule]:
    policy = find_policy(org, policy_id)
    rule = next((item for item in policy.rules if item.id == rule_id), None)
    if rule is None:
        raise not_found(rule_id, "PolicyRule")
    return policy, rule


def _store(org: Org, policy: OktaPolicy, rule: PolicyRule, event: str) -> Response:
    policy = org.policies.store_rule(policy, rule)
    _record(org, event, rule)
    return json_reply(rule_json(org, policy, rule))


def _record(org: Org, event: str, rule: PolicyRule) -> None:
    org.record(event, {"id": rule.id, "type": "PolicyRule", "displayName": rule.name})
