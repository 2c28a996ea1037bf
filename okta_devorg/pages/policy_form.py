"""The form on the policy page: which settings it has, in the words of Okta's Admin Console, and reading it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from okta_devorg.factors.catalogue import AUTHENTICATORS
from okta_devorg.policy.serialization import merged, policy_to_json, to_json
from okta_devorg.policy.settings import Policy
from okta_devorg.wire.ion import Json
from okta_devorg.wire.numbers import whole_number

Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Setting:
    """One setting of the form, by the dotted path of its key: a select if it has `choices`, a number, names with commas
    between them, or a checkbox.
    """

    path: str
    label: str
    choices: Choices = ()
    number: bool = False
    names: bool = False

    @property
    def is_checkbox(self) -> bool:
        """Whether the setting is on or off."""
        return not self.choices and not self.number and not self.names

    def choices_with(self, value: object) -> Choices:
        """Return the choices, and the present value if it is none of them: it may have been set by a program."""
        text = "" if value is None else str(value)
        return self.choices if text in dict(self.choices) else (*self.choices, (text, f"{text} (as set)"))


LEVELS: Choices = (("required", "Required"), ("optional", "Optional"), ("disabled", "Disabled"))
MINUTES: Choices = tuple((str(minutes * 60), f"{minutes} minutes") for minutes in (5, 10, 15, 20, 25, 30))
# Title, explanation and settings of each section.
SECTIONS: tuple[tuple[str, str, tuple[Setting, ...]], ...] = (
    (
        "User profile policy",
        "Who can sign up, and what the form asks for.",
        (
            Setting("sign_up", "Self-service registration: Allowed"),
            Setting("email_verification", "Email verification: Required before access is granted"),
            Setting("username_format", "Username format", (("email", "Email address"), ("none", "Anything"))),
            Setting("allowed_identifiers", "Identifiers for signing in", names=True),
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
        "What people need to sign in to the app.",
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
            Setting("identifier_first", "The first page only asks for the username"),
            Setting("consent", "User consent: Require"),
            Setting("granular_consent", "User consent: for each scope"),
            Setting("identity_verification", "Identity verification", (("", "None"), ("Persona", "Persona"))),
            Setting(
                "account_management",
                "Account management policy",
                (("none", "None"), ("password_first", "Password first")),
            ),
            Setting("grace_period.authenticators", "Authenticators that can be skipped for now", names=True),
            Setting("grace_period.days", "They can be skipped for ... days", number=True),
            Setting("recovery_only", "Authenticators for recovery only", names=True),
            Setting("passkey_promotion", "Passkey enrollment promotion"),
            Setting("telephony", "Texts and calls can be sent"),
            Setting(
                "device_probe",
                "Look for Okta Verify on the device",
                (
                    ("", "No"),
                    ("loopback", "Loopback"),
                    ("custom_uri", "Custom URI"),
                    ("app_link", "App link"),
                    ("universal_link", "Universal link"),
                ),
            ),
            Setting("keep_me_signed_in", "Post-authentication prompt: Keep me signed in"),
        ),
    ),
    (
        "Email authenticator",
        "Emails with a code.",
        (
            Setting("lifetimes.email_code", "Email challenge lifetime", MINUTES),
            Setting("email_code.length", "Characters of a code", number=True),
            Setting("email_code.alphanumeric", "Codes also have letters"),
            Setting("magic_link", "Emails also have a link"),
        ),
    ),
    (
        "Password policy",
        "Rules for a new password.",
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
        "Special states of the org.",
        (
            Setting("safe_mode", "Read-only mode: nothing can be enrolled"),
            Setting(
                "sign_up_refusal",
                "Refuse sign-ups",
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
        fixed = always_required(policy)
        patch["profile"] = [_read_attribute(to_json(attribute), form, fixed) for attribute in policy.profile]
    return patch


def always_required(policy: Policy) -> set[str]:
    """Return the names of the attributes that must be filled in: the address, where the form has no other login."""
    logins = {"login", *policy.allowed_identifiers} & {attribute.name for attribute in policy.profile}
    return set() if logins else {"email"}


def _read_value(setting: Setting, policy: Policy, form: Mapping[str, str]) -> Any:
    if setting.is_checkbox:
        return setting.path in form
    text = form[setting.path].strip()
    if setting.names:
        return [name.strip() for name in text.split(",") if name.strip()]
    is_number = setting.number or isinstance(value_at(policy, setting.path), int)
    number = whole_number(text) if is_number else None
    return (text or None) if number is None else number


def _read_attribute(attribute: Json, form: Mapping[str, str], fixed: set[str]) -> Json:
    """Return the attribute with its label and whether it is required, which `fixed` ones always are."""
    name = attribute["name"]
    label = form.get(f"label.{name}", "").strip() or attribute["label"]
    return {**attribute, "label": label, "required": f"required.{name}" in form or name in fixed}


def _nested(path: str, value: Any) -> Json:
    """Return the value inside an object for each name of a dotted path."""
    name, _, rest = path.partition(".")
    return {name: _nested(rest, value) if rest else value}
