"""Further policies and rules beside the org's own settings, which are the default policy of each type.

A further policy holds for the people and apps it names, and only where one of its rules does too. Policies are looked
through by priority, their rules as well; the first that fits wins, the default fits everybody.
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from json import dumps, loads
from typing import Any, cast

from okta_devorg.policy.serialization import merge, policy_from_json, policy_to_json
from okta_devorg.policy.settings import Policy
from okta_devorg.state.groups import Groups
from okta_devorg.state.users import User
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.ion import Json

# These are assigned to apps, the others name groups of people.
BY_APP = ("ACCESS_POLICY", "PROFILE_ENROLLMENT")
TYPES = (*BY_APP, "MFA_ENROLL", "PASSWORD")
LAST = 99


@dataclass(frozen=True)
class Conditions:
    """Ids of people and groups; nothing included: everybody."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    not_users: tuple[str, ...] = ()
    not_groups: tuple[str, ...] = ()

    def hold(self, user: User | None, groups: frozenset[str]) -> bool:
        if user is None:
            return not self.users and not self.groups
        if user.id in self.not_users or groups & set(self.not_groups):
            return False
        anybody = not self.users and not self.groups
        return anybody or user.id in self.users or bool(groups & set(self.groups))


@dataclass(frozen=True)
class Rule:
    """`patch`: what it changes of the org's settings. The rule of a default policy changes the settings themselves."""

    id: str
    name: str
    priority: int
    created: float
    patch: Json = field(default_factory=dict)
    conditions: Conditions = Conditions()
    active: bool = True
    system: bool = False


@dataclass(frozen=True)
class FurtherPolicy:
    id: str
    type: str
    name: str
    priority: int
    created: float
    description: str | None = None
    patch: Json = field(default_factory=dict)
    conditions: Conditions = Conditions()
    apps: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    active: bool = True
    system: bool = False

    def rule_for(self, user: User | None, groups: frozenset[str]) -> Rule | None:
        fitting = (rule for rule in self.rules if rule.active and rule.conditions.hold(user, groups))
        return min(fitting, key=lambda rule: rule.priority, default=None)


DEFAULTS = (
    ("PROFILE_ENROLLMENT", "rstLocalProfileEnr01", "rulLocalProfileEnr01", "Default Policy"),
    ("MFA_ENROLL", "00pLocalMfaEnroll001", "0prLocalMfaEnroll001", "Default Policy"),
    ("ACCESS_POLICY", "rstLocalAccessPol001", "rulLocalAccessPol001", "Any two factors"),
    ("PASSWORD", "00pLocalPassword0001", "0prLocalPassword0001", "Default Policy"),
)


class Policies:
    """All of them, the defaults too. `further` says whether there is anything beside those."""

    def __init__(self, now: float) -> None:
        self.by_id: dict[str, FurtherPolicy] = {}
        for kind, policy_id, rule_id, name in DEFAULTS:
            rule = Rule(rule_id, "Catch-all Rule", LAST, now, system=True)
            self.keep(FurtherPolicy(policy_id, kind, name, LAST, now, rules=(rule,), system=True))

    @property
    def further(self) -> bool:
        return any(not policy.system or len(policy.rules) > 1 for policy in self.by_id.values())

    def keep(self, policy: FurtherPolicy) -> FurtherPolicy:
        self.by_id[policy.id] = policy
        return policy

    def of_type(self, kind: str) -> list[FurtherPolicy]:
        """By priority, the default last."""
        return sorted((item for item in self.by_id.values() if item.type == kind), key=lambda item: item.priority)

    def add(self, kind: str, name: str, now: float, **more: Any) -> FurtherPolicy:
        """Before the default, after the others. Those of apps come with a catch-all rule."""
        taken = [item.priority for item in self.of_type(kind) if not item.system]
        rule = Rule(new_id("rul"), "Catch-all Rule", LAST, now, system=True)
        rules = (rule,) if kind in BY_APP else ()
        policy = FurtherPolicy(new_id("rst"), kind, name, max(taken, default=0) + 1, now, rules=rules)
        return self.keep(replace(policy, **more))

    def keep_rule(self, policy: FurtherPolicy, rule: Rule) -> FurtherPolicy:
        others = tuple(item for item in policy.rules if item.id != rule.id)
        return self.keep(replace(policy, rules=tuple(sorted((*others, rule), key=lambda item: item.priority))))

    def assign(self, policy: FurtherPolicy, app_id: str) -> None:
        """An app has one policy of a type."""
        for item in self.of_type(policy.type):
            self.keep(replace(item, apps=tuple(app for app in item.apps if app != app_id)))
        self.keep(replace(self.by_id[policy.id], apps=(*self.by_id[policy.id].apps, app_id)))

    def in_force(self, own: Policy, app_id: str, user: User | None, groups: Groups) -> Policy:
        """The org's settings as they are for this person at this app."""
        member_of = frozenset(group.id for group in groups.of(user)) if user else frozenset[str]()
        found = own
        for kind in TYPES:
            for policy in self.of_type(kind):
                rule = policy.rule_for(user, member_of) if self.fits(policy, app_id, user, member_of) else None
                if rule:
                    found = patched(patched(found, policy.patch), rule.patch)
                    break
        return found

    def fits(self, policy: FurtherPolicy, app_id: str, user: User | None, groups: frozenset[str]) -> bool:
        if not policy.active or not policy.conditions.hold(user, groups):
            return False
        return policy.system or policy.type not in BY_APP or app_id in policy.apps


def patched(policy: Policy, patch: Json) -> Policy:
    """Raises PolicyError when the patch makes no sense."""
    return with_patch(policy, dumps(patch)) if patch else policy


@lru_cache(maxsize=64)
def with_patch(policy: Policy, patch: str) -> Policy:
    return policy_from_json(merge(policy_to_json(policy), loads(patch)))


def merged(older: Json, newer: Json) -> Json:
    """Of two patches one."""
    return cast(Json, merge(older, newer))
