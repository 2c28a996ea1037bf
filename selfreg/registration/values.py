"""The values that commands, exchange and transition pass to each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.dispatch import Signal

from selfreg.idx.document import Message
from selfreg.idx.errors import IdxError, OrgRefused
from selfreg.idx.steps import Ended, Granted, Step
from selfreg.models import RegistrationEvent
from selfreg.registration.outcome import Outcome
from selfreg.registration.state import EnrollmentState
from selfreg.statuses import Status

Kind = RegistrationEvent.Kind
AnyStep = Step | Granted | Ended

# Messages of this site for the next page.
CODE_SENT_AGAIN = Message("", "selfreg.sent_again", severity="INFO")
ALREADY_DONE = Message("", "selfreg.already_done", severity="INFO")
NOT_OFFERED = Message("", "selfreg.not_offered", severity="INFO")
SIGN_IN_INSTEAD = Message("", "selfreg.exists", severity="INFO")
ASKED_AGAIN = Message("", "selfreg.same_again")
ANSWER_LOST = Message("", "selfreg.answer_lost")


@dataclass(frozen=True, slots=True)
class Position:
    """A registration before a command, as ``transition`` needs it.

    ``step`` is what ``next_step`` returned for ``state``, and ``step_name`` the row's column ``step``. ``now`` is in
    seconds since the epoch.
    """

    state: EnrollmentState
    step: AnyStep
    status: Status
    step_name: str
    okta_user_id: str
    resend_seconds: int
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


@dataclass(frozen=True, slots=True)
class Event:
    """An event to write; the columns of ``models.RegistrationEvent``."""

    kind: RegistrationEvent.Kind
    step: str = ""
    outcome: str = ""
    milliseconds: int | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """What a command does to a registration.

    ``state`` None empties it, and ``step`` is None then. ``status`` None leaves the status. ``values`` are further
    columns of the row. ``explanation`` becomes ``failure_text``. ``signal`` is one of ``selfreg.signals``, and
    ``signal_values`` are its arguments.
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
    signal: Signal | None = None
    signal_values: Mapping[str, Any] = field(default_factory=dict)


def describe(error: IdxError) -> str:
    """What an event says of a failed exchange: its kind, and the org's code if it gave one."""
    return f"{type(error).__name__} {error.code}" if isinstance(error, OrgRefused) else type(error).__name__
