"""One registration as one request sees it: the row, its state opened once, and the step decided once."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from selfreg import clock, rate_limits
from selfreg.encryption import Unreadable
from selfreg.idx.client import IdxClient
from selfreg.idx.document import Message
from selfreg.idx.steps import Ended, Granted, Step, current_remediation
from selfreg.models import Registration, Status, link_digest
from selfreg.registration import transition as transitions
from selfreg.registration.enumeration import EnumerationSafeClient
from selfreg.registration.policy import Org, fingerprint
from selfreg.registration.state import EnrollmentState
from selfreg.registration.transition import Position, Transition
from selfreg.signals import announce
from selfreg.texts import say

MAX_EXPLANATION = 10_000


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
    present: Step | Granted | Ended | None = None
    is_readable: bool = True
    actor: str = ""
    signs_in: bool = False
    leftover: dict[str, str] | None = None

    @property
    def step(self) -> Step | Granted | Ended | None:
        """The step as the visitor sees it; None where there is none."""
        if self.state is None or self.present is None:
            return None
        required = self.org.settings.email_is_mandatory_for(self.row.workflow) and not self.email_proven
        return transitions.visible_step(self.present, self.state, email_required=required)

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
        return self.org.client_at(self.position.state, email_proven=self.email_proven)

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
            step_name=transitions.name_of(self.present) or self.row.step,
            okta_user_id=self.row.okta_user_id,
            resend_seconds=self.org.settings.resend_seconds,
            now=clock.timestamp(),
        )

    def count_calls(self, calls: int = 1) -> None:
        """Remembers that so many calls of this transaction were made just now, for ``rate_limits.pace``."""
        if self.state is not None and calls:
            times = (*self.state.calls, *[clock.timestamp()] * calls)[-rate_limits.CALLS :]
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
        values["email_verified_at"] = clock.now()
    if transition.explanation:
        values["failure_text"] = explain(transition.explanation)
    events = [row.event(e.kind, **e.details, actor=attempt.actor) for e in transition.events]
    row.commit(to=transition.status, events=events, hold=hold, **values)
    if transition.status == Status.EXPIRED:
        attempt.leftover = attempt.state.profile if attempt.state else {}
    attempt.adopt(transition)
    if transition.signal:
        announce(transition.signal, Registration, registration=row, **transition.signal_values)


def explain(messages: Iterable[Message]) -> str:
    """What an end says, each message once and in a line of its own, in the visitor's language."""
    return "\n".join(dict.fromkeys(say(m) for m in messages))[:MAX_EXPLANATION]
