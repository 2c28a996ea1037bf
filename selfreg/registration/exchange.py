"""All I/O of one registration: open its row, claim it, call the org, ask again after a doubt, commit. No decisions.

A claim is committed before the call, and no transaction is open during it: a worker that dies in a call leaves a row
that says so, and of two requests at once only one calls the org. What a call came to is committed once, by
compare-and-set.
"""

import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.db import transaction as database
from django.utils import timezone

from selfreg import rate_limits
from selfreg.encryption import Unreadable
from selfreg.idx.client import Answer, IdxClient
from selfreg.idx.document import Action, Message
from selfreg.idx.errors import AnswerLost, IdxError
from selfreg.idx.steps import Step, current_remediation
from selfreg.idx.transport import TOTAL_SECONDS
from selfreg.models import Conflict, Registration, RegistrationEvent, link_digest
from selfreg.rate_limits import NO_EFFECT, Effect
from selfreg.registration import transition as transitions
from selfreg.registration.enumeration import EnumerationSafeClient
from selfreg.registration.policy import Org, fingerprint
from selfreg.registration.state import EnrollmentState
from selfreg.registration.transition import answer_moves, is_denied, keeps_answer, stands_elsewhere
from selfreg.registration.values import AnyStep, Position, Transition
from selfreg.signals import announce
from selfreg.statuses import Status
from selfreg.texts.messages import say

# A lost answer that took longer is asked about by the next request: no page waits for two deadlines.
PATIENCE_SECONDS = 3.0
# One call and the question after a lost answer, with room for the database.
CLAIM_SECONDS = 2 * TOTAL_SECONDS + 4
MAX_EXPLANATION = 10_000


# ---- the row


@dataclass(slots=True)
class Attempt:
    """What commands act on. They move it on, so ``step`` is always the present one.

    ``state`` is None where the row keeps none: there is no step any more, or (``is_readable`` is false) its key is
    gone. ``actor`` is the administrator who acts in the person's stead, "" for the person. ``signs_in``: a visitor is
    there to be signed in at the end. ``leftover`` is what was typed on the first page of a registration that expired,
    for starting again.
    """

    row: Registration
    org: Org
    state: EnrollmentState | None = None
    present: AnyStep | None = None
    step_name: str = ""
    is_readable: bool = True
    actor: str = ""
    signs_in: bool = False
    leftover: dict[str, str] | None = None

    @property
    def step(self) -> AnyStep | None:
        """The step as the visitor sees it; None where there is none."""
        if self.state is None or self.present is None:
            return None
        return transitions.visible_step(self.present, self.state, may_skip_email=self.may_skip_email)

    def may_skip_email(self) -> bool:
        """Whether the address is proven, or need not be."""
        return self.email_proven or not self.org.settings.email_is_mandatory_for(self.row.workflow)

    @property
    def page(self) -> Step | None:
        """The step, where there is a page to fill in."""
        return transitions.page_of(self.step)

    @property
    def email_proven(self) -> bool:
        """Whether this registration saw the address proven."""
        return self.row.email_verified_at is not None

    @property
    def client(self) -> IdxClient | EnumerationSafeClient:
        """The client for calls of this registration."""
        if self.state is None or not self.org.hides_accounts:
            return self.org.client
        return EnumerationSafeClient(self.org.client, self.state, email_proven=self.email_proven)

    @property
    def position(self) -> Position:
        """Where it stands now, for ``transition``.

        :raises Unreadable: nothing is kept
        """
        if self.state is None or self.present is None:
            raise Unreadable("nothing is kept")
        return Position(
            state=self.state,
            step=self.present,
            status=Status(self.row.status),
            step_name=self.step_name or self.row.step,
            okta_user_id=self.row.okta_user_id,
            resend_seconds=self.org.settings.resend_seconds,
            now=timezone.now().timestamp(),
        )

    def count_calls(self, calls: int = 1) -> None:
        """Remembers that so many calls of this transaction were made just now, for ``rate_limits.pace``."""
        if self.state is not None and calls:
            times = (*self.state.calls, *[timezone.now().timestamp()] * calls)[-rate_limits.CALLS :]
            self.state = replace(self.state, calls=times)

    def change(self, **members: Any) -> None:
        """Replaces members of the state; the next commit writes them."""
        self.state = replace(self.position.state, **members)

    def create(self) -> None:
        """Writes the row of a new registration, at its first step.

        :raises Conflict: it exists already
        """
        self.row.commit(sealed=self.row.encrypted(self.position.state.to_json()))

    def adopt(self, transition: Transition) -> None:
        """Stands where the transition leads; it is not committed by that."""
        self.state, self.present = transition.state, transition.step
        self.step_name = transition.values.get("step", self.step_name)


