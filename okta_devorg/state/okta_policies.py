"""Okta's policies and their rules, as the Management API has them.

The default policy of each type represents the org's own settings. Every other policy is a patch of these settings for
the users, groups and apps it names, and applies only if one of its rules does. Policies are tried in the order of
their priority, and so are the rules of a policy: the first that applies wins. A default policy applies to everybody.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from json import dumps, loads
from typing import Any, TypeVar

from okta_devorg.policy.serialization import PolicyError, patched
from okta_devorg.policy.settings import Policy
from okta_devorg.state.groups import Groups
from okta_devorg.state.users import User
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.ion import Json

# Policies of these types are assigned to apps; the others name groups of users.
TYPES_ASSIGNED_TO_APPS = ("ACCESS_POLICY", "PROFILE_ENROLLMENT")
# Only policies of these types change settings.
POLICY_TYPE_NAMES = (*TYPES_ASSIGNED_TO_APPS, "MFA_ENROLL", "PASSWORD")
LOWEST_PRIORITY = 99


@dataclass(frozen=True)
class Conditions:
    """The users and groups, by id, that a policy or rule is for. With nobody named it is for everybody."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    excluded_users: tuple[str, ...] = ()
    excluded_groups: tuple[str, ...] = ()

    def to_json(self) -> Json:
        """Return the `people` of a condition as the Management API has them, only those that are named."""
        people = {
            "users": {"include": list(self.users), "exclude": list(self.excluded_users)},
            "groups": {"include": list(self.groups), "exclude": list(self.excluded_groups)},
        }
        return {kind: lists for kind, lists in people.items() if lists["include"] or lists["exclude"]}

    def apply_to(self, user: User | None, groups: frozenset[str]) -> bool:
        """Return whether a user in these groups is included; `user` is None while it is not known."""
        is_for_everybody = not self.users and not self.groups
        if user is None:
            return is_for_everybody
        if user.id in self.excluded_users or groups & set(self.excluded_groups):
            return False
        return is_for_everybody or user.id in self.users or bool(groups & set(self.groups))


@dataclass(frozen=True)
class PolicyRule:
    """A rule of a policy. `patch`: what it changes of the settings. `system`: built in. `created` is org time."""

    id: str
    name: str
    priority: int
    created: float
    patch: Json = field(default_factory=dict)
    conditions: Conditions = Conditions()
    active: bool = True
    system: bool = False


@dataclass(frozen=True)
class OktaPolicy:
    """A policy. `patch`: what it changes of the settings. `system`: the default policy of its type, built in."""

    id: str
    type: str
    name: str
    priority: int
    created: float
    description: str = ""
    patch: Json = field(default_factory=dict)
    conditions: Conditions = Conditions()
    apps: tuple[str, ...] = ()
    rules: tuple[PolicyRule, ...] = ()
    active: bool = True
    system: bool = False

    def rule_for(self, user: User | None, groups: frozenset[str]) -> PolicyRule | None:
        """Return the first rule by priority that applies to a user in these groups."""
        rules = (rule for rule in self.rules if rule.active and rule.conditions.apply_to(user, groups))
        return min(rules, key=_rank, default=None)

    def applies_to(self, app_id: str, user: User | None, groups: frozenset[str]) -> bool:
        """Return whether the policy is for this app and a user in these groups."""
        if not self.active or not self.conditions.apply_to(user, groups):
            return False
        return self.system or self.type not in TYPES_ASSIGNED_TO_APPS or app_id in self.apps


# Type, id, id of the rule, name.
DEFAULT_POLICIES = (
    ("PROFILE_ENROLLMENT", "rstLocalProfileEnr01", "rulLocalProfileEnr01", "Default Policy"),
    ("MFA_ENROLL", "00pLocalMfaEnroll001", "0prLocalMfaEnroll001", "Default Policy"),
    ("ACCESS_POLICY", "rstLocalAccessPol001", "rulLocalAccessPol001", "Any two factors"),
    ("PASSWORD", "00pLocalPassword0001", "0prLocalPassword0001", "Default Policy"),
    ("OKTA_SIGN_ON", "00pLocalSignOn000001", "0prLocalSignOn000001", "Default Policy"),
    ("IDP_DISCOVERY", "00pLocalIdpDiscov001", "0prLocalIdpDiscov001", "Idp Discovery Policy"),
)


Item = TypeVar("Item", OktaPolicy, PolicyRule)


