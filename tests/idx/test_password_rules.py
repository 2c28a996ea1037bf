"""Which rules of an org a new password breaks."""

import pytest

from selfreg.idx.document import PasswordPolicy
from selfreg.idx.parser import parse
from selfreg.idx.password_rules import broken_rules
from support.idx.documents import PASSWORD, document, step, wrapped

ADA = {"firstName": "Ada", "lastName": "Lovelace"}


def broken(policy: PasswordPolicy, password: str, login: str = "ada.byron@bee.info") -> list[str]:
    return [rule.name for rule in broken_rules(policy, password, ADA, login)]


@pytest.mark.parametrize(
    ("policy", "breaks", "meets"),
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
def test_each_rule_is_broken_and_met(policy: PasswordPolicy, breaks: str, meets: str) -> None:
    assert len(broken(policy, breaks)) == 1
    assert broken(policy, meets) == []


def test_the_last_label_of_an_address_may_be_in_the_password() -> None:
    policy = PasswordPolicy(exclude_username=True)
    assert broken(policy, "Information-77", "ada@bee.info") == []
    assert broken(policy, "Information-77", "info@bee.com") == ["username"]
    assert broken(policy, "Information-77", "ada.info") == ["username"]


def test_short_parts_of_a_login_and_short_names_may_be_in_the_password() -> None:
    policy = PasswordPolicy(exclude_username=True, exclude_attributes=("firstName",))
    assert broken_rules(policy, "ada-al-7", {"firstName": "Al"}, "ada@bee.de") == ()


def test_what_only_the_org_can_know_is_left_to_it() -> None:
    assert broken(PasswordPolicy(history_count=4, min_age_minutes=60), "x") == []


@pytest.mark.parametrize(
    ("complexity", "excluded"),
    [
        ({"excludeFirstName": True, "excludeLastName": True}, ("firstName", "lastName")),
        ({"excludeFirstName": False, "excludeLastName": True}, ("lastName",)),
        ({"excludeAttributes": ["lastName", 7], "excludeFirstName": True}, ("lastName", "firstName")),
        ({"excludeAttributes": "lastName", "excludeLastName": "yes"}, ()),
    ],
)
def test_names_are_excluded_by_a_list_or_by_flags(complexity: dict[str, object], excluded: tuple[str, ...]) -> None:
    holder = {**PASSWORD, "settings": {"complexity": {**complexity, "maxLength": 30}}}
    current = parse(document(step("enroll-authenticator"), currentAuthenticator=wrapped(holder))).current_authenticator
    assert current
    assert current.password_policy
    assert current.password_policy.exclude_attributes == excluded
    assert current.password_policy.max_length == 30
