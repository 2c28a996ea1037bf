"""Decides the visitor's next step from an answer of the org: a page, the interaction code, or the end. Pure.

The org decides the order; this module only reads what it offers. The first remediation that is a step of its own is
the next step. The others are ways around it: skip, choose another authenticator, sign in instead.
"""

from dataclasses import dataclass

from selfreg.idx.authenticators import AUTHENTICATORS, BY_KIND, DEVICE_PAGES, EMAIL, PASSWORD, PHONE, UNKNOWN
from selfreg.idx.document import Action, Authenticator, Field, IdxResponse, Message, Option, Remediation, leaves_of
from selfreg.idx.parser import VERIFY_IDENTITY
from selfreg.secret import Secret

SELECT = "select-authenticator-enroll"
SIGN_UP = "select-enroll-profile"
SKIP = "skip"
ENROLL = "enroll-authenticator"
WAITING = "challenge-poll"
ENROLL_POLL = "enroll-poll"
POLLS = frozenset({WAITING, ENROLL_POLL, "poll"})
CHANNELS = "select-enrollment-channel"
SUCCESS_REDIRECT = "success-redirect"

OTHER = "other"
"""The page of remediations that no table names: shows their fields as the org sent them."""
UNSUPPORTED = "unsupported"
"""The page of remediations that cannot be done on this site: says so and offers the ways that are left."""
ELSEWHERE = "elsewhere"
"""The page of a link to another site, which comes back."""

CHECK_EMAIL = frozenset({"idx.email.verification.required", "idx.request.activation.email"})
NO_WAY_ON = "no-way-on"
"""Our reason for an end that the org gives no i18n key for."""

# Links to identity providers.
PROVIDERS = frozenset({"redirect-idp", "piv-idp", VERIFY_IDENTITY})
# Links to other sites that are steps: for an identity, and for a password that is kept there and has to be replaced.
LINKED_STEPS = (VERIFY_IDENTITY, "reenroll-custom-password-expiry", "reenroll-custom-password-expiry-warning")

# Remediation -> its page, whatever its authenticator. First come pages of single ones: ``AuthenticatorInfo.pages``.
PAGES = {
    **dict.fromkeys(("enroll-profile", "enroll-profile-update", "profile-update"), "profile"),
    SELECT: "choose",
    **dict.fromkeys(("enroll-webauthn-residentkey", "enroll-authenticator-promotion"), "passkey"),
    **dict.fromkeys(("consent", "granular-consent", "admin-consent"), "consent_scopes"),
    **dict.fromkeys((WAITING, "poll"), "waiting"),
    **dict.fromkeys(PROVIDERS, "providers"),
    # Only an app on a phone can answer these, or another site that doesn't come back.
    **dict.fromkeys((*DEVICE_PAGES, "device-challenge-poll", *LINKED_STEPS), UNSUPPORTED),
    VERIFY_IDENTITY: ELSEWHERE,
}

