"""The story of a registration: a sentence for each event, what went wrong, and the time between events."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from selfreg.admin.actions import ACTIONS_BY_NAME
from selfreg.admin.console import system_log_url
from selfreg.admin.labels import exact, sentence, step_label, trouble_sentence
from selfreg.admin.reasons import WRONG_CODES
from selfreg.models import RegistrationEvent
from selfreg.okta_api.accounts import DEACTIVATED

Kind = RegistrationEvent.Kind
SIGNS = {"good": "✓", "bad": "✕", "plain": "•"}

# Step -> what the person did.
DONE: Mapping[str, str | Promise] = {
    "enroll-profile": _("Filled in the sign-up form"),
    "enroll-profile-update": _("Gave more details"),
    "profile-update": _("Gave more details"),
    "select-authenticator-enroll": _("Went on to the next method"),
    "select-authenticator-enroll phone_number": _("Gave a phone number, and was sent a code"),
    "enroll-authenticator okta_email": _("Typed the code from the email"),
    "enroll-authenticator okta_password": _("Set a password"),
    "enroll-authenticator phone_number": _("Typed the code from the phone"),
    "enroll-authenticator webauthn": _("Created a passkey"),
}
# Kind -> sentence, if the outcome does not matter.
SENTENCES: Mapping[str, str | Promise] = {
    Kind.STARTED: _("Started the sign-up"),
    Kind.SKIPPED: _("Skipped the optional methods"),
    Kind.VERIFIED: _("The email address was verified"),
    Kind.COMPLETED: _("Completed: the person can sign in here"),
    Kind.EXPIRED: _("The sign-up timed out"),
    Kind.CANCELLED: _("The sign-up was cancelled"),
    Kind.RECOVERED: _("Asked Okta what happened to the last step"),
}
OUTCOMES: Mapping[tuple[str, str], str | Promise] = {
    (Kind.RECOVERED, "awaiting approval"): _("Signed in at Okta, and waits for approval"),
    (Kind.CANCELLED, "completed elsewhere"): _("Cancelled, because another sign-up of this person was completed"),
    (Kind.RESENT, "ok"): _("Asked for another code or email"),
    (Kind.ADMINISTERED, DEACTIVATED): _("The Okta account was deactivated, to send a new link or to delete it"),
}
BAD_KINDS = frozenset({Kind.TROUBLE, Kind.FAILED, Kind.EXPIRED})
GOOD_KINDS = frozenset({Kind.VERIFIED, Kind.COMPLETED})


@dataclass(frozen=True, slots=True)
class Line:
    """One event. ``gap`` is the time since the previous event, ``tone`` a CSS class; the rest are details."""

    event: RegistrationEvent
    text: str
    tone: str
    sign: str
    gap: str
    at: str
    step: str
    log_url: str


def story(events: Iterable[RegistrationEvent]) -> Iterator[Line]:
    """Yield a line for each event.

    :param events: of one registration, in chronological order
    """
    wrong_codes: Counter[str] = Counter()
    before = None
    for event in events:
        wrong_codes[event.step] += _is_wrong_code(event)
        tone = _tone(event)
        yield Line(
            event=event,
            text=_text(event, wrong_codes[event.step]),
            tone=tone,
            sign=SIGNS[tone],
            gap=gap(event.at - before.at) if before else "",
            at=exact(event.at),
            step=step_label(event.step),
            log_url=system_log_url(event.registration.issuer, event.request_id),
        )
        before = event


def gap(time: timedelta) -> str:
    """Return the time between two events: "+42 s", "+3 min", "+2 h"; "" for less than a second."""
    seconds = round(time.total_seconds())
    for unit, text in ((86_400, _("+%(number)d d")), (3_600, _("+%(number)d h")), (60, _("+%(number)d min"))):
        if seconds >= 2 * unit:
            return str(text) % {"number": seconds // unit}
    return gettext("+%(number)d s") % {"number": seconds} if seconds > 0 else ""


def _tone(event: RegistrationEvent) -> str:
    is_refused = event.kind in (Kind.ANSWERED, Kind.RESENT, Kind.SKIPPED) and event.outcome != "ok"
    if event.kind in BAD_KINDS or is_refused or (event.kind == Kind.ADMINISTERED and not _is_done(event)):
        return "bad"
    return "good" if event.kind in GOOD_KINDS else "plain"


def _is_wrong_code(event: RegistrationEvent) -> bool:
    return event.kind == Kind.ANSWERED and event.outcome in WRONG_CODES


def _text(event: RegistrationEvent, wrong_codes: int) -> str:
    if (event.kind, event.outcome) in OUTCOMES:
        return str(OUTCOMES[event.kind, event.outcome])
    match event.kind:
        case Kind.ANSWERED if event.outcome == "ok":
            done = DONE.get(event.step)
            return str(done) if done else gettext("Passed a step: %(step)s") % {"step": step_label(event.step)}
        case Kind.ANSWERED if _is_wrong_code(event):
            return _wrong_code(wrong_codes)
        case Kind.ANSWERED | Kind.RESENT:
            why = " ".join(sentence(key) for key in event.outcome.split())
            return gettext("Not accepted: %(why)s") % {"why": why}
        case Kind.TROUBLE:
            return trouble_sentence(event.outcome)
        case Kind.FAILED:
            return gettext("The sign-up failed: %(why)s") % {"why": sentence(event.outcome)}
        case Kind.ADMINISTERED:
            return _administered(event)
    return str(SENTENCES.get(event.kind, event.get_kind_display()))


def _wrong_code(times: int) -> str:
    match times:
        case 1:
            return gettext("Typed a wrong code")
        case 2:
            return gettext("Typed a wrong code, the second time")
        case 3:
            return gettext("Typed a wrong code, the third time")
    return gettext("Typed a wrong code, %(number)d times now") % {"number": times}


def _is_done(event: RegistrationEvent) -> bool:
    """Return whether an administrator's action succeeded. Notes of management commands count as success."""
    name, _colon, outcome = event.outcome.partition(": ")
    return name not in ACTIONS_BY_NAME or outcome == "ok"


def _administered(event: RegistrationEvent) -> str:
    name, _colon, outcome = event.outcome.partition(": ")
    action = ACTIONS_BY_NAME.get(name)
    if action is None:
        return event.outcome
    return str(action.label) if outcome == "ok" else f"{action.label}: {outcome}"
