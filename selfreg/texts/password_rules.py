"""The org's password rules in sentences."""

from collections.abc import Mapping
from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from selfreg.idx.document import PasswordPolicy
from selfreg.idx.steps import Step

# Remediations that ask for another password in place of one that exists.
REPLACING = ("reenroll-authenticator", "reenroll-authenticator-warning", "reset-authenticator")


def password_policy(step: Step) -> PasswordPolicy | None:
    """Returns the rules for the password that a step asks for. None where it asks for none, or the org sent no rules.

    A first password has no history: there is none before it that it could repeat.
    """
    policy = _policy_of(step)
    return policy if policy is None or step.remediation.name in REPLACING else replace(policy, history_count=0)


def _policy_of(step: Step) -> PasswordPolicy | None:
    if step.page == "password" and step.authenticator:
        return step.authenticator.password_policy
    field = next((f for f in step.remediation.fields if f.name == "credentials"), None)
    return field.authenticator.password_policy if field and field.authenticator else None


def forbidden_values(policy: PasswordPolicy, profile: Mapping[str, str]) -> dict[str, str]:
    """Returns the values that the password must not contain, by attribute.

    :param profile: what the visitor typed on the first page, by HTML name
    """
    values = {name: profile.get(f"userProfile.{name}", "").strip() for name in policy.exclude_attributes}
    return {name: value for name, value in values.items() if value}


def password_rules(policy: PasswordPolicy) -> list[tuple[str, str]]:
    """Returns every rule as (name and number, sentence), such as ("length:8", "At least 8 characters").

    The script of the page marks the rules that are met while the visitor types, by name and number.
    """
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
