"""The answers of the Identity Engine as frozen, typed objects. ``parser`` builds them from JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Scalar = str | int | float | bool
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """Something the org says to the person. ``key`` is its i18n key, "" when it has none; ``path`` the field's, ""
    for the page.
    """

    text: str
    key: str = ""
    params: tuple[str, ...] = ()
    severity: str = "ERROR"
    path: str = ""


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """``settings`` of the password authenticator. ``None`` or 0: not asked for."""

    min_length: int = 0
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
    """A call the org offers: where, how, and the fields it takes. A ``Remediation`` is one that is a step of the
    flow.
    """

    name: str
    href: str = field(repr=False)
    method: str = "POST"
    accepts: str = ""
    fields: "tuple[Field, ...]" = ()
    refresh_ms: int = 0


@dataclass(frozen=True, slots=True)
class Authenticator:
    """One way to prove who one is. ``key`` falls back to the type: the oldest orgs send no key. ``question`` is the
    security question that the person has chosen.
    """

    id: str
    key: str
    kind: str
    label: str
    methods: tuple[str, ...] = ()
    password_policy: PasswordPolicy | None = None
    question_keys: tuple[tuple[str, str], ...] = ()
    question: str = ""
    shared_secret: str = field(default="", repr=False)
    qr_image: str = field(default="", repr=False)
    activation: Json | None = field(default=None, repr=False)
    magic_link: bool = True
    shown_code: str = field(default="", repr=False)
    resend: Action | None = None
    poll: Action | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: a scalar ``value``, or the ``fields`` of an object."""

    label: str
    value: Scalar | None = None
    fields: "tuple[Field, ...]" = ()
    authenticator: Authenticator | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One input. ``fields`` are its members when it is an object, ``keys`` the names that lead to it from outside.

    ``display`` and ``format`` are the org's wish how to show it (an ``options`` entry labelled "display"); the
    choices it names are in ``options`` like any other.
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
    description_key: str = ""
    display: str = ""
    format: str = ""
    fields: "tuple[Field, ...]" = ()
    options: tuple[Option, ...] = ()
    authenticator: Authenticator | None = None
    messages: tuple[Message, ...] = ()

    @property
    def path(self) -> str:
        """The dotted name, for people and pages; a name may hold dots of its own, which only ``keys`` tell apart."""
        return ".".join(self.keys)

    @property
    def leaves(self) -> "Iterator[Field]":
        """This field, or the innermost fields of an object: an empty one has none."""
        for inner in self.fields:
            yield from inner.leaves
        if self.type != "object" or self.options:
            yield self


@dataclass(frozen=True, slots=True)
class Remediation(Action):
    """A step the org offers. ``kind``, ``idp_id`` and ``idp_name`` are those of an identity provider's link; ``facts``
    are what a consent is about: (name, value) of a request, or the scopes that are asked for.
    """

    authenticator: Authenticator | None = None
    kind: str = ""
    idp_id: str = ""
    idp_name: str = ""
    is_link: bool = False
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def leaves(self) -> Iterator[Field]:
        """Every innermost field, in the org's order, repeated names included."""
        for outer in self.fields:
            yield from outer.leaves

    def field(self, path: str) -> Field | None:
        """The first field (of any depth) with this dotted path."""
        return next((f for f in walk_fields(self.fields) if f.path == path), None)


@dataclass(frozen=True, slots=True)
class Captcha:
    """The provider's widget that a form asks for."""

    id: str
    site_key: str
    kind: str


@dataclass(frozen=True, slots=True)
class IdxResponse:
    """One whole answer. ``messages`` holds those of the page and of every field, without repetition."""

    state_handle: str = field(default="", repr=False)
    expires_at: datetime | None = None
    intent: str = ""
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
    requested_from: tuple[str, ...] = ()
    interaction_code: str = field(default="", repr=False)

    @property
    def is_terminal(self) -> bool:
        """Nothing to go on with: no remediation and no interaction code."""
        return not self.remediations and not self.interaction_code

    def remediation(self, name: str) -> Remediation | None:
        """The first remediation of this name."""
        return next((r for r in self.remediations if r.name == name), None)

    def has_message(self, key: str) -> bool:
        """Whether the org says this i18n key anywhere."""
        return any(m.key == key for m in self.messages)


def walk_fields(fields: tuple[Field, ...]) -> Iterator[Field]:
    """Every field at every depth, including those of object options."""
    for outer in fields:
        yield outer
        yield from walk_fields(outer.fields)
        for option in outer.options:
            yield from walk_fields(option.fields)
