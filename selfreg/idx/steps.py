"""What an answer of the org means for the visitor: the next step, the grant, or the end. Pure.

The org decides the order; this file only names what it offers. The first remediation that is a step of its own is the
step, the others are ways around it (skip, choose another way, sign in instead).
"""

from dataclasses import dataclass, field

from selfreg.idx.document import Action, Authenticator, Field, IdxResponse, Message, Option, Remediation

ANY = "*"
SELECT = "select-authenticator-enroll"
SIGN_UP = "select-enroll-profile"
SKIP = "skip"
UNSUPPORTED = "unsupported"
"""The page of what cannot be done here."""
CHECK_EMAIL = frozenset({"idx.email.verification.required", "idx.request.activation.email"})
WAITING = "challenge-poll"
SUCCESS_REDIRECT = "success-redirect"
# Links to where somebody else says who the person is.
PROVIDERS = frozenset({"redirect-idp", "piv-idp"})

# (remediation, key of its authenticator) -> the page that serves it. What is not here gets the page "other": its fields
# as the org sent them.
PAGES = {
    ("enroll-profile", ANY): "profile",
    ("enroll-profile-update", ANY): "profile",
    ("profile-update", ANY): "profile",
    (SELECT, ANY): "choose",
    (SELECT, "phone_number"): "phone",
    ("authenticator-enrollment-data", "phone_number"): "phone",
    ("enroll-authenticator", "okta_password"): "password",
    ("enroll-authenticator", "okta_email"): "code",
    ("enroll-authenticator", "phone_number"): "code",
    ("enroll-authenticator", "security_question"): "question",
    ("enroll-authenticator", "google_otp"): "totp",
    ("enroll-authenticator", "webauthn"): "passkey",
    ("enroll-webauthn-residentkey", ANY): "passkey",
    ("reenroll-authenticator", "okta_password"): "password",
    ("reenroll-authenticator-warning", "okta_password"): "password",
    ("reset-authenticator", "okta_password"): "password",
    # The org asks for what the person has already, before it goes on.
    ("challenge-authenticator", "okta_email"): "code",
    ("challenge-authenticator", "phone_number"): "code",
    # Nothing to fill in: the org knows people only by their identity providers.
    **dict.fromkeys(((name, ANY) for name in PROVIDERS), "providers"),
    # What only a phone app or a card reader can do: the page says so and offers the ways that are left.
    ("enroll-poll", ANY): UNSUPPORTED,
    ("select-enrollment-channel", ANY): UNSUPPORTED,
    ("enrollment-channel-data", ANY): UNSUPPORTED,
    ("device-challenge-poll", ANY): UNSUPPORTED,
}

# Ways around a step, or out of the sign-up; never the step itself.
SIDEWAYS = frozenset(
    {SKIP, SIGN_UP, "select-identify", "identify", "unlock-account", "launch-authenticator", "cancel"}
    | {WAITING, SUCCESS_REDIRECT, "failure-redirect"}
    | PROVIDERS
)
LAST_RESORTS = (SKIP, WAITING)
# Where these are offered the org shows its sign-in page; whatever else is on it belongs to signing in.
SIGN_IN = frozenset({SIGN_UP, "identify"})
CODE_STEPS = frozenset({"enroll-authenticator", "challenge-authenticator"})

# Authenticators that a server-rendered page can enroll: others are left out of a choice.
FEASIBLE = frozenset(
    {"okta_email", "okta_password", "phone_number", "security_question", "google_otp", "webauthn"}
    | {"custom_otp", "del_oath", "rsa_token", "symantec_vip", "yubikey_token"}
)


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the sign-up.

    ``option`` is set while the visitor has picked an authenticator that needs more (a phone number) before the org is
    told: number and choice then go out in one call (docs/protocol.md, section 4.4).
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
    def proves_email(self) -> bool:
        """Whether completing this step proves the address."""
        is_email = self.authenticator is not None and self.authenticator.kind == "email"
        return is_email and self.remediation.name == "enroll-authenticator"

    @property
    def fields(self) -> tuple[Field, ...]:
        """The org's fields of this page, outer ones first; of a picked authenticator its own, then those beside the
        choice.
        """
        return (*self.option.fields, *beside_choice(self.remediation)) if self.option else self.remediation.fields


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
        """The org sends a link; opening it makes the account active (docs/protocol.md, section 4.10)."""
        return self.reason in CHECK_EMAIL

    @property
    def awaits_sign_in(self) -> bool:
        """The org is done, but hands out no code: it wants to go on at its own sign-in page."""
        return self.reason == SUCCESS_REDIRECT


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
        out_of_reach = next((o.authenticator for o in _offered(remediation) if o.authenticator), None)
        skip = response.remediation(SKIP)
        return Step(UNSUPPORTED, remediation, out_of_reach, skip=skip, messages=response.messages)
    option = next((o for o in choices if option_id(o) == picked), None)
    if option:
        authenticator = option.authenticator
    elif remediation.name == SELECT:
        authenticator = None
    page = _page(remediation, authenticator)
    return Step(
        # Only a phone has a page of its own for its details.
        page="other" if option and page == "choose" else page,
        remediation=remediation,
        authenticator=authenticator,
        option=option,
        choices=choices,
        skip=response.remediation(SKIP),
        resend=authenticator.resend if authenticator and remediation.name in CODE_STEPS else None,
        poll=_poll(remediation, authenticator),
        others=select if select and (remediation is not select or option) else None,
        messages=response.messages,
    )


