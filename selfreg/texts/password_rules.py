"""The org's password rules in words. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from selfreg.idx.document import PasswordPolicy
from selfreg.idx.steps import Step

REPLACING = ("reenroll-authenticator", "reenroll-authenticator-warning", "reset-authenticator")


def password_policy(step: Step) -> PasswordPolicy | None:
    """The rules for the password that this step asks for, if it asks for one and the org states any.

    A first password has none before it that it could repeat.
    """
    policy = _stated(step)
    return policy if policy is None or step.remediation.name in REPLACING else replace(policy, history_count=0)


def _stated(step: Step) -> PasswordPolicy | None:
    if step.page == "password" and step.authenticator:
        return step.authenticator.password_policy
    asked = next((f for f in step.remediation.fields if f.name == "credentials"), None)
    return asked.authenticator.password_policy if asked and asked.authenticator else None


def typed_earlier(policy: PasswordPolicy, profile: Mapping[str, str]) -> dict[str, str]:
    """What the person typed on the first page (by HTML name) of the attributes that a password must not hold."""
    typed = {a: profile.get(f"userProfile.{a}", "").strip() for a in policy.exclude_attributes}
    return {attribute: value for attribute, value in typed.items() if value}


def password_rules(policy: PasswordPolicy) -> list[tuple[str, str]]:
    """(rule with its number, sentence) for every rule; scripts tick off ``length:8`` and the like while one types."""
    n = policy
    counted = (
        ("length", n.min_length, ngettext("At least %(n)d character", "At least %(n)d characters", n.min_length)),
        ("lower", n.min_lower, ngettext("A lowercase letter", "%(n)d lowercase letters", n.min_lower)),
        ("upper", n.min_upper, ngettext("An uppercase letter", "%(n)d uppercase letters", n.min_upper)),
        ("number", n.min_number, ngettext("A number", "%(n)d numbers", n.min_number)),
        ("symbol", n.min_symbol, ngettext("A symbol, such as ! or ?", "%(n)d symbols, such as ! or ?", n.min_symbol)),
        (
            "repeat",
            n.max_repeating,
            ngettext("No character twice in a row", "No character more than %(n)d times in a row", n.max_repeating),
        ),
        (
            "history",
            n.history_count,
            ngettext("Not your last password", "None of your last %(n)d passwords", n.history_count),
        ),
    )
    rules = [
        (f"{name}:{count}", sentence % {"n": count} if "%(n)d" in sentence else sentence)
        for name, count, sentence in counted
        if count
    ]
    if policy.active_directory_rules:
        rules.append(("kinds:3", _("Three of these: lowercase letter, uppercase letter, number, symbol")))
    if policy.exclude_username:
        rules.append(("username:1", _("No part of your e-mail address or username")))
    names = {"firstName": _("Not your first name"), "lastName": _("Not your last name")}
    rules += [
        (f"{a}:1", names.get(a) or _("Not your %(attribute)s") % {"attribute": a}) for a in policy.exclude_attributes
    ]
    return rules
