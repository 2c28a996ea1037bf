"""What an answer of the org means for the visitor: the next step, the interaction code, or the end. Pure.

The org decides the order; this module only reads what it offers. The first remediation that is a step of its own is
the step; the others lead around it (skip, choose another authenticator, sign in instead).
"""

from dataclasses import dataclass, field

from selfreg.idx.authenticators import AUTHENTICATORS, BY_KIND, UNKNOWN
from selfreg.idx.document import Action, Authenticator, Field, IdxResponse, Message, Option, Remediation

SELECT = "select-authenticator-enroll"
SIGN_UP = "select-enroll-profile"
SKIP = "skip"
ENROLL = "enroll-authenticator"
WAITING = "challenge-poll"
SUCCESS_REDIRECT = "success-redirect"

OTHER = "other"
"""The page of remediations that no table names: shows their fields as the org sent them."""
UNSUPPORTED = "unsupported"
"""The page of remediations that cannot be done on this site: says so and offers the ways that are left."""

CHECK_EMAIL = frozenset({"idx.email.verification.required", "idx.request.activation.email"})
NO_WAY_ON = "no-way-on"
"""Our reason for an end that the org gives no i18n key for."""

# Links to identity providers: somebody else tells the org who the person is.
PROVIDERS = frozenset({"redirect-idp", "piv-idp"})

# Remediation -> the page that serves it, whatever its authenticator. The pages of single authenticators come first:
# ``AuthenticatorInfo.pages``.
PAGES = {
    "enroll-profile": "profile",
    "enroll-profile-update": "profile",
    "profile-update": "profile",
    SELECT: "choose",
    "enroll-webauthn-residentkey": "passkey",
    # Only an app on a phone or a card reader can do these.
    "enroll-poll": UNSUPPORTED,
    "select-enrollment-channel": UNSUPPORTED,
    "enrollment-channel-data": UNSUPPORTED,
    "device-challenge-poll": UNSUPPORTED,
    **dict.fromkeys(PROVIDERS, "providers"),
}

# Remediations that lead around a step or out of the sign-up; they are never the step itself.
SIDE_ACTIONS = frozenset(
    {SKIP, SIGN_UP, "select-identify", "identify", "unlock-account", "launch-authenticator", "cancel"}
    | {WAITING, SUCCESS_REDIRECT, "failure-redirect"}
    | PROVIDERS
)
# Side actions that become the step where the org offers no other.
FALLBACKS = (SKIP, WAITING)
# An org that offers one of these shows its sign-in page; everything else on that page belongs to signing in.
SIGN_IN = frozenset({SIGN_UP, "identify"})
CODE_STEPS = frozenset({ENROLL, "challenge-authenticator"})


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the sign-up.

    :param page: the page that serves it: a value of ``PAGES`` or of ``AuthenticatorInfo.pages``, ``OTHER`` or
        ``UNSUPPORTED``
    :param remediation: what a submission answers
    :param authenticator: which one it is about, if any
    :param option: set while the visitor has picked an authenticator that needs details (a phone number) before the org
        is told: details and choice then go out in one call (docs/protocol.md, section 4.4)
    :param choices: the authenticators to choose from
    :param skip: how to skip this step
    :param resend: how to have a code sent again
    :param poll: how to ask whether the visitor went on elsewhere
    :param others: how to get back to the choice of authenticators
    :param messages: what the org says, of the page and of its fields
    :param name: remediation and authenticator in at most 100 characters: ``enroll-authenticator okta_email``
    :param fields: the org's outermost fields of this page; for a picked authenticator its own, then those beside the
        choice
    :param leaves: the innermost of them
    :param proves_email: whether a right answer proves that the e-mail address belongs to the person
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
    name: str = ""
    fields: tuple[Field, ...] = ()
    leaves: tuple[Field, ...] = ()
    proves_email: bool = False


@dataclass(frozen=True, slots=True)
class Granted:
    """The org is done. The interaction code is valid for 60 seconds and works once."""

    interaction_code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """The transaction cannot go on. ``reason`` is the org's i18n key of at most 100 characters, ``SUCCESS_REDIRECT`` or
    ``NO_WAY_ON``.
    """

    reason: str
    messages: tuple[Message, ...] = ()

    @property
    def awaits_email(self) -> bool:
        """The org mails a link, and opening it makes the account active (docs/protocol.md, section 4.10)."""
        return self.reason in CHECK_EMAIL

    @property
    def awaits_sign_in(self) -> bool:
        """The account is ready, but the org gives no interaction code: the person has to sign in at the org."""
        return self.reason == SUCCESS_REDIRECT


