"""What the endpoints of policies and of rules share."""

from okta_devorg.management.json_api import list_at, not_found, object_at
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


def priority_in(body: Json, default: int) -> int:
    """Return the priority that a body asks for."""
    priority = body.get("priority")
    return priority if isinstance(priority, int) and not isinstance(priority, bool) else default


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
