"""Presets of the policy page: the usual kinds of sign-up, one button each."""

from dataclasses import dataclass, replace
from typing import Any

from okta_devorg.policy.serialization import merged, patched, to_json
from okta_devorg.policy.settings import DEFAULT_PROFILE, Attribute, Authenticators, Policy
from okta_devorg.wire.ion import Json

# What every preset sets; the rest of the settings stays as it is.
COMMON: Json = {
    "sign_up": True,
    "sign_up_refusal": None,
    "safe_mode": False,
    "password_on_form": False,
    "email_verification": True,
    "magic_link": True,
    "sign_on": "any_1_factor",
    "identifier_first": False,
    "passkey_promotion": False,
    "grace_period": {"authenticators": []},
    "username_format": "email",
    "allowed_identifiers": ["login"],
    "authenticators": dict.fromkeys(to_json(Authenticators()), "disabled"),
}


USERNAME_PROFILE = (
    Attribute("login", "Username", required=True),
    *(replace(attribute, required=attribute.name != "email") for attribute in DEFAULT_PROFILE),
)


@dataclass(frozen=True)
class Preset:
    """A preset: its name in the form, its label, and what people do who sign up with it."""

    name: str
    label: str
    about: str
    patch: Json

    def is_set(self, policy: Policy) -> bool:
        """Return whether the settings are those of the preset."""
        return patched(policy, self.patch) == policy


def _preset(name: str, label: str, about: str, required: str, optional: str = "", **settings: Any) -> Preset:
    """Return a preset with these authenticators, separated by spaces."""
    levels = {**dict.fromkeys(required.split(), "required"), **dict.fromkeys(optional.split(), "optional")}
    return Preset(name, label, about, merged(COMMON, {**settings, "authenticators": levels}))


PRESETS = (
    _preset("email-password", "Email + password", "A code by email, then a password.", "okta_email okta_password"),
    _preset(
        "short",
        "Password first",
        "The password on the first page, then a code by email.",
        "okta_email okta_password",
        password_on_form=True,
    ),
    _preset("passwordless", "Passwordless", "A code by email and nothing else.", "okta_email", identifier_first=True),
    _preset(
        "link-only",
        "Link only",
        "The password on the first page; a link in an email activates the account.",
        "okta_password",
        password_on_form=True,
    ),
    _preset(
        "later",
        "Address later",
        "A password; the address can be verified later.",
        "okta_password",
        "okta_email",
        email_verification=False,
    ),
    _preset(
        "phone",
        "With phone",
        "A code by email, a password, and a phone for those who want.",
        "okta_email okta_password",
        "phone_number",
    ),
    _preset(
        "two-factors",
        "Two factors",
        "A password, and one of email, phone, authenticator app or passkey.",
        "okta_password",
        "okta_email phone_number google_otp webauthn",
        sign_on="password_and_another",
    ),
    _preset(
        "passkey",
        "Passkey offered",
        "A code by email and a password; then a passkey is offered.",
        "okta_email okta_password",
        "webauthn",
        passkey_promotion=True,
    ),
    _preset(
        "put-off",
        "Phone can wait",
        "A code by email and a password; a phone is required, but not at once.",
        "okta_email okta_password phone_number",
        grace_period={"authenticators": ["phone_number"]},
    ),
    _preset(
        "usernames",
        "Usernames",
        "A username and a password; an address only for those who want.",
        "okta_password",
        "okta_email",
        email_verification=False,
        username_format="none",
        profile=to_json(USERNAME_PROFILE),
    ),
)