class OktaPolicies:
    """All policies of the org, the default ones included.

    `has_only_defaults`: there are no others, so that the org's own settings apply to everybody.
    """

    def __init__(self, now: float) -> None:
        self.by_id: dict[str, OktaPolicy] = {}
        self.has_only_defaults = True
        for policy_type, policy_id, rule_id, name in DEFAULT_POLICIES:
            rule = PolicyRule(rule_id, "Catch-all Rule", LOWEST_PRIORITY, now, system=True)
            self.store(OktaPolicy(policy_id, policy_type, name, LOWEST_PRIORITY, now, rules=(rule,), system=True))

    def store(self, policy: OktaPolicy) -> OktaPolicy:
        """Add the policy, or replace the one with its id; return it."""
        self.by_id[policy.id] = policy
        self._count()
        return policy

    def remove(self, policy: OktaPolicy) -> None:
        """Delete a policy."""
        del self.by_id[policy.id]
        self._count()

    def _count(self) -> None:
        self.has_only_defaults = all(item.system and len(item.rules) == 1 for item in self.by_id.values())

    def store_at(self, policy: OktaPolicy, priority: int) -> OktaPolicy:
        """Add the policy, or replace the one with its id, at this priority. Those in its way move down; return it."""
        others = (item for item in self.of_type(policy.type) if item.id != policy.id)
        for item in _moved_down(others, priority):
            self.store(item)
        return self.store(replace(policy, priority=priority))

    def store_rule(self, policy: OktaPolicy, rule: PolicyRule) -> OktaPolicy:
        """Add the rule to the policy, or replace the one with its id; return the new policy.

        Rules in the way of its priority move down. The catch-all rule stays the last.
        """
        others: Iterable[PolicyRule] = (item for item in policy.rules if item.id != rule.id)
        if not rule.system:
            others = _moved_down(others, rule.priority)
        return self.store(replace(policy, rules=tuple(sorted((*others, rule), key=_rank))))

    def require_fit(self, settings: Policy) -> None:
        """Check that every policy and rule can change these settings.

        :raises PolicyError: naming the policy that cannot.
        """
        for policy in self.by_id.values():
            for patch in ({}, *(rule.patch for rule in policy.rules)):
                try:
                    with_patch(with_patch(settings, policy.patch), patch)
                except PolicyError as error:
                    raise PolicyError(f"the policy “{policy.name}” does not fit: {error}") from error

    def of_type(self, policy_type: str) -> list[OktaPolicy]:
        """Return the policies of a type by priority, the default last."""
        return sorted((policy for policy in self.by_id.values() if policy.type == policy_type), key=_rank)

    def add(self, policy_type: str, name: str, now: float, **values: Any) -> OktaPolicy:
        """Create a policy after the others of its type and before the default, with further `values` of `OktaPolicy`.

        Policies for apps come with a catch-all rule, as in a real org.
        """
        priorities = [policy.priority for policy in self.of_type(policy_type) if not policy.system]
        rule = PolicyRule(new_id("rul"), "Catch-all Rule", LOWEST_PRIORITY, now, system=True)
        rules = (rule,) if policy_type in TYPES_ASSIGNED_TO_APPS else ()
        policy = OktaPolicy(new_id("rst"), policy_type, name, max(priorities, default=0) + 1, now, rules=rules)
        return self.store(replace(policy, **values))

    def of_app(self, policy_type: str, app_id: str) -> OktaPolicy:
        """Return the policy of this type that an app is assigned to, the default one if it is to no other."""
        return next(item for item in self.of_type(policy_type) if item.system or app_id in item.apps)

    def unassign(self, app_id: str, policy_type: str | None = None) -> None:
        """Give the app back to the default policies, or to that of one type."""
        for item in list(self.by_id.values()):
            if policy_type in (None, item.type):
                self.store(replace(item, apps=tuple(app for app in item.apps if app != app_id)))

    def assign(self, policy: OktaPolicy, app_id: str) -> None:
        """Make this the app's policy of its type, instead of any other."""
        self.unassign(app_id, policy.type)
        if policy.system:
            return
        self.store(replace(self.by_id[policy.id], apps=(*self.by_id[policy.id].apps, app_id)))

    def settings_for(self, own: Policy, app_id: str, user: User | None, groups: Groups) -> Policy:
        """Return the settings for a user of this app (None: not known yet), given the org's `own` settings."""
        member_of = frozenset(group.id for group in groups.of(user)) if user else frozenset[str]()
        settings = own
        for policy_type in POLICY_TYPE_NAMES:
            for policy in self.of_type(policy_type):
                rule = policy.rule_for(user, member_of) if policy.applies_to(app_id, user, member_of) else None
                if rule:
                    settings = with_patch(with_patch(settings, policy.patch), rule.patch)
                    break
        return settings


def _rank(item: OktaPolicy | PolicyRule) -> tuple[bool, int]:
    """Return what policies and rules are sorted by: what is built in comes last."""
    return item.system, item.priority


def _moved_down(items: Iterable[Item], priority: int) -> list[Item]:
    """Return the items, sorted, with every one moved down that is in the way of a new one at this priority."""
    moved, taken = [], priority
    for item in sorted(items, key=_rank):
        if not item.system and item.priority == taken:
            taken += 1
            item = replace(item, priority=taken)
        moved.append(item)
    return moved


def with_patch(settings: Policy, patch: Json) -> Policy:
    """Return the settings with the patch of a policy or rule. Results are cached: every request asks again.

    :raises PolicyError: if the result makes no sense.
    """
    return _with_patch_text(settings, dumps(patch)) if patch else settings


@lru_cache(maxsize=64)
def _with_patch_text(settings: Policy, patch: str) -> Policy:
    return patched(settings, loads(patch))