def next_step(response: IdxResponse, picked: str = "") -> Step | Granted | Ended:
    """What the visitor sees now.

    :param picked: "" for the org's own step; ``SELECT`` after "use another way"; an authenticator's id while its
        details are asked for
    """
    if response.interaction_code:
        return Granted(response.interaction_code)
    select = _offered(response, SELECT)
    remediation = select if picked and select else current_remediation(response)
    if remediation is None:
        return Ended(_reason(response), response.messages)
    if remediation.name == SELECT:
        return _choice_step(response, remediation, picked)
    authenticator = remediation.authenticator or _current_authenticator(response, remediation)
    key, kind = (authenticator.key, authenticator.kind) if authenticator else ("", "")
    return Step(
        page=_page(remediation, authenticator),
        remediation=remediation,
        authenticator=authenticator,
        name=_name(remediation, key),
        fields=remediation.fields,
        leaves=remediation.leaves,
        proves_email=remediation.name == ENROLL and BY_KIND.get(kind, UNKNOWN).proves == "email",
        skip=_offered(response, SKIP),
        resend=authenticator.resend if authenticator and remediation.name in CODE_STEPS else None,
        poll=_poll(remediation, authenticator),
        others=select,
        messages=response.messages,
    )


def _choice_step(response: IdxResponse, select: Remediation, picked: str) -> Step:
    """The choice of an authenticator, or the details of the picked one."""
    choices, skip = feasible_choices(select), _offered(response, SKIP)
    if not choices:
        unsupported = next((o.authenticator for o in _options_with_id(select) if o.authenticator), None)
        name = _name(select, unsupported.key if unsupported else "")
        return Step(
            UNSUPPORTED,
            select,
            unsupported,
            skip=skip,
            messages=response.messages,
            name=name,
            fields=select.fields,
            leaves=select.leaves,
        )
    option = next((o for o in choices if option_id(o) == picked), None)
    authenticator = option.authenticator if option else None
    page = _page(select, authenticator)
    beside = beside_choice(select)
    return Step(
        # "choose" shows the choice; details are shown as the org sent them unless the authenticator has its own page.
        page=OTHER if option and page == "choose" else page,
        remediation=select,
        authenticator=authenticator,
        option=option,
        choices=choices,
        skip=skip,
        others=select if option else None,
        messages=response.messages,
        name=_name(select, authenticator.key if authenticator else ""),
        fields=(*option.fields, *beside) if option else select.fields,
        leaves=(*option.leaves, *(leaf for field in beside for leaf in field.leaves)) if option else select.leaves,
    )


def _name(remediation: Remediation, authenticator_key: str) -> str:
    return f"{remediation.name} {authenticator_key}".strip()[:100]


def _offered(response: IdxResponse, name: str) -> Remediation | None:
    return next((r for r in response.remediations if r.name == name), None)


def current_remediation(response: IdxResponse) -> Remediation | None:
    """The first remediation that is a step of its own, else the first of ``FALLBACKS``, else a link to an identity
    provider. On the org's sign-in page only a profile form and ``SKIP`` count.
    """
    steps = [r for r in response.remediations if r.name not in SIDE_ACTIONS and not r.is_link]
    if any(r.name in SIGN_IN for r in response.remediations):
        profile_forms = [r for r in steps if r.name.startswith("enroll-profile")]
        return profile_forms[0] if profile_forms else _offered(response, SKIP)
    fallbacks = [r for name in FALLBACKS if (r := _offered(response, name))]
    return next(iter((*steps, *fallbacks, *identity_providers(response))), None)


def identity_providers(response: IdxResponse) -> tuple[Remediation, ...]:
    """The links to identity providers that have an id; a button needs one to name its provider."""
    return tuple(r for r in response.remediations if r.name in PROVIDERS and r.idp_id)


def sign_up_offered(response: IdxResponse) -> Remediation | None:
    """How to get from the org's sign-in page to its profile form; None if its policy denies sign-up."""
    return _offered(response, SIGN_UP)


