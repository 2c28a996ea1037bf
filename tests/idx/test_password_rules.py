"""The password rules of an org."""

import pytest

from selfreg.idx.document import PasswordPolicy
from selfreg.idx.parser import parse
from selfreg.idx.password_rules import broken_rules
from support.idx.documents import PASSWORD, document, step, wrapped

ADA = {"firstName": "Ada", "lastName": "Lovelace"}


def broken_names(policy: PasswordPolicy, password: str, login: str = "ada.byron@bee.info") -> list[str]:
    return [rule.name for rule in broken_rules(policy, password, ADA, login)]


@pytest.mark.parametrize(
    ("policy", "bad", "good"),
    [
        (PasswordPolicy(min_length=4), "abc", "abcd"),
        (PasswordPolicy(max_length=4), "abcde", "abcd"),
        (PasswordPolicy(), "x" * 73, "x" * 72),
        (PasswordPolicy(), "é" * 37, "é" * 36),
        (PasswordPolicy(min_lower=2), "aB", "abB"),
        (PasswordPolicy(min_upper=1), "ß1", "É1"),
        (PasswordPolicy(min_number=2), "a1", "a1٣"),
        (PasswordPolicy(min_symbol=1), "ab§", "ab "),
        (PasswordPolicy(max_repeating=2), "aaab", "aabaa"),
        (PasswordPolicy(active_directory_rules=True), "abcABC", "abcABC1"),
        (PasswordPolicy(exclude_username=True), "my-BYRON-7", "my-ada-bee-7"),
        (PasswordPolicy(exclude_attributes=("firstName",)), "xADAx", "xLovelacex"),
        (PasswordPolicy(exclude_attributes=("lastName",)), "lovelace1", "Ada"),
    ],
)
def test_each_password_rule_can_be_broken_and_met(policy: PasswordPolicy, bad: str, good: str) -> None:
    assert len(broken_names(policy, bad)) == 1
    assert broken_names(policy, good) == []


def test_the_top_level_domain_of_a_login_is_allowed_in_the_password() -> None:
    policy = PasswordPolicy(exclude_username=True)
    assert broken_names(policy, "Information-77", "ada@bee.info") == []
    assert broken_names(policy, "Information-77", "info@bee.com") == ["username"]
    assert broken_names(policy, "Information-77", "ada.info") == ["username"]


def test_short_names_and_parts_of_a_login_are_allowed_in_the_password() -> None:
    policy = PasswordPolicy(exclude_username=True, exclude_attributes=("firstName",))
    assert broken_rules(policy, "ada-al-7", {"firstName": "Al"}, "ada@bee.de") == ()


def test_history_and_minimum_age_are_not_checked_here() -> None:
    assert broken_names(PasswordPolicy(history_count=4, min_age_minutes=60), "x") == []


@pytest.mark.parametrize(
    ("complexity", "excluded"),
    [
        ({"excludeFirstName": True, "excludeLastName": True}, ("firstName", "lastName")),
        ({"excludeFirstName": False, "excludeLastName": True}, ("lastName",)),
        ({"excludeAttributes": ["lastName", 7], "excludeFirstName": True}, ("lastName", "firstName")),
        ({"excludeAttributes": "lastName", "excludeLastName": "yes"}, ()),
    ],
)
def test_excluded_attributes_come_from_a_list_or_from_flags(
    complexity: dict[str, object], excluded: tuple[str, ...]
) -> None:
    authenticator = {**PASSWORD, "settings": {"complexity": {**complexity, "maxLength": 30}}}
    current = parse(
        document(step("enroll-authenticator"), currentAuthenticator=wrapped(authenticator))
    ).current_authenticator
    assert current
    assert current.password_policy
    assert current.password_policy.exclude_attributes == excluded
    assert current.password_policy.max_length == 30
