"""What the endpoints of policies and of rules share."""

from okta_devorg.management.json_api import list_at, not_found, object_at
from okta_devorg.management.policies.policy_types import POLICY_TYPES
from okta_devorg.policy.settings import Policy
from okta_devorg.state.okta_policies import Conditions, OktaPolicy, PolicyRule, with_patch
from okta_devorg.state.org import Org
from okta_devorg.wire.errors import ApiError
from okta_devorg.wire.ion import Json


def find_policy(org: Org, policy_id: str) -> OktaPolicy:
    """Return the policy with this id.

    :raises ApiError: 404, if there is none.
    """
    if policy_id not in org.policies.by_id:
        raise not_found(policy_id, "Policy")
    return org.policies.by_id[policy_id]


def settings_under(org: Org, policy: OktaPolicy, rule: PolicyRule | None = None) -> Policy:
    """Return the settings that hold under a policy and one of its rules."""
    settings = with_patch(org.own_policy, policy.patch)
    return with_patch(settings, rule.patch) if rule else settings


def checked_patch(org: Org, patch: Json) -> Json:
    """Return the patch.

    :raises PolicyError: if it does not fit the org's settings.
    """
    with_patch(org.own_policy, patch)
    return patch


def require_changeable(item: OktaPolicy | PolicyRule) -> None:
    """Refuse to change what is built in.

    :raises ApiError: 403.
    """
    if item.system:
        raise ApiError(403, "E0000077", "Cannot modify or delete a system policy or rule")


def text_or_none(value: object) -> str | None:
    """Return the value if it is text."""
    return value if isinstance(value, str) else None


def read_conditions(body: Json) -> Conditions:
    """Return the users and groups that a policy or rule is for."""
    people = object_at(body, "conditions", "people")

    def ids(kind: str, list_name: str) -> tuple[str, ...]:
        return tuple(str(item) for item in list_at(people, kind, list_name))

    return Conditions(
        users=ids("users", "include"),
        groups=ids("groups", "include"),
        excluded_users=ids("users", "exclude"),
        excluded_groups=ids("groups", "exclude"),
    )


def policy_json(org: Org, policy: OktaPolicy) -> Json:
    """Return a policy as the API shows it."""
    href = f"{org.base}/api/v1/policies/{policy.id}"
    return {
        **_common_json(org, policy),
        "description": policy.description,
        "type": policy.type,
        **POLICY_TYPES[policy.type].settings(org, settings_under(org, policy)),
        "_links": {"self": {"href": href}, "rules": {"href": href + "/rules"}},
    }


def rule_json(org: Org, policy: OktaPolicy, rule: PolicyRule) -> Json:
    """Return a rule of a policy as the API shows it."""
    href = f"{org.base}/api/v1/policies/{policy.id}/rules/{rule.id}"
    actions = POLICY_TYPES[policy.type].actions(org, settings_under(org, policy, rule))
    return {**_common_json(org, rule), "type": policy.type, "actions": actions, "_links": {"self": {"href": href}}}


def _common_json(org: Org, item: OktaPolicy | PolicyRule) -> Json:
    at, people = org.clock.iso(item.created), _people_json(item.conditions)
    return {
        "id": item.id,
        "status": "ACTIVE" if item.active else "INACTIVE",
        "name": item.name,
        "priority": 1 if item.system and isinstance(item, OktaPolicy) else item.priority,
        "system": item.system,
        "conditions": {"people": people} if people else None,
        "created": at,
        "lastUpdated": at,
    }


def _people_json(conditions: Conditions) -> Json:
    people = {
        "users": {"include": list(conditions.users), "exclude": list(conditions.excluded_users)},
        "groups": {"include": list(conditions.groups), "exclude": list(conditions.excluded_groups)},
    }
    return {kind: lists for kind, lists in people.items() if lists["include"] or lists["exclude"]}
