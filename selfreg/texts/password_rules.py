"""The org's password rules in sentences."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from selfreg.idx.document import Message, PasswordPolicy
from selfreg.idx.password_rules import Rule, broken_rules, rules_of
from selfreg.idx.steps import Step
from selfreg.texts.messages import MINUTE, RULES_NOT_MET, duration

PROFILE = "userProfile."

# Remediations that replace an existing password.
REPLACING = ("reenroll-authenticator", "reenroll-authenticator-warning", "reset-authenticator")
# Parts of the org's sentences about a refused password: the list of all rules, which the page shows anyway, and rules
# about earlier passwords.
ALL_RULES = re.compile(r"Password requirements: [^.]*\.\s*")
OF_EARLIER_PASSWORDS = re.compile(r"[^.]*\b(?:last \d+ passwords?|last changed your password)\b[^.]*\.\s*")
# Rules about the name and the address of the person.
PERSONAL = ("username", "firstName", "lastName")
# Rules with a number.
COUNTED = {
    "length": ngettext_lazy("At least %(n)d character", "At least %(n)d characters", "n"),
    "max": ngettext_lazy("At most %(n)d character", "At most %(n)d characters", "n"),
    "lower": ngettext_lazy("A lowercase letter", "%(n)d lowercase letters", "n"),
    "upper": ngettext_lazy("An uppercase letter", "%(n)d uppercase letters", "n"),
    "number": ngettext_lazy("A number", "%(n)d numbers", "n"),
    "symbol": ngettext_lazy("A symbol, such as ! or ?", "%(n)d symbols, such as ! or ?", "n"),
    "repeat": ngettext_lazy("No character twice in a row", "No character more than %(n)d times in a row", "n"),
    "history": ngettext_lazy("Not your last password", "None of your last %(n)d passwords", "n"),
}


def password_policy(step: Step) -> PasswordPolicy | None:
    """Return the rules for the password that a step asks for; None if there is no password, or no rules.

    The rules about earlier passwords do not apply to the first one.
    """
    holder = step.authenticator if step.page == "password" else None
    holder = holder or next((f.authenticator for f in step.remediation.fields if f.name == "credentials"), None)
    policy = holder.password_policy if holder else None
    if policy is None or step.remediation.name in REPLACING:
        return policy
    return replace(policy, history_count=0, min_age_minutes=0)


def refusal(message: Message, step: Step) -> Message:
    """Return the org's message about a refused password, without rules that the page lists or that can't be broken.

    If the page has no list, the org's own sentence has the rules. Without its key, it is shown unchanged. All other
    messages are returned unchanged.
    """
    if message.key != RULES_NOT_MET:
        return message
    policy = password_policy(step)
    is_listed = policy is not None and bool(rules_of(policy))
    text = " ".join(message.params) if is_listed else message.text
    if step.remediation.name not in REPLACING:
        text = OF_EARLIER_PASSWORDS.sub("", text)
    return replace(message, params=(ALL_RULES.sub("", text),)) if is_listed else replace(message, text=text, key="")


def forbidden_values(policy: PasswordPolicy, profile: Mapping[str, str]) -> dict[str, str]:
    """Return the values that the password must not contain, by attribute.

    :param profile: what the visitor typed on the first page, by HTML name
    """
    names = (*policy.exclude_attributes, *(["login"] if policy.exclude_username else []))
    values = {name: profile.get(PROFILE + name, "").strip() for name in names}
    return {name: value for name, value in values.items() if value}


def sentence(rule: Rule) -> str:
    """Return what a rule says to the visitor, such as "At least 8 characters"."""
    name, n = rule
    if name in COUNTED:
        return str(COUNTED[name] % {"n": n})
    if name == "age":
        return _("Last changed at least %(time)s ago") % {"time": duration(n * MINUTE)}
    fixed = {
        "kinds": _("Three of these: lowercase letter, uppercase letter, number, symbol"),
        "username": _("No part of your email address or username"),
        "firstName": _("Not your first name"),
        "lastName": _("Not your last name"),
    }
    return fixed.get(name) or _("Not your %(attribute)s") % {"attribute": name}


def listed(rules: Iterable[Rule]) -> list[tuple[tuple[Rule, ...], str]]:
    """Return the lines of a page's list of rules: pairs of rules and sentence. Rules about the person share a line."""
    rules = tuple(rules)
    personal = tuple(rule for rule in rules if rule.name in PERSONAL)
    lines = [((rule,), sentence(rule)) for rule in rules if rule not in personal]
    if len(personal) > 1:
        has_address = any(rule.name == "username" for rule in personal)
        text = _("No part of your name or email address") if has_address else _("No part of your name")
        return [*lines, (personal, text)]
    return lines + [(personal, sentence(rule)) for rule in personal]


def broken_by(
    policy: PasswordPolicy, password: str, earlier: Mapping[str, str], typed: Mapping[str, Any]
) -> tuple[Rule, ...]:
    """Return the rules that a password certainly breaks, see ``idx.password_rules.broken_rules``.

    :param earlier: what was typed on earlier pages, by HTML name
    :param typed: what was typed on the same page, by HTML name
    """
    values = {**earlier, **{name: str(value) for name, value in typed.items()}}
    profile = {name.removeprefix(PROFILE): value for name, value in values.items() if name.startswith(PROFILE)}
    return broken_rules(policy, password, profile, profile.get("login") or profile.get("email", ""))