# Remediations that lead around a step or out of the sign-up; they are never the step itself.
SIDE_ACTIONS = frozenset(
    {SKIP, SIGN_UP, "select-identify", "identify", "unlock-account", "launch-authenticator", "cancel"}
    | {WAITING, CHANNELS, SUCCESS_REDIRECT, "failure-redirect"}
    | PROVIDERS
)
# All other remediations without an authenticator are about that of the whole answer.
ABOUT_NONE = frozenset({"enroll-profile"} | PROVIDERS)
# Ways around a step that become the step if the org offers no other.
FALLBACKS = (SKIP, WAITING, CHANNELS)
# An org that offers one of these shows its sign-in page; everything else on that page belongs to signing in.
SIGN_IN = frozenset({SIGN_UP, "identify"})
# The authenticators to set up first, if the order is free.
FIRST = (EMAIL, PASSWORD)
# Remediations that ask for something the person has set up already.
PROOFS = frozenset({"challenge-authenticator", "select-authenticator-authenticate", "authenticator-verification-data"})
CODE_STEPS = frozenset({ENROLL, "challenge-authenticator"})


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the sign-up.

    :param page: the page that serves it: a value of ``PAGES`` or of ``AuthenticatorInfo.pages``, ``OTHER`` or
        ``UNSUPPORTED``
    :param remediation: what a submission answers
    :param authenticator: which one it is about, if any
    :param option: the picked authenticator, while its details (such as a phone number) are asked for: choice and
        details are sent in one call (docs/protocol.md, section 4.4)
    :param choices: the authenticators to choose from
    :param skip: how to skip this step
    :param resend: how to get a code sent again
    :param poll: how to ask whether the visitor continued elsewhere
    :param others: how to get to the choice of authenticators; None if there is no other
    :param channels: how to choose another way for a device to get its link
    :param number: how to give another phone number
    :param messages: what the org says, of the page and of its fields
    :param name: remediation and authenticator in at most 100 characters: ``enroll-authenticator okta_email``
    :param fields: the org's outermost fields of this page; for a picked authenticator its own, then those beside the
        choice
    :param leaves: the innermost of them
    :param proves_email: whether completing the step proves that the email address belongs to the person
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
    channels: Remediation | None = None
    number: Remediation | None = None
    messages: tuple[Message, ...] = ()
    name: str = ""
    fields: tuple[Field, ...] = ()
    leaves: tuple[Field, ...] = ()
    proves_email: bool = False

    @property
    def kind(self) -> str:
        """The kind of its authenticator, "" if it has none."""
        return self.authenticator.kind if self.authenticator else ""

    @property
    def asks_again(self) -> bool:
        """Whether the step asks for something that the person has set up already."""
        return self.remediation.name in PROOFS

    @property
    def may_be_put_off(self) -> bool:
        """Whether one of the choices will be required only later."""
        holders = [o.authenticator for o in self.choices if o.authenticator]
        return any(a.required_from or a.skips_left for a in holders)


@dataclass(frozen=True, slots=True)
class Granted:
    """The org is done. The interaction code is valid for 60 seconds and works once."""

    interaction_code: Secret[str]


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
    """Return the visitor's next step.

    :param picked: "" for the org's own step; ``SELECT`` after "use another way", ``CHANNELS`` after "get the link in
        another way"; an authenticator's id while its details are asked for
    """
    if response.interaction_code:
        return Granted(response.interaction_code)
    select, channels = response.remediation(SELECT), response.remediation(CHANNELS)
    turned_to = (channels if picked == CHANNELS else select) if picked else None
    remediation = turned_to or current_remediation(response)
    if remediation is None:
        return Ended(_reason(response), response.messages)
    if remediation.name == SELECT:
        return _choice_step(response, remediation, picked)
    authenticator = remediation.authenticator
    if authenticator is None and remediation.name not in ABOUT_NONE:
        authenticator = response.current_authenticator
    key, kind = (authenticator.key, authenticator.kind) if authenticator else ("", "")
    page = _page(remediation, authenticator)
    return Step(
        page=page,
        remediation=remediation,
        authenticator=authenticator,
        name=_name(remediation, key),
        fields=remediation.fields,
        leaves=remediation.leaves,
        proves_email=remediation.name == ENROLL and BY_KIND.get(kind, UNKNOWN).proves == "email",
        skip=response.remediation(SKIP),
        resend=authenticator.resend if authenticator and remediation.name in CODE_STEPS | POLLS else None,
        poll=_poll(remediation, authenticator),
        others=select if select and other_choices(select, authenticator) else None,
        channels=channels if remediation is not channels else None,
        number=select if select and page == "code" and kind == "phone" and phone_option(select) else None,
        messages=response.messages,
    )


def _choice_step(response: IdxResponse, select: Remediation, picked: str) -> Step:
    """Return the step with the choice of an authenticator, or with the details of the picked one."""
    choices = feasible_choices(select)
    option = next((o for o in choices if option_id(o) == picked), None)
    shown = option if choices else next((o for o in _options_with_id(select) if o.authenticator), None)
    authenticator = shown.authenticator if shown else None
    page = _page(select, authenticator) if choices else UNSUPPORTED
    beside = beside_choice(select)
    return Step(
        # "choose" shows the choice; details are shown as the org sent them unless the authenticator has its own page.
        page=OTHER if option and page == "choose" else page,
        remediation=select,
        authenticator=authenticator,
        option=option,
        choices=choices,
        skip=response.remediation(SKIP),
        others=select if option and len(choices) > 1 else None,
        messages=response.messages,
        name=_name(select, authenticator.key if authenticator else ""),
        fields=(*option.fields, *beside) if option else select.fields,
        leaves=(*option.leaves, *leaves_of(beside)) if option else select.leaves,
    )


