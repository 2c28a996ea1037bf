"""The password policy: complexity, age, lockout and recovery."""

from dataclasses import dataclass
from typing import Literal

from okta_devorg.policy.json_names import json_field


@dataclass(frozen=True)
class Complexity:
    """What a new password must consist of. `exclude_*`: what it must not contain."""

    min_length: int = json_field("minLength", 8)
    min_lower_case: int = json_field("minLowerCase", 1)
    min_upper_case: int = json_field("minUpperCase", 1)
    min_number: int = json_field("minNumber", 1)
    min_symbol: int = json_field("minSymbol", 0)
    exclude_username: bool = json_field("excludeUsername", True)
    exclude_attributes: tuple[Literal["firstName", "lastName"], ...] = json_field(
        "excludeAttributes", ("firstName", "lastName")
    )
    max_consecutive_repeating_characters: int | None = json_field("maxConsecutiveRepeatingCharacters", None)


@dataclass(frozen=True)
class Age:
    """How old passwords may be: they expire after `max_age_days` (0: never). The last `history_count` are refused."""

    max_age_days: int = json_field("maxAgeDays", 0)
    min_age_minutes: int = json_field("minAgeMinutes", 0)
    history_count: int = json_field("historyCount", 4)


@dataclass(frozen=True)
class Lockout:
    """After `max_attempts` wrong passwords in a row the account is locked (0: never).

    It is unlocked after `auto_unlock_minutes` (0: only by an administrator or by the user's own recovery).
    """

    max_attempts: int = json_field("maxAttempts", 10)
    auto_unlock_minutes: int = json_field("autoUnlockMinutes", 0)
    show_lockout_failures: bool = json_field("showLockoutFailures", False)


@dataclass(frozen=True)
class Recovery:
    """What users may do by themselves (reset the password, unlock the account) and what they prove for it."""

    reset: bool = True
    unlock: bool = False
    authenticators: tuple[Literal["okta_email", "phone_number"], ...] = ("okta_email",)
    security_question: bool = False


@dataclass(frozen=True)
class PasswordPolicy:
    """The whole password policy. `common_passwords`: refuse passwords from a list of common ones."""

    complexity: Complexity = Complexity()
    age: Age = Age()
    lockout: Lockout = Lockout()
    recovery: Recovery = Recovery()
    common_passwords: bool = True
