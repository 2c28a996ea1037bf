"""One exchange with the org: claim the row, make the call, ask again after a doubt. All I/O, no decisions.

The claim is committed before the call and no transaction is open during it: a worker that dies in a call leaves a row
that says so, and of two requests at once only one calls the org.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction as database

from selfreg import rate_limits
from selfreg.idx.client import Answer
from selfreg.idx.document import Action
from selfreg.idx.errors import AnswerLost, IdxError
from selfreg.idx.transport import TOTAL_SECONDS
from selfreg.rate_limits import NO_EFFECT, Effect
from selfreg.registration.attempt import Attempt
from selfreg.registration.transition import is_denied, keeps_answer, stands_elsewhere

# A lost answer that took longer is asked about by the next request: no page waits for two deadlines.
PATIENCE_SECONDS = 3.0
# One call and the question after a lost answer, with room for the database.
CLAIM_SECONDS = 2 * TOTAL_SECONDS + 4


@dataclass(frozen=True, slots=True)
class Call:
    """A call to make. ``effect`` decides which limits it counts towards; ``calls`` how many calls follow at once."""

    action: Action
    effect: Effect
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
    if wait := claim(attempt, call.effect, call.calls, **columns):
        return Throttled(wait)
    return send(attempt, call)


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
        wait = rate_limits.count(rate_limits.hits_of(effect, str(row.pk), address, attempt.org.ip))
        if wait:
            database.set_rollback(True)
        else:
            row.claim(CLAIM_SECONDS, **columns)
    return wait


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
