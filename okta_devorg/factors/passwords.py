"""The rules for a new password, as the settings have them (docs/protocol.md, section 4.6)."""

import re
import string

from okta_devorg.policy.password_settings import Complexity, PasswordPolicy
from okta_devorg.policy.serialization import to_json
from okta_devorg.state.users import User, matches_hash
from okta_devorg.wire.ion import Json, message

# Passwords that satisfy the usual rules and are on every list of common ones.
COMMON_PASSWORDS = frozenset(
    """
    password1 password12 password123 password1! password123! passw0rd passw0rd1 p@ssw0rd p@ssword1
    qwerty123 qwerty12 qwerty1234 qwertyuiop1 welcome1 welcome12 welcome123 welcome1! letmein1
    letmein123 iloveyou1 abc12345 abcd12345 admin123 admin1234 changeme1 changeme123 football1
    baseball1 superman1 sunshine1 princess1 monkey123 dragon123 trustno1 summer2024 summer2025
    winter2024 winter2025 spring2025 autumn2025 test1234 testtest1 hello123 hello1234 1q2w3e4r
    1qaz2wsx zaq12wsx asdf1234 qwer1234 aa123456 a1234567 pass1234
    """.split()  # noqa: SIM905 (a list literal would be a hundred lines)
)


def rules_json(policy: PasswordPolicy) -> Json:
    """Return the rules as IDX shows them beside a new password, for `settings`."""
    complexity = {key: value for key, value in to_json(policy.complexity).items() if value is not None}
    age = {key: value for key, value in to_json(policy.age).items() if key != "maxAgeDays"}
    return {"complexity": complexity, "age": age}


def password_problems(
    policy: PasswordPolicy, password: str, login: str, profile: Json, user: User | None = None
) -> list[Json]:
    """Return messages about what is wrong with a new password; none if nothing is.

    `user` is the owner of the password, None while the account does not exist yet.
    """
    if _breaks_a_rule(policy, password, login, profile, user):
        sentence = _requirements_sentence(policy)
        return [message(sentence, "password.passwordRequirementsNotMet", [sentence])]
    if policy.common_passwords and password.casefold() in COMMON_PASSWORDS:
        text = "This password was found in a list of commonly used passwords. Please try another password."
        return [message(text, "password.common", [""])]
    return []


def _breaks_a_rule(policy: PasswordPolicy, password: str, login: str, profile: Json, user: User | None) -> bool:
    rules = policy.complexity
    counts = (
        (len(password), rules.min_length),
        (sum(c.islower() for c in password), rules.min_lower_case),
        (sum(c.isupper() for c in password), rules.min_upper_case),
        (sum(c.isdigit() for c in password), rules.min_number),
        (sum(c in string.punctuation + " " for c in password), rules.min_symbol),
    )
    return (
        any(count < least for count, least in counts)
        or len(password.encode("utf-8", "surrogatepass")) > 72
        or _contains_personal_data(rules, password, login, profile)
        or _repeats_characters(rules, password)
        or _was_used_before(policy, password, user)
    )


def _contains_personal_data(rules: Complexity, password: str, login: str, profile: Json) -> bool:
    """Return whether the password contains a name or a part of the login.

    Parts of the login count from four characters, names from three: shorter ones would exclude too many words. The
    last label of an address ("com") does not count.
    """
    searched = re.sub(r"(@[^@]*)\.[^.@]*$", r"\1", login)
    words = [part for part in re.split(r"[,.\-_#@]", searched) if len(part) >= 4] if rules.exclude_username else []
    words += [str(profile.get(name, "")) for name in rules.exclude_attributes if len(str(profile.get(name, ""))) >= 3]
    return any(word.casefold() in password.casefold() for word in words)


def _repeats_characters(rules: Complexity, password: str) -> bool:
    most = rules.max_consecutive_repeating_characters
    return bool(most) and re.search(rf"(.)\1{{{most},}}", password, re.DOTALL) is not None


def _was_used_before(policy: PasswordPolicy, password: str, user: User | None) -> bool:
    if user is None or not policy.age.history_count:
        return False
    used_hashes = [user.password_hash, *user.password_history]
    return any(matches_hash(password, used) for used in used_hashes[: policy.age.history_count] if used)


def _requirements_sentence(policy: PasswordPolicy) -> str:
    rules, most = policy.complexity, policy.complexity.max_consecutive_repeating_characters
    history = policy.age.history_count
    requirements = (
        (rules.min_length, f"at least {rules.min_length} characters"),
        (rules.min_lower_case, "a lowercase letter"),
        (rules.min_upper_case, "an uppercase letter"),
        (rules.min_number, "a number"),
        (rules.min_symbol, "a symbol"),
        (rules.exclude_username, "no parts of your username"),
        ("firstName" in rules.exclude_attributes, "does not include your first name"),
        ("lastName" in rules.exclude_attributes, "does not include your last name"),
        (most, f"no more than {most} repeated characters in a row"),
        (history, f"your password cannot be any of your last {history} passwords"),
    )
    texts = ", ".join(text for is_required, text in requirements if is_required)
    return f"Password requirements were not met. Password requirements: {texts}."