def current_remediation(response: IdxResponse) -> Remediation | None:
    """The first remediation that is a step; where there is none, one of ``LAST_RESORTS``, else a link to an identity
    provider. The org's sign-in page has none.
    """
    own = [r for r in response.remediations if r.name not in SIDEWAYS and not r.is_link]
    if any(r.name in SIGN_IN for r in response.remediations):
        own = [r for r in own if r.name.startswith("enroll-profile")]
        return own[0] if own else response.remediation(SKIP)
    last = [r for name in LAST_RESORTS if (r := response.remediation(name))]
    return next(iter((*own, *last, *identity_providers(response))), None)


def identity_providers(response: IdxResponse) -> tuple[Remediation, ...]:
    """The links to identity providers; each needs a name to be pressed by and an id to be found by."""
    return tuple(r for r in response.remediations if r.name in PROVIDERS and r.idp_id)


def sign_up_offered(response: IdxResponse) -> Remediation | None:
    """The way from the org's sign-in page to its profile form; None while its policy denies sign-up."""
    return response.remediation(SIGN_UP)


def choice_field(remediation: Remediation) -> Field | None:
    """The field whose options are whole objects (``authenticator`` of a choice)."""
    return next((f for f in remediation.fields if any(o.fields for o in f.options)), None)


def feasible_choices(remediation: Remediation) -> tuple[Option, ...]:
    """The options that a visitor can take on a server-rendered page."""
    return tuple(o for o in _offered(remediation) if o.authenticator is None or o.authenticator.key in FEASIBLE)


def _offered(remediation: Remediation) -> tuple[Option, ...]:
    chooser = choice_field(remediation)
    return tuple(o for o in chooser.options if option_id(o)) if chooser else ()


def beside_choice(remediation: Remediation) -> tuple[Field, ...]:
    """The fields that do not depend on what is chosen."""
    chooser = choice_field(remediation)
    return tuple(f for f in remediation.fields if f is not chooser)


def option_id(option: Option) -> str:
    """The authenticator id that an option stands for."""
    return next((str(f.value) for f in option.fields if f.name == "id" and f.value is not None), "")


def sends_on_choice(option: Option) -> bool:
    """Whether the org sends a code as soon as this is chosen."""
    return option.authenticator is not None and option.authenticator.kind in ("email", "phone")


def has_ways(field: Field) -> bool:
    """Whether its options are objects to be filled in, one of them: a security question of theirs, or one's own."""
    return any(o.fields for o in field.options) and not any(option_id(o) for o in field.options)


def needs_details(remediation: Remediation, option: Option) -> bool:
    """Whether the choice leaves something for the visitor to fill in before the org is told. Where an optional field
    has one choice only, there is nothing to say.
    """
    leaves = [leaf for f in (*option.fields, *beside_choice(remediation)) for leaf in f.leaves]
    return any(f.mutable and f.visible and f.value is None and (f.required or len(f.options) != 1) for f in leaves)


def is_error(message: Message) -> bool:
    """INFO and unclassified messages inform; everything else is something to put right."""
    return message.severity not in ("INFO", "SUCCESS", "WARNING")


def _poll(remediation: Remediation, authenticator: Authenticator | None) -> Action | None:
    if remediation.name == WAITING:
        return remediation
    return authenticator.poll if authenticator and remediation.name in CODE_STEPS else None


def _page(remediation: Remediation, authenticator: Authenticator | None) -> str:
    key = authenticator.key if authenticator else ANY
    page = PAGES.get((remediation.name, key)) or PAGES.get((remediation.name, ANY)) or "other"
    if page == "passkey":
        return page if authenticator and authenticator.activation else UNSUPPORTED
    # A step that is a link leads to where a card or a device is read, outside of this site.
    is_elsewhere = remediation.method == "GET" and page != "providers"
    return UNSUPPORTED if is_elsewhere or any(_is_for_machines(f) for f in remediation.leaves) else page


def _is_for_machines(leaf: Field) -> bool:
    """Whether only a script or a device could fill it in. A captcha's token comes from the provider's own script."""
    return leaf.required and leaf.mutable and not leaf.visible and leaf.value is None and leaf.hint != "captcha"


def _authenticator_in_hand(response: IdxResponse, remediation: Remediation) -> Authenticator | None:
    return response.current_authenticator if remediation.name not in {SELECT, "enroll-profile"} | PROVIDERS else None


def _reason(response: IdxResponse) -> str:
    """The key of the first error, else that the org goes on itself, else the first message's, else what is missing."""
    errors = [m for m in response.messages if m.key and is_error(m)]
    if not errors and response.remediation(SUCCESS_REDIRECT):
        return SUCCESS_REDIRECT
    informed = [m for m in response.messages if m.key]
    telling = [m for m in informed if m.key in CHECK_EMAIL]
    said = errors or telling or informed
    return said[0].key[:100] if said else "no-way-on"
