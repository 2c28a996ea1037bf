"""What an answer of the org means for the visitor: the next step, the grant, or the end. Pure.

The org decides the order; this file only names what it offers. The first remediation that is a step of its own is the
step, the others are ways around it (skip, choose another way, sign in instead).
"""

from dataclasses import dataclass, field

from selfreg.idx.response import Action, Authenticator, Field, IdxResponse, Message, Option, Remediation

ANY = "*"
SELECT = "select-authenticator-enroll"
SIGN_UP = "select-enroll-profile"
SKIP = "skip"
CHECK_EMAIL = "idx.email.verification.required"

# (remediation, kind of authenticator) -> the page that serves it. What is not here gets the page "other".
PAGES = {
    ("enroll-profile", ANY): "profile",
    ("enroll-profile-update", ANY): "profile",
    ("profile-update", ANY): "profile",
    (SELECT, ANY): "choose",
    (SELECT, "phone"): "phone",
    ("authenticator-enrollment-data", "phone"): "phone",
    ("enroll-authenticator", "password"): "password",
    ("enroll-authenticator", "email"): "code",
    ("enroll-authenticator", "phone"): "code",
    ("enroll-authenticator", "security_question"): "question",
    ("enroll-authenticator", "app"): "totp",
    ("enroll-authenticator", "security_key"): "passkey",
    # What only a phone app or a card reader can do: the page says so and offers the ways that are left.
    ("enroll-poll", ANY): "unsupported",
    ("select-enrollment-channel", ANY): "unsupported",
    ("enrollment-channel-data", ANY): "unsupported",
}

# Ways around a step, or out of the sign-up; never the step itself.
SIDEWAYS = frozenset(
    {SKIP, SIGN_UP, "select-identify", "identify", "unlock-account", "redirect-idp", "launch-authenticator", "cancel"}
    | {"select-authenticator-authenticate", "challenge-poll", "success-redirect", "failure-redirect", "piv-idp"}
)

# Authenticators that a server-rendered page can enroll; others are left out of a choice that has any of these.
FEASIBLE = frozenset({"okta_email", "okta_password", "phone_number", "security_question", "google_otp", "webauthn"})


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the sign-up.

    ``option`` is set while the visitor has picked an authenticator that needs more (a phone number) before the org is
    told: number and choice then go out in one call (protocol 4.4).
    """

    page: str
    remediation: Remediation
    authenticator: Authenticator | None = None
    option: Option | None = None
    choices: tuple[Option, ...] = ()
    skip: Remediation | None = None
    resend: Action | None = None
    poll: Action | None = None
    others: Remediation | None = None
    messages: tuple[Message, ...] = ()

    @property
    def name(self) -> str:
        """For rows and events: ``enroll-authenticator okta_email``."""
        return f"{self.remediation.name} {self.authenticator.key if self.authenticator else ''}".strip()[:100]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The org's fields of this page, outer ones first."""
        return self.option.fields if self.option else self.remediation.fields


@dataclass(frozen=True, slots=True)
class Granted:
    """The org is done: the interaction code lives 60 s and works once."""

    interaction_code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing to go on with. ``reason`` is the org's i18n key, or our word for it when it has none."""

    reason: str
    messages: tuple[Message, ...] = ()

    @property
    def awaits_email(self) -> bool:
        """The org sends a link; opening it makes the account active (protocol 4.10)."""
        return self.reason == CHECK_EMAIL


def next_step(response: IdxResponse, picked: str = "") -> Step | Granted | Ended:
    """What the visitor sees now.

    :param picked: "" for the org's own step; ``SELECT`` after "use another way"; an authenticator id of a choice
        while its details are asked for
    """
    if response.interaction_code:
        return Granted(response.interaction_code)
    remediation = current_remediation(response)
    select = response.remediation(SELECT)
    if picked and select:
        remediation = select
    if remediation is None:
        return Ended(_reason(response), response.messages)
    authenticator = remediation.authenticator or _authenticator_in_hand(response, remediation)
    choices = feasible_choices(remediation) if remediation.name == SELECT else ()
    if remediation.name == SELECT and not choices:
        return Step("unsupported", remediation, skip=response.remediation(SKIP), messages=response.messages)
    option = next((o for o in choices if option_id(o) == picked), None)
    if option:
        authenticator = option.authenticator
    elif remediation.name == SELECT:
        authenticator = None
    return Step(
        page=_page(remediation, authenticator),
        remediation=remediation,
        authenticator=authenticator,
        option=option,
        choices=choices,
        skip=response.remediation(SKIP),
        resend=authenticator.resend if authenticator and remediation.name == "enroll-authenticator" else None,
        poll=authenticator.poll if authenticator and remediation.name == "enroll-authenticator" else None,
        others=select if select and (remediation is not select or option) else None,
        messages=response.messages,
    )


def current_remediation(response: IdxResponse) -> Remediation | None:
    """The first remediation that is a step; a lone ``skip`` counts as one."""
    own = next((r for r in response.remediations if r.name not in SIDEWAYS and not r.is_link), None)
    return own or response.remediation(SKIP)


def sign_up_offered(response: IdxResponse) -> Remediation | None:
    """The way from the org's sign-in page to its profile form; None while its policy denies sign-up."""
    return response.remediation(SIGN_UP)


def choice_field(remediation: Remediation) -> Field | None:
    """The field whose options are whole objects (``authenticator`` of a choice)."""
    return next((f for f in remediation.fields if any(o.fields for o in f.options)), None)


def feasible_choices(remediation: Remediation) -> tuple[Option, ...]:
    """The options that a visitor can take on a server-rendered page."""
    chooser = choice_field(remediation)
    options = tuple(o for o in chooser.options if o.fields) if chooser else ()
    return tuple(o for o in options if o.authenticator is None or o.authenticator.key in FEASIBLE)


def option_id(option: Option) -> str:
    """The authenticator id that an option stands for."""
    return next((str(f.value) for f in option.fields if f.name == "id" and f.value is not None), "")


def needs_details(option: Option) -> bool:
    """Whether the choice leaves something for the visitor to fill in before the org is told."""
    return any(f.mutable and f.visible and f.value is None for f in option.fields)


def is_error(message: Message) -> bool:
    """INFO and unclassified messages inform; everything else is something to put right."""
    return message.severity not in ("INFO", "SUCCESS", "WARNING")


def _page(remediation: Remediation, authenticator: Authenticator | None) -> str:
    kind = authenticator.kind if authenticator else ANY
    if remediation.name == "enroll-authenticator" and authenticator and authenticator.key not in FEASIBLE:
        return "unsupported"
    return PAGES.get((remediation.name, kind)) or PAGES.get((remediation.name, ANY)) or "other"


def _authenticator_in_hand(response: IdxResponse, remediation: Remediation) -> Authenticator | None:
    return response.current_authenticator if remediation.name not in (SELECT, "enroll-profile") else None


def _reason(response: IdxResponse) -> str:
    """The key of the first error, else of the first message, else what is missing."""
    errors = [m for m in response.messages if m.key and is_error(m)]
    informed = [m for m in response.messages if m.key]
    return (errors or informed)[0].key[:100] if errors or informed else "no-way-on"