def choice_field(remediation: Remediation) -> Field | None:
    """The field whose options are objects, such as ``authenticator`` in a choice of authenticators."""
    return next((f for f in remediation.fields if any(o.fields for o in f.options)), None)


def feasible_choices(remediation: Remediation) -> tuple[Option, ...]:
    """The options that a visitor can take on a server-rendered page."""
    return tuple(
        option
        for option in _options_with_id(remediation)
        if option.authenticator is None or AUTHENTICATORS.get(option.authenticator.key, UNKNOWN).can_be_enrolled
    )


def _options_with_id(remediation: Remediation) -> tuple[Option, ...]:
    chooser = choice_field(remediation)
    return tuple(o for o in chooser.options if option_id(o)) if chooser else ()


def beside_choice(remediation: Remediation) -> tuple[Field, ...]:
    """The fields that do not depend on what is chosen."""
    chooser = choice_field(remediation)
    return tuple(f for f in remediation.fields if f is not chooser)


def option_id(option: Option) -> str:
    """The id of the authenticator that an option stands for; "" if it stands for none."""
    return next((str(f.value) for f in option.fields if f.name == "id" and f.value is not None), "")


def has_object_options(field: Field) -> bool:
    """Whether its options are objects without an id, one of which is to be filled in: one of the org's security
    questions, or one's own.
    """
    return any(o.fields for o in field.options) and not any(option_id(o) for o in field.options)


def sends_on_choice(option: Option) -> bool:
    """Whether the org sends a code as soon as this option is chosen."""
    return option.authenticator is not None and BY_KIND.get(option.authenticator.kind, UNKNOWN).sends_on_choice


def needs_details(remediation: Remediation, option: Option) -> bool:
    """Whether the visitor has something to fill in before the org is told of the choice. An optional field with a
    single option leaves nothing to decide.
    """
    leaves = (*option.leaves, *(leaf for field in beside_choice(remediation) for leaf in field.leaves))
    return any(f.mutable and f.visible and f.value is None and (f.required or len(f.options) != 1) for f in leaves)


def is_error(message: Message) -> bool:
    """Whether a message is about something to put right. INFO, SUCCESS and WARNING only inform."""
    return message.severity not in ("INFO", "SUCCESS", "WARNING")


def _poll(remediation: Remediation, authenticator: Authenticator | None) -> Action | None:
    if remediation.name == WAITING:
        return remediation
    return authenticator.poll if authenticator and remediation.name in CODE_STEPS else None


def _page(remediation: Remediation, authenticator: Authenticator | None) -> str:
    info = AUTHENTICATORS.get(authenticator.key, UNKNOWN) if authenticator else UNKNOWN
    page = info.pages.get(remediation.name) or PAGES.get(remediation.name, OTHER)
    if page == "passkey":
        return page if authenticator and authenticator.activation else UNSUPPORTED
    # A step that is a link leads to another site, where a card or a device is read.
    is_elsewhere = remediation.method == "GET" and page != "providers"
    return UNSUPPORTED if is_elsewhere or any(is_script_only(f) for f in remediation.leaves) else page


def is_script_only(leaf: Field) -> bool:
    """Whether only a script or a device can fill the field in. The token of a captcha does not count: the script of the
    captcha's provider brings it.
    """
    return leaf.required and leaf.mutable and not leaf.visible and leaf.value is None and leaf.hint != "captcha"


def _current_authenticator(response: IdxResponse, remediation: Remediation) -> Authenticator | None:
    """The response's own, for remediations that are about one but do not say which."""
    return response.current_authenticator if remediation.name not in {"enroll-profile"} | PROVIDERS else None


def _reason(response: IdxResponse) -> str:
    """Why there is no step: the first error's key, else ``SUCCESS_REDIRECT`` if the org offers it, else the key of a
    message about a mailed link, else the first key.
    """
    with_key = [m for m in response.messages if m.key]
    errors = [m for m in with_key if is_error(m)]
    if not errors and _offered(response, SUCCESS_REDIRECT):
        return SUCCESS_REDIRECT
    about_mail = [m for m in with_key if m.key in CHECK_EMAIL]
    messages = errors or about_mail or with_key
    return messages[0].key[:100] if messages else NO_WAY_ON