def open_row(row: Registration, org: Org, *, actor: str = "", signs_in: bool = False) -> Attempt:
    """Opens a row: decrypts its state, and decides its step."""
    attempt = Attempt(row, org, actor=actor, signs_in=signs_in)
    if row.sealed:
        try:
            attempt.state = EnrollmentState.from_json(row.decrypted())
            attempt.present = transitions.step_of(attempt.state)
        except Unreadable:
            attempt.is_readable = False
    return attempt


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a registration comes from and where it shall lead."""

    next_url: str = ""
    language: str = ""
    browser: str = ""
    country: str = ""
    id: uuid.UUID = field(default_factory=uuid.uuid4)


def new_attempt(org: Org, state: EnrollmentState, origin: Origin) -> Attempt:
    """A registration that stands at its first step. Its row is created by the first claim or commit."""
    step = transitions.step_of(state)
    row = Registration(
        id=origin.id,
        issuer=org.settings.issuer,
        workflow=org.settings.email_verification,
        policy=fingerprint(current_remediation(state.response)),
        next_url=origin.next_url,
        language=origin.language,
        browser=origin.browser,
        country=origin.country,
        link_digest=link_digest(state.transaction.state),
    )
    row.sealed = row.encrypted(state.to_json())
    attempt = Attempt(row, org, state, step, signs_in=True)
    status, values = transitions.row_values(attempt.position, state, step)
    row.status, row.step, row.okta_user_id = status, values["step"], values["okta_user_id"]
    row.expires_at = values["expires_at"]
    return attempt


def commit(attempt: Attempt, transition: Transition, *, hold: float = 0.0, **columns: Any) -> None:
    """Writes what became of a registration: its row and its events in one transaction, by compare-and-set.

    :param hold: seconds for which the claim is kept, for a call that follows at once
    :param columns: further ones, see ``models.RowValues``
    :raises Conflict: another request was quicker; nothing was written
    """
    row = attempt.row
    values: dict[str, Any] = {**transition.values, **columns, "unsure": transition.in_doubt}
    values["sealed"] = row.encrypted(transition.state.to_json()) if transition.state else ""
    if transition.proves_email:
        values["email_verified_at"] = timezone.now()
    if transition.explanation:
        values["failure_text"] = explain(transition.explanation)
    events = [RegistrationEvent(registration=row, actor=attempt.actor[:150], **asdict(e)) for e in transition.events]
    row.commit(to=transition.status, events=events, hold=hold, **values)
    if transition.status == Status.EXPIRED:
        attempt.leftover = attempt.state.profile if attempt.state else {}
    attempt.adopt(transition)
    if transition.signal:
        announce(transition.signal, Registration, registration=row, **transition.signal_values)


def explain(messages: Iterable[Message]) -> str:
    """What an end says, each message once and in a line of its own, in the visitor's language."""
    return "\n".join(dict.fromkeys(say(m) for m in messages))[:MAX_EXPLANATION]


# ---- the org


@dataclass(frozen=True, slots=True)
class Call:
    """A call to make. ``effect`` decides which limits it counts towards; ``calls`` how many calls follow at once.

    ``is_repeatable``: it has no effect, and made twice it leaves the registration where one call would, so the row need
    not be claimed for it.
    """

    action: Action
    effect: Effect
    is_repeatable: bool = False
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Answered:
    """The org's answer. ``is_elsewhere``: the org denied the step, and this is where it stands instead."""

    answer: Answer
    is_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Recovered:
    """The org's present step, introspected because the answer to a call was lost (``error``, if it was this one)."""

    answer: Answer
    error: IdxError | None = None


