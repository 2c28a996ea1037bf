"""Answers of the Identity Engine as frozen, typed objects (docs/protocol.md, section 3). ``parser`` builds them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from selfreg.secret import NOTHING, Secret

Scalar = str | int | float | bool
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the org for the visitor.

    :param key: its i18n key, "" if it has none
    :param params: values for the placeholders of the translated sentence
    :param severity: ``ERROR``, ``INFO``, ``SUCCESS`` or ``WARNING``
    :param path: the dotted name of the field that it is about, "" for the whole page
    """

    text: str
    key: str = ""
    params: tuple[str, ...] = ()
    severity: str = "ERROR"
    path: str = ""


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """The rules of the password authenticator. 0 means that a rule does not apply."""

    min_length: int = 0
    max_length: int = 0
    min_lower: int = 0
    min_upper: int = 0
    min_number: int = 0
    min_symbol: int = 0
    max_repeating: int = 0
    exclude_username: bool = False
    exclude_attributes: tuple[str, ...] = ()
    active_directory_rules: bool = False
    history_count: int = 0
    min_age_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Action:
    """A call that the org offers. A ``Remediation`` is one that is a step of the flow.

    :param href: where to send it, as the org wrote it
    :param refresh_ms: milliseconds between two calls of a poll
    """

    name: str
    href: str = field(repr=False)
    method: str = "POST"
    fields: "tuple[Field, ...]" = ()
    refresh_ms: int = 0


@dataclass(frozen=True, slots=True)
class Authenticator:
    """One way for a person to prove who they are.

    :param key: which one, see ``authenticators``; by its type where an old org sends no key
    :param kind: its ``type``: "email", "phone", "app" ...
    :param question: the security question that the person has chosen
    :param contact: the person's address or number, partly hidden
    :param shared_secret: of an authenticator app, to be typed in
    :param qr_image: of an authenticator app, as a data URL
    :param activation: the options of a passkey's ceremony (WebAuthn), to create one or to ask for one
    :param magic_link: whether its mails have a link besides the code
    :param shown_code: a code to type in elsewhere
    :param device: how Okta Verify is set up on a device
    :param required_from: until then, setting it up can be skipped; ``skips_left``: how often it can be skipped
    """

    id: str
    key: str
    kind: str
    label: str
    password_policy: PasswordPolicy | None = None
    question: str = ""
    contact: str = field(default="", repr=False)
    shared_secret: str = field(default="", repr=False)
    qr_image: str = field(default="", repr=False)
    activation: Json | None = field(default=None, repr=False)
    magic_link: bool = True
    shown_code: str = field(default="", repr=False)
    device: "DeviceSetUp | None" = None
    required_from: datetime | None = None
    skips_left: int = 0
    resend: Action | None = None
    poll: Action | None = None


@dataclass(frozen=True, slots=True)
class DeviceSetUp:
    """How an app on a device is set up (docs/protocol.md, section 4.13).

    :param channel: how the device gets its link: "qrcode", "email", "sms", "samedevice" or "devicebootstrap"
    :param sent_to: the address or number that it was sent to
    :param org_url: the URL to type into the app
    :param other_device: the name of a device that already has the app
    """

    channel: str = ""
    sent_to: str = field(default="", repr=False)
    org_url: str = ""
    other_device: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: a scalar ``value``, or an object with its ``fields`` (``leaves``: the innermost of them)."""

    label: str
    value: Scalar | None = None
    fields: "tuple[Field, ...]" = ()
    authenticator: Authenticator | None = None
    leaves: "tuple[Field, ...]" = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a form.

    :param keys: its own name, after those of the objects around it
    :param type: "object" if it has members, else "string", "boolean" or a type of number
    :param secret: whether what is typed must not be shown
    :param value: a preset, or the constant of an immutable field
    :param hint: "captcha" or "webauthn" if a script fills it in
    :param custom_label: whether an administrator of the org chose the label
    :param display: the control that the org wants: "select", "radio", "checkbox" ...
    :param format: the kind of values that the org wants: "country-code", "timezone" ...
    :param fields: its members, if it is an object
    :param options: its choices, if it has any
    :param path: the dotted name, for HTML and messages; names may contain dots, so only ``keys`` is unambiguous
    """

    name: str
    keys: tuple[str, ...]
    label: str = ""
    type: str = "string"
    required: bool = False
    visible: bool = True
    mutable: bool = True
    secret: bool = False
    value: Scalar | None = field(default=None, repr=False)
    min_length: int | None = None
    max_length: int | None = None
    hint: str = ""
    custom_label: bool = False
    description: str = ""
    display: str = ""
    format: str = ""
    fields: "tuple[Field, ...]" = ()
    options: tuple[Option, ...] = ()
    authenticator: Authenticator | None = None
    messages: tuple[Message, ...] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class Remediation(Action):
    """A step that the org offers.

    :param authenticator: which one it is about, if it says so
    :param kind: of an identity provider's link: "GOOGLE" ...
    :param is_link: whether it is for a browser to follow, not to be called
    :param facts: what a consent is about, as (name, value)
    :param leaves: every innermost field in the org's order; names may repeat
    """

    authenticator: Authenticator | None = None
    kind: str = ""
    idp_id: str = ""
    idp_name: str = ""
    is_link: bool = False
    facts: tuple[tuple[str, str], ...] = ()
    leaves: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Captcha:
    """The captcha of a form. ``kind`` is "HCAPTCHA", "RECAPTCHA_V2" or "ALTCHA", and ``challenge`` is the call that
    gets the task of the latter.
    """

    id: str
    site_key: str
    kind: str
    challenge: Action | None = None


@dataclass(frozen=True, slots=True)
class IdxResponse:
    """One whole answer.

    :param messages: those of the page and of every field, each once
    :param authenticators: those that can be enrolled now
    :param enrolled: those that the person has
    :param title: of a profile form
    :param button_label: of a profile form
    :param end_of_probe: what ends the page, if it only looks for Okta Verify on the visitor's device
    :param interaction_code: empty until the org is done
    """

    state_handle: Secret[str] = NOTHING
    expires_at: datetime | None = None
    remediations: tuple[Remediation, ...] = ()
    messages: tuple[Message, ...] = ()
    current_authenticator: Authenticator | None = None
    authenticators: tuple[Authenticator, ...] = ()
    enrolled: tuple[Authenticator, ...] = ()
    user_id: str = ""
    user_identifier: str = ""
    app_label: str = ""
    title: str = ""
    button_label: str = ""
    captcha: Captcha | None = None
    cancel: Action | None = None
    end_of_probe: Action | None = None
    interaction_code: Secret[str] = NOTHING

    @property
    def is_terminal(self) -> bool:
        """Whether the transaction can't continue: there is neither a remediation nor an interaction code."""
        return not self.remediations and not self.interaction_code

    @property
    def is_denied(self) -> bool:
        """Whether the org denied access: the step is over, or the org's policy denies the sign-up."""
        return self.has_message("security.access_denied") and self.is_terminal

    def remediation(self, name: str) -> Remediation | None:
        """Return the first remediation of this name, None if there is none."""
        return next((r for r in self.remediations if r.name == name), None)

    def has_message(self, key: str) -> bool:
        """Return whether any message has this i18n key."""
        return any(m.key == key for m in self.messages)


def leaves_of(fields: Iterable[Field]) -> Iterator[Field]:
    """Return the innermost fields in the org's order. An object without members has none."""
    for one in fields:
        yield from leaves_of(one.fields)
        if one.type != "object" or one.options:
            yield one