def _name(remediation: Remediation, authenticator_key: str) -> str:
    return f"{remediation.name} {authenticator_key}".strip()[:100]


def current_remediation(response: IdxResponse) -> Remediation | None:
    """Return the first remediation that is a step of its own, else the first of ``FALLBACKS``, else a link to an
    identity provider. On the org's sign-in page, only a profile form and ``SKIP`` count.

    ``WAITING`` or ``CHANNELS``, for the visitor's other device, is the step if it comes first and no code can be
    entered.
    """
    steps = [r for r in response.remediations if _is_elsewhere(r) or (r.name not in SIDE_ACTIONS and not r.is_link)]
    if any(r.name in SIGN_IN for r in response.remediations):
        profile_forms = [r for r in steps if r.name.startswith("enroll-profile")]
        return profile_forms[0] if profile_forms else response.remediation(SKIP)
    first = next(iter(response.remediations), None)
    if first and first.name in (WAITING, CHANNELS) and not any(r.name in CODE_STEPS for r in steps):
        return first
    fallbacks = [r for name in FALLBACKS if (r := response.remediation(name))]
    return next(iter((*steps, *fallbacks, *identity_providers(response))), None)


def _is_elsewhere(remediation: Remediation) -> bool:
    """Return whether the step is a link to another site, which verifies an identity, is an authenticator or has the
    password.
    """
    is_step = remediation.name in (LINKED_STEPS if remediation.authenticator is None else {*LINKED_STEPS, *PROVIDERS})
    return is_step and (remediation.is_link or remediation.method == "GET")


def identity_providers(response: IdxResponse) -> tuple[Remediation, ...]:
    """Return the links to identity providers that have an id: a button needs it to name its provider."""
    return tuple(r for r in response.remediations if r.name in PROVIDERS and r.idp_id)


def choice_field(remediation: Remediation) -> Field | None:
    """Return the field whose options are objects, such as ``authenticator`` in a choice of authenticators."""
    return next((f for f in remediation.fields if any(o.fields for o in f.options)), None)


def feasible_choices(remediation: Remediation) -> tuple[Option, ...]:
    """Return the options that a server-rendered page can offer."""
    return tuple(o for o in _options_with_id(remediation) if AUTHENTICATORS.get(key_of(o), UNKNOWN).can_be_enrolled)


def other_choices(remediation: Remediation, current: Authenticator | None) -> tuple[Option, ...]:
    """Return the feasible options for other authenticators than ``current``, compared by id, else by key."""
    choices = feasible_choices(remediation)
    if current is None:
        return choices
    if any(option_id(o) == current.id for o in choices):
        return tuple(o for o in choices if option_id(o) != current.id)
    return tuple(o for o in choices if key_of(o) != current.key)


def first_choice(choices: tuple[Option, ...]) -> Option:
    """Return the first of several required authenticators: email, then a password, then in the org's order."""
    return min(choices, key=lambda option: _rank(key_of(option)))


def _rank(key: str) -> int:
    return FIRST.index(key) if key in FIRST else len(FIRST)


def needed_after(known: tuple[str, ...], response: IdxResponse) -> tuple[str, ...]:
    """Return the keys of the authenticators that a sign-up is known to need, in the order in which the site asks.

    The org offers what it requires in any case from the start, without ``skip``. Several that it offers later may be
    alternatives, one of which is enough (docs/protocol.md, section 4.4).

    :param known: the keys known from earlier answers
    """
    enrolled = {a.key for a in response.enrolled}
    if response.remediation(SKIP):
        return tuple(key for key in known if key in enrolled)
    select = response.remediation(SELECT)
    choices = [key_of(option) for option in feasible_choices(select)] if select else []
    if enrolled and (len(choices) > 1 or current_remediation(response) is not select):
        choices = []
    return tuple(dict.fromkeys((*known, *sorted(choices, key=_rank))))


def phone_option(remediation: Remediation) -> Option | None:
    """Return the option of a phone whose number is asked for before the choice is sent."""
    options = feasible_choices(remediation)
    return next((o for o in options if key_of(o) == PHONE and needs_details(remediation, o)), None)