@dataclass(frozen=True, slots=True)
class Throttled:
    """Nothing was sent: a limit is used up for so many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """No answer. ``unsure``: the org may have carried the call out, or its answer must not be kept."""

    error: IdxError
    unsure: bool = False


Result = Answered | Recovered | Throttled | Trouble


def exchange(attempt: Attempt, call: Call, **columns: Any) -> Result:
    """Claims the row and makes one call that changes something at the org.

    :param columns: what is written with the claim, see ``models.RowValues``
    :raises Conflict: another request has a call under way, or changed the row
    """
    wait = check(attempt, call.calls) if call.is_repeatable else claim(attempt, call.effect, call.calls, **columns)
    if wait:
        return Throttled(wait)
    result = send(attempt, call)
    if call.effect != NO_EFFECT and is_undone(attempt, result):
        address = columns.get("email", attempt.row.email)
        rate_limits.refund_effect(call.effect, str(attempt.row.pk), address, attempt.org.client.visitor.ip)
    return result


def is_undone(attempt: Attempt, result: Result) -> bool:
    """Whether a call came to nothing, as far as anybody knows: what never reached the org counts for no limit."""
    if isinstance(result, Recovered):
        return not answer_moves(attempt.position, result.answer)
    return isinstance(result, Trouble)


def claim(attempt: Attempt, effect: Effect = NO_EFFECT, calls: int = 1, **columns: Any) -> int:
    """Marks a call as under way and counts its effect, in one transaction.

    :return: 0, or how many seconds to wait: then nothing was written
    :raises Conflict: another request has a call under way, or changed the row
    """
    times = attempt.state.calls if attempt.state else ()
    if wait := rate_limits.pace(times, calls):
        return wait
    row, address = attempt.row, columns.get("email", attempt.row.email)
    with database.atomic():
        wait = rate_limits.count_effect(effect, str(row.pk), address, attempt.org.client.visitor.ip)
        if wait:
            database.set_rollback(True)
        else:
            row.claim(CLAIM_SECONDS, **columns)
    return wait


def check(attempt: Attempt, calls: int = 1) -> int:
    """Before a repeatable call.

    :return: 0, or how many seconds to wait
    :raises Conflict: another request has a call under way
    """
    if attempt.row.is_busy:
        raise Conflict("busy", attempt.row.pk)
    return rate_limits.pace(attempt.position.state.calls, calls)


def send(attempt: Attempt, call: Call) -> Answered | Recovered | Trouble:
    """Makes the call of a row that is claimed; after a lost answer the org is asked what became of it."""
    client, started = attempt.client, time.monotonic()
    attempt.count_calls()
    try:
        answer = client.proceed(call.action, call.values)
    except AnswerLost as error:
        is_late = time.monotonic() - started > PATIENCE_SECONDS
        return Trouble(error, unsure=True) if is_late else ask(attempt, error)
    except IdxError as error:
        return Trouble(error, unsure=not keeps_answer(error))
    attempt.count_calls(answer.calls - 1)
    if is_denied(answer.response) and (elsewhere := _look_elsewhere(attempt)):
        return Answered(elsewhere, is_elsewhere=True)
    return Answered(answer)


def ask(attempt: Attempt, error: IdxError | None = None) -> Recovered | Trouble:
    """Asks the org where a claimed registration stands: a change whose answer was lost is never repeated."""
    attempt.count_calls()
    try:
        return Recovered(attempt.client.introspect(attempt.position.state.transaction), error)
    except IdxError as trouble:
        return Trouble(trouble, unsure=True)


def _look_elsewhere(attempt: Attempt) -> Answer | None:
    """The step that the org is at, if it went on without this site."""
    position = attempt.position
    attempt.count_calls()
    try:
        present = attempt.client.introspect(position.state.transaction)
    except IdxError:
        return None
    return present if stands_elsewhere(position, present) else None
