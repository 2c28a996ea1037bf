"""All I/O of one registration: open its row, claim it, call the org, ask again after a doubt, commit.

What an answer means is decided in ``transition``.

A claim is committed before the call, and no transaction is open during the call. If a worker dies in a call, its row
stays claimed; of two concurrent requests, only one calls the org. The result is committed once, by compare-and-set.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from django.utils import timezone

from selfreg import rate_limits
from selfreg.encryption import Unreadable
from selfreg.idx.client import Answer, IdxClient
from selfreg.idx.document import Action, Message
from selfreg.idx.errors import AnswerLost, IdxError
from selfreg.idx.steps import Step, current_remediation
from selfreg.idx.transport import TOTAL_SECONDS
from selfreg.models import Conflict, Registration, RegistrationEvent, link_digest
from selfreg.monitoring import context
from selfreg.rate_limits import Effect
from selfreg.registration import transition as transitions
from selfreg.registration.enumeration import EnumerationSafeClient
from selfreg.registration.policy import Org, fingerprint
from selfreg.registration.state import EnrollmentState, seal, unseal
from selfreg.registration.transition import stands_elsewhere
from selfreg.registration.transition_types import AnyStep, Command, Position, Transition
from selfreg.signals import announce
from selfreg.statuses import ABANDONED, Status
from selfreg.texts.messages import say, whole_key

# If a call took longer than this before its answer was lost, not this request asks for the current step, but the next:
# no page waits for two deadlines.
PATIENCE_SECONDS = 3.0
# One call, the introspection after a lost answer, and time for the database.
CLAIM_SECONDS = 2 * TOTAL_SECONDS + 4
MAX_EXPLANATION = 10_000


# ---- the row


@dataclass(slots=True)
class Attempt:
    """An opened registration, which commands act on and keep up to date.

    - ``state``, ``step``: None if there are no more steps, or if the encryption key is gone (``is_readable`` is false).
    - ``in_doubt``: whether the org may have carried out an earlier call whose answer was lost.
    - ``was_busy``: whether another request was calling the org when the row was opened.
    - ``actor``: the administrator who acts for the visitor, "" if it is the visitor.
    - ``signs_in``: whether a visitor is waiting to be logged in at the end.
    - ``leftover``: what was typed on the first page of a registration that expired, for starting again.
    """

    row: Registration
    org: Org
    state: EnrollmentState | None = None
    step: AnyStep | None = None
    step_name: str = ""
    is_readable: bool = True
    in_doubt: bool = False
    was_busy: bool = False
    actor: str = ""
    signs_in: bool = False
    leftover: dict[str, str] | None = None

    @property
    def page(self) -> Step | None:
        """The step as the visitor sees it; None if it has no page."""
        if self.state is None or self.step is None:
            return None
        return transitions.visible_page(self.step, self.state, may_skip_email=self.may_skip_email)

    def may_skip_email(self) -> bool:
        """Return whether the address is verified already, or doesn't have to be."""
        return self.email_proven or not self.org.settings.email_is_mandatory(self.row.workflow)

    @property
    def email_proven(self) -> bool:
        """Whether the address was verified during this registration."""
        return self.row.email_verified_at is not None

    @property
    def client(self) -> IdxClient | EnumerationSafeClient:
        """The client for calls of this registration."""
        if self.state is None or not self.org.hides_accounts:
            return self.org.client
        return EnumerationSafeClient(self.org.client, self.state, self.email_proven, self.row.org)

    @property
    def position(self) -> Position:
        """The current position, for ``transition``.

        :raises Unreadable: the row has no readable state
        """
        if self.state is None or self.step is None:
            raise Unreadable("nothing is kept")
        return Position(
            state=self.state,
            step=self.step,
            status=Status(self.row.status),
            step_name=self.step_name or self.row.step,
            okta_user_id=self.row.okta_user_id,
            resend_seconds=self.org.settings.resend_seconds,
            in_doubt=self.in_doubt,
            now=timezone.now().timestamp(),
        )

    def count_calls(self, calls: int = 1) -> None:
        """Record that so many calls of this transaction were made just now, for ``rate_limits.pace``."""
        if self.state is not None and calls:
            times = (*self.state.calls, *[timezone.now().timestamp()] * calls)[-rate_limits.CALLS :]
            self.state = replace(self.state, calls=times)

    def change(self, **members: Any) -> None:
        """Change members of the state. The next commit writes them."""
        self.state = replace(self.position.state, **members)

    def adopt(self, transition: Transition) -> None:
        """Move to the state and step of a transition, without committing it."""
        self.state, self.step = transition.state, transition.step
        self.step_name = transition.values.get("step", self.step_name)


def open_row(row: Registration, org: Org, *, actor: str = "", signs_in: bool = False) -> Attempt:
    """Open a row: decrypt its state and decide its step."""
    context.bind(registration=row.pk)
    attempt = Attempt(row, org, in_doubt=row.in_doubt, was_busy=row.is_busy, actor=actor, signs_in=signs_in)
    if row.sealed:
        try:
            attempt.state = unseal(row.sealed, row.pk, org.settings.encryption_keys)
            attempt.step = transitions.step_of(attempt.state)
        except Unreadable:
            attempt.is_readable = False
    return attempt