def key_of(option: Option) -> str:
    """Return the key of an option's authenticator, or ""."""
    return option.authenticator.key if option.authenticator else ""


def _options_with_id(remediation: Remediation) -> tuple[Option, ...]:
    chooser = choice_field(remediation)
    return tuple(o for o in chooser.options if option_id(o)) if chooser else ()


def beside_choice(remediation: Remediation) -> tuple[Field, ...]:
    """Return the fields that don't depend on the choice."""
    chooser = choice_field(remediation)
    return tuple(f for f in remediation.fields if f is not chooser)


def option_id(option: Option) -> str:
    """Return the id of an option's authenticator, or ""."""
    return next((str(f.value) for f in option.fields if f.name == "id" and f.value is not None), "")


def has_object_options(field: Field) -> bool:
    """Return whether the options are objects that their ids don't tell apart, one of which is filled in: one of the
    org's security questions or one's own, one of two phones.
    """
    ids = [option_id(o) for o in field.options if o.fields]
    return bool(ids) and (not any(ids) or len(set(ids)) < len(ids))


def sends_on_choice(option: Option) -> bool:
    """Return whether the org sends a code as soon as this option is chosen."""
    return option.authenticator is not None and BY_KIND.get(option.authenticator.kind, UNKNOWN).sends_on_choice


def needs_details(remediation: Remediation, option: Option) -> bool:
    """Return whether the visitor has to fill in something before the choice is sent.

    An optional field with a single option leaves nothing to decide.
    """
    presets, leaves = presets_of(option), (*option.leaves, *leaves_of(beside_choice(remediation)))
    to_fill_in = [f for f in leaves if f.mutable and f.visible and f.value is None and f.name not in presets]
    return any(f.required or len(f.options) != 1 for f in to_fill_in)


def presets_of(option: Option) -> dict[str, str]:
    """Return the values that are chosen for the visitor together with this option, by field name."""
    presets = AUTHENTICATORS.get(key_of(option), UNKNOWN).presets
    return {f.name: presets[f.name] for f in option.fields if presets.get(f.name) in [o.value for o in f.options]}


def is_error(message: Message) -> bool:
    """Return whether a message is about something to correct. INFO, SUCCESS and WARNING only inform."""
    return message.severity not in ("INFO", "SUCCESS", "WARNING")


def _poll(remediation: Remediation, authenticator: Authenticator | None) -> Action | None:
    if remediation.name in POLLS:
        return remediation
    return authenticator.poll if authenticator and remediation.name in CODE_STEPS else None


def _page(remediation: Remediation, authenticator: Authenticator | None) -> str:
    info = AUTHENTICATORS.get(authenticator.key, UNKNOWN) if authenticator else UNKNOWN
    page = info.pages.get(remediation.name) or PAGES.get(remediation.name, OTHER)
    if page == "passkey":
        return page if authenticator and authenticator.activation else UNSUPPORTED
    if page == "consent_scopes":  # our buttons answer its hidden field
        return page
    # A link leads to another site, for example to read a card or a device.
    is_foreign = (remediation.method == "GET" or not info.can_be_enrolled) and page not in ("providers", ELSEWHERE)
    return UNSUPPORTED if is_foreign or any(is_script_only(f) for f in remediation.leaves) else page


def is_script_only(leaf: Field) -> bool:
    """Return whether only a script or a device can fill in the field. Captchas and booleans don't count."""
    is_hidden = leaf.required and leaf.mutable and not leaf.visible and leaf.value is None
    return is_hidden and leaf.hint != "captcha" and leaf.type != "boolean"


def _reason(response: IdxResponse) -> str:
    """Return why there is no step: the first error's key, else ``SUCCESS_REDIRECT`` if the org offers it, else the key
    of a message about a mailed link, else the first key.
    """
    with_key = [m for m in response.messages if m.key]
    errors = [m for m in with_key if is_error(m)]
    if not errors and response.remediation(SUCCESS_REDIRECT):
        return SUCCESS_REDIRECT
    messages = errors or [m for m in with_key if m.key in CHECK_EMAIL] or with_key
    return messages[0].key[:100] if messages else NO_WAY_ON
