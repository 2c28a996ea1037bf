"""The authenticators that this package knows, one row each. To support another one, add a row.

The keys and types are those of the protocol (docs/protocol.md, section 3.7). Names and hints are English msgids, to be
translated where they are shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

EMAIL = "okta_email"
PASSWORD = "okta_password"
PHONE = "phone_number"
# Remediations that ask people with a password for a new one.
NEW_PASSWORD = ("reenroll-authenticator", "reenroll-authenticator-warning", "reset-authenticator")
DEVICE_PAGES = {
    "enroll-poll": "device",
    "select-enrollment-channel": "channel",
    "enrollment-channel-data": "channel_data",
}


def gettext_noop(text: str) -> str:
    """Mark a msgid for ``makemessages``; this package does not depend on Django."""
    return text


@dataclass(frozen=True, slots=True)
class AuthenticatorInfo:
    """What is known about the authenticators of one key.

    :param key: the ``key`` that an org sends; "" in the row of an unknown authenticator
    :param kind: the ``type`` that an org sends; "" if it varies
    :param pages: name of a remediation -> the page that serves it; any other gets the page "other"
    :param can_be_enrolled: whether a server-rendered page can enroll it
    :param presets: field of its choice -> the value that is chosen for the visitor, if the org offers it
    :param sends_on_choice: whether the org mails, texts or calls as soon as it is chosen
    :param proves: what a correct code proves to belong to the person; "" for nothing
    :param name: its name for administrators, a msgid; "" if it has none
    :param hint: the hint beside it in a choice, a msgid; "" if it has none
    """

    key: str = ""
    kind: str = ""
    pages: Mapping[str, str] = field(default_factory=dict)
    can_be_enrolled: bool = True
    presets: Mapping[str, str] = field(default_factory=dict)
    sends_on_choice: bool = False
    proves: Literal["", "email", "phone"] = ""
    name: str = ""
    hint: str = ""


_ROWS = (
    AuthenticatorInfo(
        key=EMAIL,
        kind="email",
        pages={"enroll-authenticator": "code", "challenge-authenticator": "code"},
        sends_on_choice=True,
        proves="email",
        name=gettext_noop("Email code"),
        hint=gettext_noop("We'll email you a code."),
    ),
    AuthenticatorInfo(
        key=PASSWORD,
        kind="password",
        pages=dict.fromkeys((*NEW_PASSWORD, "enroll-authenticator"), "password"),
        name=gettext_noop("Password"),
        hint=gettext_noop("Choose a password for this account."),
    ),
    AuthenticatorInfo(
        key=PHONE,
        kind="phone",
        pages={
            "select-authenticator-enroll": "phone",
            "authenticator-enrollment-data": "phone",
            "enroll-authenticator": "code",
            "challenge-authenticator": "code",
        },
        sends_on_choice=True,
        proves="phone",
        name=gettext_noop("Phone code"),
        hint=gettext_noop("We'll send you a code by text message or call."),
    ),
    AuthenticatorInfo(
        key="security_question",
        kind="security_question",
        pages={"enroll-authenticator": "question"},
        name=gettext_noop("Security question"),
        hint=gettext_noop("Choose a question and an answer only you know."),
    ),
    AuthenticatorInfo(
        key="google_otp",
        kind="app",
        pages={"enroll-authenticator": "totp"},
        name=gettext_noop("Authenticator app"),
        hint=gettext_noop("Codes from an authenticator app on your phone."),
    ),
    AuthenticatorInfo(
        key="webauthn",
        kind="security_key",
        pages={"enroll-authenticator": "passkey", "challenge-authenticator": "passkey"},
        name=gettext_noop("Passkey"),
        hint=gettext_noop("Your fingerprint, face, screen lock or a security key."),
    ),
    # An app on a phone enrolls it, by a link that the page shows or has sent. The same goes for an org's own app.
    AuthenticatorInfo(
        key="okta_verify",
        kind="app",
        pages=DEVICE_PAGES,
        presets={"channel": "qrcode"},
        name=gettext_noop("Okta Verify"),
        hint=gettext_noop("An app on your phone that confirms it's you."),
    ),
    # Another site identifies the person.
    AuthenticatorInfo(
        key="external_idp",
        kind="federated",
        pages={"redirect-idp": "elsewhere"},
        name=gettext_noop("Account at another site"),
        hint=gettext_noop("Sign in there, then come back here."),
    ),
    AuthenticatorInfo(key="custom_app", kind="app", pages=DEVICE_PAGES, presets={"channel": "qrcode"}),
    # The browser reads the card at the org, behind a link.
    AuthenticatorInfo(key="smart_card_idp", pages=dict.fromkeys(("piv-idp", "redirect-idp"), "elsewhere")),
    # This one needs another company's script. All others are enrolled with an ordinary form.
    AuthenticatorInfo(key="duo", can_be_enrolled=False),
)
UNKNOWN = AuthenticatorInfo()

AUTHENTICATORS: Mapping[str, AuthenticatorInfo] = {row.key: row for row in _ROWS}
"""By key."""

_KINDS = [row.kind for row in _ROWS]
BY_KIND: Mapping[str, AuthenticatorInfo] = {row.kind: row for row in _ROWS if row.kind and _KINDS.count(row.kind) == 1}
"""By kind, where one kind has one row: "app" has several."""


def by_key(key: str) -> AuthenticatorInfo:
    """Return the row of this key, or ``UNKNOWN``."""
    return AUTHENTICATORS.get(key, UNKNOWN)
