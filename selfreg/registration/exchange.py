"""One call to the org for one registration, and what becomes of it.

A call is always bracketed: the intent is committed, the call is made with no transaction open, the result is committed
by compare-and-set. What goes wrong on the way ends as a notice on the row, so that the next page can say it.
"""

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from django.utils import timezone

from selfreg import encryption, rate_limits
from selfreg.conf import conf
from selfreg.idx.client import Answer, IdxClient
from selfreg.idx.document import Action, IdxResponse, Message
from selfreg.idx.errors import (
    AnswerLost,
    ForeignHref,
    IdxError,
    OrgRefused,
    RateLimited,
    TransactionExpired,
)
from selfreg.idx.steps import SELECT, SKIP, UNSUPPORTED, Ended, Granted, Step, is_error, next_step
from selfreg.idx.transport import TOTAL_SECONDS
from selfreg.models import FINAL, Registration, RegistrationEvent, Status
from selfreg.registration import enumeration
from selfreg.registration.state import Flow
from selfreg.signals import (
    announce,
    registration_expired,
    registration_failed,
)
from selfreg.texts.messages import notice, notices, say

Kind = RegistrationEvent.Kind
MANDATORY = "mandatory"
SENT_AGAIN = Message("", "selfreg.sent_again", severity="INFO")
NO_MAIL = Message("", "selfreg.neutral", severity="INFO")
TAKEN = "registration.error.notUniqueWithinOrg"
# Of an end that the org explains.
MOST_WORDS = 10_000
# A lost answer that took longer is asked about by the next request: no page takes two deadlines.
PATIENCE_SECONDS = 3.0
# One call and the question after a lost answer, with room for the database.
BUSY_SECONDS = 2 * TOTAL_SECONDS + 4