def new_attempt(org: Org, state: EnrollmentState, **origin: Any) -> Attempt:
    """Make the attempt of a new registration at its first step. The first claim or commit inserts its row.

    :param origin: further columns, such as ``id``, ``next_url``, ``language`` and ``browser``
    """
    step, now = transitions.step_of(state), timezone.now()
    row = Registration(
        created_at=now,
        updated_at=now,
        issuer=org.settings.issuer,
        org=org.settings.org,
        workflow=org.settings.email_verification,
        policy=fingerprint(current_remediation(state.response)),
        link_digest=link_digest(state.transaction.state.reveal()),
        **origin,
    )
    row.sealed = seal(state, row.pk, org.settings.encryption_keys)
    attempt = Attempt(row, org, state, step, signs_in=True)
    row.status, values = transitions.row_values(attempt.position, state, step)
    for name, value in values.items():
        setattr(row, name, value)
    return attempt


def commit(attempt: Attempt, transition: Transition, *, hold: float = 0.0, **columns: Any) -> None:
    """Write a transition: the row and its events, in one transaction, by compare-and-set.

    :param hold: for how many seconds to keep the claim, because another call follows at once
    :param columns: further columns of the row to write
    :raises Conflict: another request changed the row first; nothing was written
    """
    row, state, keys = attempt.row, transition.state, attempt.org.settings.encryption_keys
    values: dict[str, Any] = {**transition.values, **columns, "unsure": transition.in_doubt}
    values["sealed"] = seal(state, row.pk, keys) if state else ""
    if transition.proves_email:
        values["email_verified_at"] = timezone.now()
    if transition.explanation:
        values["failure_text"] = explain(transition.explanation)
    acting = [event._replace(actor=(event.actor or attempt.actor)[:150]) for event in transition.events]
    events = [RegistrationEvent(registration=row, **event._asdict()) for event in acting]
    row.commit(to=transition.status, events=events, hold=hold, **values)
    if transition.status in ABANDONED:
        attempt.leftover = attempt.state.profile if attempt.state else {}
    attempt.adopt(transition)
    attempt.in_doubt = transition.in_doubt
    if transition.signal:
        announce(transition.signal, Registration, registration=row, **transition.signal_values)


def explain(messages: Iterable[Message]) -> str:
    """Return messages one per line and without repetitions: as a key where that says it all in every language."""
    return "\n".join(dict.fromkeys(whole_key(m) or say(m) for m in messages))[:MAX_EXPLANATION]


# ---- the org


@dataclass(frozen=True, slots=True)
class Call:
    """A call to make.

    - ``effect``: decides which limits the call counts towards.
    - ``calls``: how many calls are made one after the other.
    - ``is_repeatable``: whether the row needs no claim, because a second call would change nothing.
    """

    action: Action
    effect: Effect
    is_repeatable: bool = False
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    calls: int = 1


def exchange(attempt: Attempt, call: Call, command: Command, *, is_claimed: bool = False, **columns: Any) -> Transition:
    """Claim the row and make one call that changes something at the org. If the call had no effect, refund its limits.

    :param is_claimed: whether this request has claimed the row already, for an earlier call
    :param columns: further columns of the row to write with the claim
    :return: what the answer means, or that the visitor has to wait for a limit
    :raises Conflict: another request is calling the org, or changed the row
    """
    row, address = attempt.row, columns.get("email", attempt.row.email)
    hits = rate_limits.hits_of(call.effect, str(row.pk), address, attempt.org.client.visitor.ip)
    wait = rate_limits.pace(attempt.position.state.calls, call.calls)
    if not wait and not is_claimed and not call.is_repeatable:
        wait = row.claim(CLAIM_SECONDS, partial(rate_limits.count, hits, row.org), **columns)
    elif not wait:
        if not is_claimed and row.is_busy:
            raise Conflict("busy", row.pk)
        wait = rate_limits.consume(hits, row.org)
    if wait:
        return transitions.throttle(attempt.position, wait, command)
    transition = send(attempt, call, command)
    if transition.came_to_nothing:
        rate_limits.refund(hits, row.org)
    return transition


def send(attempt: Attempt, call: Call, command: Command) -> Transition:
    """Make a call for a claimed row. If its answer is lost, ask the org for the current step."""
    started = time.monotonic()
    attempt.count_calls()
    try:
        answer = attempt.client.proceed(call.action, call.values)
    except AnswerLost as error:
        if time.monotonic() - started > PATIENCE_SECONDS:
            return transitions.trouble(attempt.position, error, command, unsure=True)
        return ask(attempt, command, error)
    except IdxError as error:
        return transitions.trouble(attempt.position, error, command)
    attempt.count_calls(answer.calls - 1)
    if answer.response.is_denied and (elsewhere := _look_elsewhere(attempt)):
        return transitions.catch_up(attempt.position, elsewhere, command)
    return transitions.advance(attempt.position, answer, command)


def ask(attempt: Attempt, command: Command, error: IdxError | None = None) -> Transition:
    """Ask the org for the current step of a claimed registration. A call whose answer was lost is never repeated.

    :param error: how this request lost the answer; None if it lost none
    """
    attempt.count_calls()
    try:
        answer = attempt.client.introspect(attempt.position.state.transaction)
    except IdxError as trouble:
        return transitions.trouble(attempt.position, trouble, command, unsure=True)
    return transitions.recover(attempt.position, answer, command, error)


def _look_elsewhere(attempt: Attempt) -> Answer | None:
    """Ask the org for the current step. Return its answer if it moved on without this site, else None."""
    attempt.count_calls()
    try:
        present = attempt.client.introspect(attempt.position.state.transaction)
    except IdxError:
        return None
    return present if stands_elsewhere(attempt.position, present) else None
