"""How the Management API shows policies and their rules."""

from okta_devorg.management.links import lifecycle_link, link
from okta_devorg.management.policies.common import settings_under
from okta_devorg.management.policies.policy_types import POLICY_TYPES
from okta_devorg.state.groups import EVERYONE
from okta_devorg.state.okta_policies import TYPES_ASSIGNED_TO_APPS, OktaPolicy, PolicyRule
from okta_devorg.state.org import Org
from okta_devorg.wire.ion import Json

READ_AND_WRITE = ("GET", "PUT")
# Rules of these types have the type of their own.
RULE_TYPES = {"OKTA_SIGN_ON": "SIGN_ON"}


def policy_json(org: Org, policy: OktaPolicy) -> Json:
    """Return a policy as the API shows it."""
    settings, policy_type = settings_under(org, policy), POLICY_TYPES[policy.type]
    href = f"{org.base}/api/v1/policies/{policy.id}"
    description = {} if policy.type == "PROFILE_ENROLLMENT" else {"description": policy.description}
    changes = {} if policy.type == "IDP_DISCOVERY" else lifecycle_link(href, policy.active)
    mappings = {} if policy.type == "IDP_DISCOVERY" else {"mappings": link(href + "/mappings", "GET", "POST")}
    return {
        **_common_json(org, policy),
        **description,
        "conditions": _policy_conditions(policy),
        **policy_type.settings(org, settings),
        "_links": {
            "self": link(href, *READ_AND_WRITE, *(() if policy.system else ("DELETE",))),
            **mappings,
            "rules": link(href + "/rules", "GET", "POST"),
            **changes,
        },
        "type": policy.type,
    }


def rule_json(org: Org, policy: OktaPolicy, rule: PolicyRule) -> Json:
    """Return a rule of a policy as the API shows it."""
    href = f"{org.base}/api/v1/policies/{policy.id}/rules/{rule.id}"
    has_lifecycle = policy.type not in ("PROFILE_ENROLLMENT", "IDP_DISCOVERY")
    policy_type = POLICY_TYPES[policy.type]
    return {
        **_common_json(org, rule),
        "conditions": policy_type.rule_conditions(rule),
        "actions": policy_type.actions(org, settings_under(org, policy, rule)),
        "_links": {
            "self": link(href, *READ_AND_WRITE, *(() if rule.system else ("DELETE",))),
            **(lifecycle_link(href, rule.active) if has_lifecycle else {}),
        },
        "type": RULE_TYPES.get(policy.type, policy.type),
    }


def _common_json(org: Org, item: OktaPolicy | PolicyRule) -> Json:
    at = org.clock.iso(item.created)
    return {
        "id": item.id,
        "status": "ACTIVE" if item.active else "INACTIVE",
        "name": item.name,
        "priority": 1 if item.system and isinstance(item, OktaPolicy) else item.priority,
        "system": item.system,
        "created": at,
        "lastUpdated": at,
    }


def _policy_conditions(policy: OktaPolicy) -> Json | None:
    """Return the people of a policy. Policies for apps have none; the others name at least the group Everyone."""
    if policy.type in (*TYPES_ASSIGNED_TO_APPS, "IDP_DISCOVERY"):
        return None
    people = policy.conditions.to_json() or {"groups": {"include": [EVERYONE]}}
    provider = {"authProvider": {"provider": "OKTA"}} if policy.type == "PASSWORD" else {}
    return {"people": {kind: _without_empty(lists) for kind, lists in people.items()}, **provider}


def _without_empty(lists: Json) -> Json:
    return {name: ids for name, ids in lists.items() if ids}