class Conversation:
    """What the org and the row say about one registration, and the one way to change either.

    :raises Conflict: (everything that changes) another request is at work on this registration or was quicker
    """

    def __init__(self, registration: Registration, client: IdxClient) -> None:
        self.registration, self.client = registration, client
        self._flow: Flow | None = None
        self.leftover: dict[str, str] = {}
        """What was typed on the first page, when the transaction ran out: for starting again."""

    @property
    def flow(self) -> Flow:
        """The sealed part of the row.

        :raises vault.Unreadable: its key is gone; the registration cannot go on
        """
        if self._flow is None:
            kept = self.registration.kept()
            if kept is None:
                raise encryption.Unreadable("nothing is kept")
            self._flow = Flow.of(kept)
        return self._flow

    @property
    def readable(self) -> bool:
        """Whether what the row keeps can still be read."""
        try:
            return bool(self.flow)
        except encryption.Unreadable:
            return False

    def step(self) -> Step | Granted | Ended:
        """What the visitor sees now. No call to the org."""
        flow = self.flow
        found = Granted(flow.granted) if flow.granted else next_step(flow.response, flow.picked)
        if not isinstance(found, Step):
            return found
        if enumeration.is_on() and enumeration.is_code_page(found) and not self.email_proven:
            found = replace(found, others=None, skip=None, poll=None, messages=(*found.messages, NO_MAIL))
        skip = None if self._must_prove_email(flow.response) else found.skip
        # Nothing is left but to skip, and that may not be.
        page = UNSUPPORTED if found.name == SKIP and skip is None else found.page
        return replace(found, messages=(*flow.notices, *found.messages), skip=skip, page=page)

    @property
    def email_proven(self) -> bool:
        """Whether this registration saw the address proven."""
        return self.registration.email_verified_at is not None

    def _must_prove_email(self, response: IdxResponse) -> bool:
        """Whether skipping now would leave an address unproven that this site wants proven."""
        mandatory = MANDATORY in (self.registration.workflow, conf().email_verification)
        offered = any(a.key == "okta_email" for a in response.authenticators)
        return mandatory and offered and not self.email_proven

    def leave_ready(self, subject: str, words: str = "") -> None:
        """The org is done, and signing in completes this: by its own page, or after a word about an older account."""
        values = {"okta_user_id": subject[:100], "failure_text": words[:MOST_WORDS]}
        self.registration.sealed = ""
        self.registration.change(to=Status.READY, busy_until=None, step="", **values)

    def fail(self, reason: str, text: str = "") -> None:
        """Ends for a reason that the person cannot put right on this page."""
        self._end(Status.FAILED, Kind.FAILED, failure=reason[:100], failure_text=text[:MOST_WORDS])
        announce(registration_failed, Registration, registration=self.registration, reason=reason)

    def expire(self, words: str = "") -> None:
        """Ends because the transaction ran out; keeps what was typed first in ``leftover``.

        :param words: the org's own, if it said so itself
        """
        self.leftover = self.flow.profile if self.readable else {}
        self._end(Status.EXPIRED, Kind.EXPIRED, failure_text=words[:MOST_WORDS])
        announce(registration_expired, Registration, registration=self.registration)

    def _end(self, to: Status, kind: RegistrationEvent.Kind, **values: Any) -> None:
        if self.registration.status in FINAL:
            return
        self.registration.change(to=to, **values)
        self.registration.note(kind, outcome=values.get("failure", ""))
        self._flow = None

    def _claim(self) -> None:
        self.registration.claim(BUSY_SECONDS)

    def _call(
        self,
        kind: RegistrationEvent.Kind,
        action: Action,
        values: Mapping[str, Any],
        draft: dict[str, str],
        *,
        proves_email: bool = False,
        uses: Mapping[str, str] = MappingProxyType({}),
        calls: int = 1,
    ) -> None:
        """One change at the org, unless it has to wait.

        :param uses: what it counts towards, see ``limits.wait_for``
        :param calls: how many there will be, with those that follow at once
        """
        self._claim()
        if wait := rate_limits.pace(self.flow.calls, calls) or rate_limits.wait_for(uses):
            return self._save(replace(self.flow, draft=draft, notices=(notice(RateLimited(wait)),)))
        self._count_call()
        if self.flow.decoy:
            return self._pretend(kind, sends=kind == Kind.RESENT)
        started = time.monotonic()
        try:
            answer = self.client.proceed(action, values)
        except TransactionExpired as error:
            self.expire(error.description)
        except AnswerLost as error:
            if time.monotonic() - started > PATIENCE_SECONDS:
                # The visitor has waited long enough: the page that follows asks.
                return self._trouble(error, unsure=True, draft=draft)
            self.registration.note(Kind.TROUBLE, outcome=type(error).__name__, request_id=error.request_id)
            self._ask_again(kind, draft, proves_email=proves_email, words=error.description)
        except IdxError as error:
            # An answer that leads elsewhere must not be kept: a fresh one may lead home.
            self._trouble(error, unsure=isinstance(error, ForeignHref), draft=draft)
        else:
            present = self._look_elsewhere() if _denies(answer.response) else None
            if present is None:
                return self._record(kind, answer, draft, proves_email=proves_email)
            self._record(Kind.RECOVERED, present, {}, proves_email=proves_email)
            if isinstance(next_step(present.response), Step):
                self._save(replace(self.flow, notices=(Message("", "selfreg.already_done", severity="INFO"),)))

    def _look_elsewhere(self) -> Answer | None:
        """The step that the org is at if it went on without this site: by its own page behind the link of a mail."""
        self._count_call()
        try:
            present = self.client.introspect(self.flow.transaction)
        except IdxError:
            return None
        stands = isinstance(next_step(present.response), Step | Granted)
        return present if stands and self._moved_on(present) else None

    def _ask_again(
        self,
        kind: RegistrationEvent.Kind,
        draft: dict[str, str] | None = None,
        *,
        proves_email: bool = False,
        words: str = "",
    ) -> None:
        """After a lost answer the change is not repeated: the org is asked what became of it."""
        self._count_call()
        try:
            answer = self.client.introspect(self.flow.transaction)
        except TransactionExpired as error:
            self.expire(error.description)
        except IdxError as error:
            self._trouble(error, unsure=True, draft=draft)
        else:
            moved = self._moved_on(answer)
            typed = self.flow.draft if draft is None else draft
            self._record(kind if moved else Kind.RECOVERED, answer, typed, proves_email=proves_email and moved)
            if not moved and self.registration.is_open:
                said = (Message("", "selfreg.answer_lost"), *([Message(words)] if words else []))
                self._save(replace(self.flow, draft=typed, notices=said))

    def _pretend(self, kind: RegistrationEvent.Kind, *, sends: bool, asks: bool = True) -> None:
        """Behind a decoy: a call that takes as long as the real one, and changes nothing."""
        ends = self.flow.response.expires_at
        if self.flow.decoy and ends and ends <= timezone.now():
            return self.expire(say(Message("", "idx.session.expired")))
        if asks:
            with suppress(IdxError):
                self.client.introspect(self.flow.transaction)
        self._save(
            replace(
                self.flow,
                document=enumeration.decoy(
                    self.registration.language, after_a_code=None if sends else self.flow.response
                ),
                decoy=True,
                draft={},
                notices=(SENT_AGAIN,) if kind == Kind.RESENT else (),
                resend_at=wait_until(conf().resend_seconds) if sends else self.flow.resend_at,
            )
        )
        self.registration.note(kind, outcome=TAKEN)

    def _count_call(self) -> None:
        self._flow = replace(self.flow, calls=(*self.flow.calls, time.time())[-rate_limits.CALLS :])

    def _moved_on(self, answer: Answer) -> bool:
        before, after = next_step(self.flow.response), next_step(answer.response)
        return not isinstance(after, Step) or not isinstance(before, Step) or after.name != before.name

    def _record(
        self, kind: RegistrationEvent.Kind, answer: Answer, draft: dict[str, str], *, proves_email: bool
    ) -> None:
        """Commits what the org said."""
        response, flow = answer.response, self.flow
        errors = [m for m in response.messages if is_error(m)]
        outcome = " ".join(m.key or RegistrationEvent.OWN_WORDS for m in errors)[:200] or "ok"
        details = {"outcome": outcome, "milliseconds": round(answer.seconds * 1000), "request_id": answer.request_id}
        step_before = self.registration.step
        found = next_step(response)
        if isinstance(found, Ended) and (answer.status == 429 or answer.status >= 500):
            # No step, but no end either: the step before it still stands.
            flow = replace(flow, draft=draft, notices=response.messages, wait_until=wait_until(answer.wait))
            found = next_step(flow.response)
        else:
            stays = errors and not isinstance(found, Ended) and _offers(response, flow.picked)
            flow = replace(
                flow,
                document=answer.document,
                draft=draft if errors else {},
                notices=(),
                picked=flow.picked if stays else "",
                wait_until=wait_until(answer.wait),
                resend_at=_resend_at(kind, flow, found),
            )
            if any(m.key == TAKEN for m in errors):
                flow = replace(flow, notices=(Message("", "selfreg.exists", severity="INFO"),))
            if kind == Kind.ANSWERED and not errors and _is_same(self.flow, found):
                flow = replace(flow, notices=(Message("", "selfreg.same_again"),))
            if kind == Kind.RESENT and not errors:
                flow = replace(flow, notices=(SENT_AGAIN,))
        if isinstance(found, Ended) and found.awaits_sign_in:
            self.registration.note(kind, step=step_before, **details)
            self.registration.change(to=Status.FINISHING)
            return self.leave_ready(response.user_id, words_of(found.messages))
        if isinstance(found, Ended) and not found.awaits_email:
            self.registration.note(kind, step=step_before, **details)
            return self.fail(found.reason, words_of(found.messages))
        accepted = answer.status < 400 and not errors and self._moved_on(answer)
        proven = {"email_verified_at": timezone.now()} if proves_email and accepted else {}
        self._save(flow, failure_text=words_of(found.messages) if isinstance(found, Ended) else "", **proven)
        self.registration.note(kind, step=step_before, **details)
        if proven:
            self.registration.note(Kind.VERIFIED, step=step_before)
        if isinstance(found, Step) and found.page == UNSUPPORTED and self.registration.step != step_before:
            self.registration.note(Kind.TROUBLE, outcome="unsupported")

    def _save(self, flow: Flow, **values: Any) -> None:
        """Commits a flow that goes on, and releases the claim."""
        self.registration.keep(flow.sealable())
        standing = self._standing(flow)
        self.registration.change(
            to=Status(standing.pop("status")),
            email=self.registration.email,
            email_canonical=self.registration.email_canonical,
            busy_until=None,
            unsure=False,
            **standing,
            **values,
        )
        self._flow = flow

    def _standing(self, flow: Flow) -> dict[str, Any]:
        """What an answer means for the columns of the row."""
        response = flow.response
        found = next_step(response, flow.picked)
        if isinstance(found, Granted):
            status, step = Status.FINISHING, "token"
        elif isinstance(found, Ended):
            status, step = Status.AWAITING_EMAIL, found.reason
        else:
            known = bool(response.user_id) or flow.decoy or self.registration.status == Status.ENROLLING
            status, step = (Status.ENROLLING if known else Status.STARTED), found.name
        user_id = response.user_id[:100] or self.registration.okta_user_id
        return {"status": status, "step": step[:100], "okta_user_id": user_id, "expires_at": response.expires_at}

    def _trouble(self, error: IdxError, *, unsure: bool, draft: dict[str, str] | None = None) -> None:
        """The row stays where it was and says what happened."""
        flow = replace(self.flow, notices=notices(error))
        if draft is not None:
            flow = replace(flow, draft=draft)
        if isinstance(error, RateLimited):
            flow = replace(flow, wait_until=wait_until(error.retry_after))
        self.registration.keep(flow.sealable())
        self.registration.change(
            busy_until=None,
            unsure=unsure,
            email=self.registration.email,
            email_canonical=self.registration.email_canonical,
        )
        self._flow = flow
        self.registration.note(Kind.TROUBLE, outcome=outcome_of(error), request_id=error.request_id)


