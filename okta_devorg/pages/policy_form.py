"""The form on the policy page: which settings it has, in the words of Okta's Admin Console, and reading it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from okta_devorg.factors.catalogue import AUTHENTICATORS
from okta_devorg.policy.serialization import merged, policy_to_json, to_json
from okta_devorg.policy.settings import Policy
from okta_devorg.wire.ion import Json

Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Setting:
    """One setting of the form, by the dotted path of its key: a select if it has `choices`, a number, or a checkbox."""

    path: str
    label: str
    choices: Choices = ()
    number: bool = False

    @property
    def is_checkbox(self) -> bool:
        """Whether the setting is on or off."""
        return not self.choices and not self.number


LEVELS: Choices = (("required", "Required"), ("optional", "Optional"), ("disabled", "Disabled"))
MINUTES: Choices = tuple((str(minutes * 60), f"{minutes} minutes") for minutes in (5, 10, 15, 20, 25, 30))
# Title, explanation and settings of each section.
SECTIONS: tuple[tuple[str, str, tuple[Setting, ...]], ...] = (
    (
        "User profile policy",
        "Who may sign up, and what is asked.",
        (
            Setting("sign_up", "Self-service registration: Allowed"),
            Setting("email_verification", "Email verification: Required before access is granted"),
            Setting("password_on_form", "Collect the password on the first page"),
        ),
    ),
    (
        "Authenticator enrollment policy",
        "What people set up when they sign up.",
        tuple(Setting(f"authenticators.{key}", item.label, LEVELS) for key, item in AUTHENTICATORS.items()),
    ),
    (
        "Authentication policy",
        "What it takes to get into the app.",
        (
            Setting(
                "sign_on",
                "User must authenticate with",
                (
                    ("any_1_factor", "Any 1 factor type"),
                    ("password_and_another", "Password + Another factor"),
                    ("denied", "Access is denied"),
                ),
            ),
            Setting("identifier_first", "The first page asks for the username only"),
            Setting("consent", "User consent: Require"),
            Setting("keep_me_signed_in", "Post-authentication prompt: Keep me signed in"),
        ),
    ),
    (
        "Email authenticator",
        "The mails with a code.",
        (
            Setting("lifetimes.email_code", "Email challenge lifetime", MINUTES),
            Setting("magic_link", "The mail has a link beside the code"),
        ),
    ),
    (
        "Password policy",
        "Rules a new password must satisfy.",
        (
            Setting("password.complexity.minLength", "Minimum length", number=True),
            Setting("password.complexity.minLowerCase", "Lowercase letters", number=True),
            Setting("password.complexity.minUpperCase", "Uppercase letters", number=True),
            Setting("password.complexity.minNumber", "Numbers", number=True),
            Setting("password.complexity.minSymbol", "Symbols", number=True),
            Setting("password.age.historyCount", "Enforce password history for the last ... passwords", number=True),
            Setting("password.age.maxAgeDays", "Password expires after ... days (0: never)", number=True),
            Setting(
                "password.lockout.maxAttempts", "Lock out user after ... unsuccessful attempts (0: never)", number=True
            ),
            Setting("password.recovery.reset", "Users can perform self-service: Password reset"),
            Setting("password.recovery.unlock", "Users can perform self-service: Unlock account"),
            Setting("password.recovery.security_question", "Additional verification: Security question"),
            Setting("password.common_passwords", "Restrict use of common passwords"),
        ),
    ),
    (
        "Trouble",
        "States an org can be in.",
        (
            Setting("safe_mode", "Read-only mode: nothing can be enrolled"),
            Setting(
                "sign_up_refusal",
                "Sign-ups are turned away",
                (
                    ("", "No"),
                    ("at_interact", "At the start (403)"),
                    ("unavailable", "After the link: unavailable"),
                    ("generic", "At the form: error creating the account"),
                    ("not_completed", "At the form: could not be completed"),
                    ("access_denied", "At the form: access denied"),
                    ("enrollment_not_allowed", "At the form: enrollment not allowed"),
                ),
            ),
        ),
    ),
)
SETTINGS = tuple(setting for _, _, settings in SECTIONS for setting in settings)


def value_at(policy: Policy, path: str) -> Any:
    """Return the JSON value of the setting at a dotted path."""
    value: Any = policy_to_json(policy)
    for name in path.split("."):
        value = value[name]
    return value


def patch_from_form(policy: Policy, form: Mapping[str, str]) -> Json:
    """Return the patch of the settings for a submitted form.

    Browsers do not send unticked checkboxes, so a missing one means "off"; other settings change only if sent.
    """
    patch: Json = {}
    for setting in SETTINGS:
        if setting.is_checkbox or setting.path in form:
            patch = merged(patch, _nested(setting.path, _read_value(setting, policy, form)))
    if any(name.startswith("label.") for name in form):
        patch["profile"] = [_read_attribute(to_json(attribute), form) for attribute in policy.profile]
    return patch


def _read_value(setting: Setting, policy: Policy, form: Mapping[str, str]) -> Any:
    if setting.is_checkbox:
        return setting.path in form
    text = form[setting.path].strip()
    is_number = setting.number or isinstance(value_at(policy, setting.path), int)
    return int(text) if is_number and text.isdecimal() else text or None


def _read_attribute(attribute: Json, form: Mapping[str, str]) -> Json:
    """Return the attribute with its label and whether it is required; the e-mail address always is."""
    name = attribute["name"]
    label = form.get(f"label.{name}", "").strip() or attribute["label"]
    return {**attribute, "label": label, "required": f"required.{name}" in form or name == "email"}


def _nested(path: str, value: Any) -> Json:
    """Return the value inside an object for each name of a dotted path."""
    name, _, rest = path.partition(".")
    return {name: _nested(rest, value) if rest else value}
