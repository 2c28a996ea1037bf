"""The authenticators of Okta that this package knows: one row for each. A new one is a new row here.

The keys and types are those of the protocol (docs/protocol.md, section 3.7). Names and hints are English
msgids; whoever shows them translates them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

EMAIL = "okta_email"
PASSWORD = "okta_password"
PHONE = "phone_number"


def gettext_noop(text: str) -> str:
    """Marks a msgid for ``makemessages``; this package does not depend on Django."""
    return text


@dataclass(frozen=True, slots=True)
class AuthenticatorInfo:
    """What is known about the authenticators of one key.

    :param key: the ``key`` that an org sends; "" in the row of an unknown authenticator
    :param kind: the ``type`` that an org sends; "" where only the org's answer tells
    :param pages: name of a remediation -> the page that serves it; any other gets the page "other"
    :param can_be_enrolled: whether a server-rendered page can enroll it
    :param sends_on_choice: whether the org mails, texts or calls as soon as somebody chooses it
    :param proves: what a right code proves to belong to the person; "" for nothing
    :param name: what administrators read; a msgid, "" where there is none
    :param hint: what stands beside it in a choice; a msgid, "" where there is none
    """

    key: str = ""
    kind: str = ""
    pages: Mapping[str, str] = field(default_factory=dict)
    can_be_enrolled: bool = False
    sends_on_choice: bool = False
    proves: Literal["", "email", "phone"] = ""
    name: str = ""
    hint: str = ""


_ROWS = (
    AuthenticatorInfo(
        key=EMAIL,
        kind="email",
        pages={"enroll-authenticator": "code", "challenge-authenticator": "code"},
        can_be_enrolled=True,
        sends_on_choice=True,
        proves="email",
        name=gettext_noop("E-mail code"),
        hint=gettext_noop("We send a code to your e-mail address."),
    ),
    AuthenticatorInfo(
        key=PASSWORD,
        kind="password",
        pages={
            "enroll-authenticator": "password",
            "reenroll-authenticator": "password",
            "reenroll-authenticator-warning": "password",
            "reset-authenticator": "password",
        },
        can_be_enrolled=True,
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
        can_be_enrolled=True,
        sends_on_choice=True,
        proves="phone",
        name=gettext_noop("Phone code"),
        hint=gettext_noop("We send a code by text message or call."),
    ),
    AuthenticatorInfo(
        key="security_question",
        kind="security_question",
        pages={"enroll-authenticator": "question"},
        can_be_enrolled=True,
        name=gettext_noop("Security question"),
        hint=gettext_noop("Choose a question and an answer only you know."),
    ),
    AuthenticatorInfo(
        key="google_otp",
        kind="app",
        pages={"enroll-authenticator": "totp"},
        can_be_enrolled=True,
        name=gettext_noop("Authenticator app"),
        hint=gettext_noop("Codes from an authenticator app on your phone."),
    ),
    AuthenticatorInfo(
        key="webauthn",
        kind="security_key",
        pages={"enroll-authenticator": "passkey"},
        can_be_enrolled=True,
        name=gettext_noop("Passkey"),
        hint=gettext_noop("Your fingerprint, face, screen lock or a security key."),
    ),
    # Only its own app on a phone can enroll it.
    AuthenticatorInfo(key="okta_verify", kind="app", name=gettext_noop("Okta Verify")),
    # Hardware tokens and apps of other vendors: an ordinary form takes their codes.
    AuthenticatorInfo(key="custom_otp", can_be_enrolled=True),
    AuthenticatorInfo(key="del_oath", can_be_enrolled=True),
    AuthenticatorInfo(key="rsa_token", can_be_enrolled=True),
    AuthenticatorInfo(key="symantec_vip", can_be_enrolled=True),
    AuthenticatorInfo(key="yubikey_token", can_be_enrolled=True),
)
UNKNOWN = AuthenticatorInfo()

AUTHENTICATORS: Mapping[str, AuthenticatorInfo] = {row.key: row for row in _ROWS}
"""By key."""

_KINDS = [row.kind for row in _ROWS]
BY_KIND: Mapping[str, AuthenticatorInfo] = {row.kind: row for row in _ROWS if row.kind and _KINDS.count(row.kind) == 1}
"""By kind, where one kind has one row."""


def by_key(key: str) -> AuthenticatorInfo:
    """The row of this key, ``UNKNOWN`` if there is none."""
    return AUTHENTICATORS.get(key, UNKNOWN)


def by_kind(kind: str) -> AuthenticatorInfo:
    """The row of this kind; ``UNKNOWN`` if there is none, or more than one ("app")."""
    return BY_KIND.get(kind, UNKNOWN)