def _offers(response: IdxResponse, picked: str) -> bool:
    """Whether the page the visitor turned to still exists in the new answer."""
    found = next_step(response, picked)
    return bool(picked) and isinstance(found, Step) and (picked == SELECT or found.option is not None)


def _is_same(flow: Flow, found: Step | Granted | Ended) -> bool:
    """Whether the org answers a submission with the very page that was submitted."""
    before = next_step(flow.response, flow.picked)
    if not isinstance(before, Step) or not isinstance(found, Step):
        return False
    return (before.name, before.fields) == (found.name, found.fields)


def _denies(response: IdxResponse) -> bool:
    """What an org says to a step that is not open any more; also the end of a sign-up that it denies."""
    return response.is_terminal and response.has_message("security.access_denied")


def words_of(messages: Iterable[Message]) -> str:
    """What an end says, each message once and in a line of its own, in the visitor's language."""
    return "\n".join(dict.fromkeys(say(m) for m in messages))[:MOST_WORDS]


def outcome_of(error: IdxError) -> str:
    """What an event says of a failed exchange: its kind, and the code if the org gave one."""
    return f"{type(error).__name__} {error.code}" if isinstance(error, OrgRefused) else type(error).__name__


def _resend_at(kind: RegistrationEvent.Kind, flow: Flow, found: Step | Granted | Ended) -> float:
    """Something was just sent if it was asked for, or if a page for its code is new."""
    if not isinstance(found, Step) or found.resend is None:
        return 0.0
    before = next_step(flow.response)
    is_new = not isinstance(before, Step) or before.name != found.name
    return wait_until(conf().resend_seconds) if is_new or kind == Kind.RESENT else flow.resend_at


def wait_until(seconds: int) -> float:
    """The moment in so many seconds, since the epoch; 0 for no wait."""
    return (timezone.now() + timedelta(seconds=seconds)).timestamp() if seconds else 0.0
