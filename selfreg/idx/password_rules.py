"""The rules for a new password, and which of them a password breaks. Pure.

The policy comes from the org (docs/protocol.md, section 4.6). ``static/selfreg/password.js`` checks the same rules
while the visitor types.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from selfreg.idx.document import PasswordPolicy

# Okta hashes with bcrypt, which ignores every byte after these.
MAX_BYTES = 72
# Okta splits a login at these characters and excludes parts of four or more characters, and names of three or more.
LOGIN_SEPARATORS = re.compile(r"[,.\-_#@]")
SHORTEST_PART = 4
SHORTEST_NAME = 3
SYMBOLS = frozenset(" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
LOWER, UPPER, DIGIT = "Ll", "Lu", "Nd"
# Rules that only the org can check: they depend on earlier passwords, or on when the last one was set.
UNKNOWN_HERE = frozenset({"history", "age"})


class Rule(NamedTuple):
    """One rule: ``length``, ``max``, ``lower``, ``upper``, ``number``, ``symbol``, ``kinds``, ``repeat``, ``history``,
    ``age``, ``username``, or the name of an attribute whose value the password must not contain.
    """

    name: str
    number: int = 1


def rules_of(policy: PasswordPolicy) -> tuple[Rule, ...]:
    """Return the rules of a policy, in the order in which a page lists them."""
    counted = (
        Rule("length", policy.min_length),
        Rule("max", policy.max_length),
        Rule("lower", policy.min_lower),
        Rule("upper", policy.min_upper),
        Rule("number", policy.min_number),
        Rule("symbol", policy.min_symbol),
        Rule("repeat", policy.max_repeating),
        Rule("history", policy.history_count),
        Rule("age", policy.min_age_minutes),
        Rule("kinds", 3 if policy.active_directory_rules else 0),
        Rule("username", int(policy.exclude_username)),
    )
    return (*(rule for rule in counted if rule.number), *(Rule(name) for name in policy.exclude_attributes))


def broken_rules(policy: PasswordPolicy, password: str, profile: Mapping[str, str], login: str) -> tuple[Rule, ...]:
    """Return the rules that a password certainly breaks, without those that only the org can check.

    :param profile: attribute -> value, as far as known
    :param login: the username, mostly the email address; "" if it is not known
    """
    rules, counts = rules_of(policy), _counts_of(password)
    is_too_long = len(password.encode("utf-8", "surrogatepass")) > MAX_BYTES and not policy.max_length
    values = {**profile, "username": login}
    broken = tuple(rule for rule in rules if not _is_met(rule, password, counts, values))
    return (*broken, Rule("max", MAX_BYTES)) if is_too_long else broken


def login_parts(login: str) -> Iterator[str]:
    """Return the parts of a login that a password must not contain, without the last label of an address ("com")."""
    name, at, domain = login.strip().rpartition("@")
    searched = f"{name}@{domain.rpartition('.')[0]}" if at else login
    return (part for part in LOGIN_SEPARATORS.split(searched) if len(part) >= SHORTEST_PART)


def _counts_of(password: str) -> dict[str, int]:
    """Return what the rules count, by the name of the rule."""
    kinds = Counter(unicodedata.category(c) for c in password)
    symbols = sum(c in SYMBOLS for c in password)
    counts = {"lower": kinds[LOWER], "upper": kinds[UPPER], "number": kinds[DIGIT], "symbol": symbols}
    return {**counts, "length": len(password), "kinds": sum(map(bool, counts.values()))}


def _is_met(rule: Rule, password: str, counts: Mapping[str, int], values: Mapping[str, str]) -> bool:
    """Return whether a password meets a rule.

    :param values: attribute -> value; the login is that of "username"
    """
    name, number = rule
    if name in counts:
        return counts[name] >= number
    if name in UNKNOWN_HERE:
        return True
    if name == "max":
        return len(password) <= number
    if name == "repeat":
        return re.search(rf"(.)\1{{{min(number, MAX_BYTES)},}}", password, re.DOTALL) is None
    value = values.get(name, "").strip()
    if name == "username":
        return not _contains(password, login_parts(value))
    return len(value) < SHORTEST_NAME or not _contains(password, iter([value]))


def _contains(password: str, words: Iterator[str]) -> bool:
    folded = password.lower()
    return any(word.lower() in folded for word in words)
