"""The values that commands, exchange and transition pass to each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.dispatch import Signal

from selfreg.idx.document import Message
from selfreg.idx.errors import AnswerLost, IdxError, OrgRefused, RateLimited
from selfreg.idx.steps import Ended, Granted, Step
from selfreg.models import RegistrationEvent
from selfreg.registration.outcome import Outcome
from selfreg.registration.state import EnrollmentState
from selfreg.statuses import Status

Kind = RegistrationEvent.Kind
AnyStep = Step | Granted | Ended

# Characters of an event's outcome.
MAX_OUTCOME = 200
# Messages of this site for the next page.
CODE_SENT_AGAIN = Message("", "selfreg.sent_again", severity="INFO")
ALREADY_DONE = Message("", "selfreg.already_done", severity="INFO")
NOT_OFFERED = Message("", "selfreg.not_offered", severity="INFO")
SIGN_IN_INSTEAD = Message("", "selfreg.exists", severity="INFO")
ASKED_AGAIN = Message("", "selfreg.same_again")
ANSWER_LOST = Message("", "selfreg.answer_lost")
# On pages that wait for a device, in place of ``CODE_SENT_AGAIN`` and ``ASKED_AGAIN``.
NOTHING_YET = dict.fromkeys(("device", "waiting"), Message("", "selfreg.not_yet", severity="INFO"))
SENT_AGAIN = {**NOTHING_YET, "device": Message("", "selfreg.new_link", severity="INFO")}


@dataclass(frozen=True, slots=True)
class Position:
    """A registration before a command, as ``transition`` needs it.

    ``step`` is what ``next_step`` returned for ``state``, and ``step_name`` the row's column ``step``. ``in_doubt`` is
    whether the org may have carried out an earlier call whose answer was lost. ``now`` is in seconds since the epoch.
    """

    state: EnrollmentState
    step: AnyStep
    status: Status
    step_name: str
    okta_user_id: str
    resend_seconds: int
    in_doubt: bool
    now: float


@dataclass(frozen=True, slots=True)
class Command:
    """What the visitor wants from the org.

    ``draft`` holds the submitted values by HTML name, without secrets. ``proves_email`` is whether the address is
    verified if this completes the step.
    """

    kind: RegistrationEvent.Kind
    draft: dict[str, str] = field(default_factory=dict)
    proves_email: bool = False


class Event(NamedTuple):
    """An event to write; the columns of ``models.RegistrationEvent``. ``actor`` is "" for who makes the request."""

    kind: RegistrationEvent.Kind
    step: str = ""
    outcome: str = ""
    milliseconds: int | None = None
    request_id: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """What a command does to a registration.

    - ``state``: None empties it, and ``step`` is None then.
    - ``status``: None leaves it as it is.
    - ``values``: further columns of the row.
    - ``explanation``: becomes ``failure_text``.
    - ``signal``, ``signal_values``: one of ``selfreg.signals`` and its arguments.
    - ``came_to_nothing``: whether the call had no effect at the org, as far as is known.
    """

    outcome: Outcome
    state: EnrollmentState | None = None
    step: AnyStep | None = None
    status: Status | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    explanation: tuple[Message, ...] = ()
    proves_email: bool = False
    in_doubt: bool = False
    came_to_nothing: bool = False
    signal: Signal | None = None
    signal_values: Mapping[str, Any] = field(default_factory=dict)


def describe(error: IdxError) -> str:
    """Return an event's outcome for a failed call: the kind of error with the org's code, or what the outage was.

    The org's own description of a refusal is left out: it may repeat what a person typed.
    """
    is_outage = isinstance(error, AnswerLost | RateLimited)
    detail = error.code if isinstance(error, OrgRefused) else error.description if is_outage else ""
    return f"{type(error).__name__} {detail}".rstrip()[:MAX_OUTCOME]
