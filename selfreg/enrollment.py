"""One registration, from begin to finish: the pipeline that joins the wire (``idx``) with the row (``models``).

Every door (views, admin, commands) uses ``Enrollment``. A call to the org is always bracketed: the intent is committed,
the call is made with no transaction open, the result is committed by compare-and-set. What goes wrong on the way
ends as a notice on the row, so that the next page can say it; the only ``IdxError`` that leaves this file is
``NotOffered``: the caller asked for what is not there.
"""

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Self

from django.db import IntegrityError, transaction
from django.utils import timezone

from selfreg import limits, neutral, vault
from selfreg.conf import conf
from selfreg.email import canonical
from selfreg.flow import Flow
from selfreg.idx.client import Answer, Grant, IdxClient
from selfreg.idx.errors import (
    AnswerLost,
    ForeignHref,
    IdxError,
    NotOffered,
    OrgRefused,
    RateLimited,
    TransactionExpired,
)
from selfreg.idx.response import Action, IdxResponse, Message
from selfreg.idx.transport import TOTAL_SECONDS
from selfreg.models import FINAL, Conflict, Registration, RegistrationEvent, Status, link_digest
from selfreg.org import fingerprint, within_org
from selfreg.profile_hook import ProfileRefused, judged
from selfreg.signals import (
    announce,
    registration_completed,
    registration_expired,
    registration_failed,
    registration_started,
)
from selfreg.steps import (
    SELECT,
    Ended,
    Granted,
    Step,
    current_remediation,
    is_error,
    needs_details,
    next_step,
    option_id,
)
from selfreg.texts import notice, notices

Kind = RegistrationEvent.Kind
MANDATORY = "mandatory"
SENT_AGAIN = Message("", "selfreg.sent_again", severity="INFO")
NO_MAIL = Message("", "selfreg.neutral", severity="INFO")
TAKEN = "registration.error.notUniqueWithinOrg"
POLL_MILLISECONDS = 4_000
# On a 429 the widget waits a minute before it polls again (protocol 4.7).
POLL_PAUSE_SECONDS = 60
# One call and the question after a lost answer, with room for the database.
# A lost answer that took longer is asked about by the next request: no page takes two deadlines.
PATIENCE_SECONDS = 3.0
BUSY_SECONDS = 2 * TOTAL_SECONDS + 4


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a registration comes from and where it shall lead."""

    next_url: str = ""
    language: str = ""
    browser: str = ""
    id: uuid.UUID = field(default_factory=uuid.uuid4)


class Enrollment:
    """The verbs of one registration. Each returns nothing: read ``step()`` afterwards.

    :raises Conflict: (every verb) another request is at work on this registration or was quicker; show its page
    """

    def __init__(self, registration: Registration, client: IdxClient) -> None:
        self.registration, self.client = registration, client
        self._flow: Flow | None = None
        self.leftover: dict[str, str] = {}
        """What was typed on the first page, when the transaction ran out: for starting again."""

    @classmethod
    def begin(cls, client: IdxClient, flow: Flow, draft: dict[str, str], origin: Origin) -> Self:
        """Makes the row of a registration that stands at its first step; nothing has been sent yet.

        :param draft: what was typed, by HTML name; no passwords
        :raises Conflict: this very form was submitted already
        """
        settings = conf()
        registration = Registration(
            id=origin.id,
            issuer=settings.issuer,
            workflow=settings.email_verification,
            policy=fingerprint(current_remediation(flow.response)),
            next_url=origin.next_url,
            language=origin.language,
            browser=origin.browser,
            link_digest=link_digest(flow.transaction.state),
        )
        enrollment = cls(registration, client)
        flow = replace(flow, draft=draft, profile=draft)
        registration.keep(flow.sealable())
        registration.__dict__.update(enrollment._standing(flow))
        try:
            with transaction.atomic():
                registration.save(force_insert=True)
                registration.note(Kind.STARTED)
        except IntegrityError as error:
            raise Conflict("already begun") from error
        announce(registration_started, Registration, registration=registration)
        return enrollment

    def step(self) -> Step | Granted | Ended:
        """What the visitor sees now. No call to the org."""
        flow = self.flow
        found = Granted(flow.granted) if flow.granted else next_step(flow.response, flow.picked)
        if not isinstance(found, Step):
            return found
        if neutral.is_on() and neutral.is_code_page(found) and not self.email_proven:
            found = replace(found, others=None, skip=None, poll=None, messages=(*found.messages, NO_MAIL))
        skip = None if self._must_prove_email(flow.response) else found.skip
        return replace(found, messages=(*flow.notices, *found.messages), skip=skip)

    @property
    def flow(self) -> Flow:
        """The sealed part of the row.

        :raises vault.Unreadable: its key is gone; the registration cannot go on
        """
        if self._flow is None:
            kept = self.registration.kept()
            if kept is None:
                raise vault.Unreadable("nothing is kept")
            self._flow = Flow.of(kept)
        return self._flow

    @property
    def readable(self) -> bool:
        """Whether what the row keeps can still be read."""
        try:
            return bool(self.flow)
        except vault.Unreadable:
            return False

    @property
    def email_proven(self) -> bool:
        """Whether this registration saw the address proven."""
        return self.registration.email_verified_at is not None

    def refresh(self) -> None:
        """Asks the org where the registration stands, if a lost answer left that open."""
        if self.registration.in_doubt and self.flow.wait_until <= time.time():
            self._claim()
            self._ask_again(Kind.RECOVERED)

    def submit(self, values: Mapping[str, Any], draft: dict[str, str]) -> None:
        """Sends the present step.

        :param values: nested JSON by the org's names
        :param draft: what to show again if the org finds fault with it; no secrets
        """
        step = self._present_step()
        remediation = step.remediation
        if step.page == "profile":
            try:
                values = {**values, "userProfile": judged(dict(values.get("userProfile") or {}))}
            except ProfileRefused as refusal:
                return self._refuse(refusal, draft)
            self._flow = replace(self.flow, profile=draft)
            email = str((values.get("userProfile") or {}).get("email", self.registration.email))[:254]
            self.registration.email, self.registration.email_canonical = email, canonical(email)
        number = str((values.get("authenticator") or {}).get("phoneNumber") or "")
        if number and (key := self._phone_refused(number)):
            message = Message("", key, path="authenticator.phoneNumber")
            return self._save(replace(self.flow, notices=(message,), draft=draft))
        uses = self._uses_of(step, number)
        self._call(Kind.ANSWERED, remediation, values, draft, proves_email=_proves_email(step), uses=uses)

    def _uses_of(self, step: Step, number: str) -> dict[str, str]:
        """What submitting this step counts towards, see ``limits``."""
        ip = self.client.visitor.ip
        if number:
            self._flow = replace(self.flow, phone=number)
            return limits.sending(self.registration, ip, number)
        challenge = f"{step.name} {self.flow.resend_at}"
        return limits.trying(self.registration, challenge, ip) if step.page in ("code", "totp") else {}

    def _phone_refused(self, number: str) -> str:
        """The message for a number that this site sends nothing to, "" if it does."""
        settings = conf()
        if settings.phone_after_email and not self.email_proven:
            return "selfreg.phone_after_email"
        allowed = not settings.phone_countries or limits.region(number) in settings.phone_countries
        return "" if allowed else "selfreg.phone_country"

    def _refuse(self, refusal: ProfileRefused, draft: dict[str, str]) -> None:
        """The site's own word against a profile: nothing is sent, and its messages stand beside the fields."""
        said = tuple(
            Message(text, "selfreg.profile_hook", path=f"userProfile.{name}" if name else "")
            for name, text in refusal.errors.items()
        )
        self._save(replace(self.flow, notices=said, draft=draft, profile=draft))

    def choose(self, authenticator_id: str) -> None:
        """Takes one of the offered authenticators; asks for its details first if it has any.

        :raises NotOffered: an authenticator that the org does not offer now
        """
        step = self._present_step()
        option = next((o for o in step.choices if option_id(o) == authenticator_id), None)
        if option is None:
            raise NotOffered("no such authenticator now")
        if needs_details(option):
            return self._turn_to(authenticator_id)
        chosen = {f.name: f.value for f in option.fields if not f.mutable and f.value is not None}
        sends = option.authenticator is not None and option.authenticator.kind in ("email", "phone")
        uses = limits.sending(self.registration, self.client.visitor.ip) if sends else {}
        return self._call(Kind.ANSWERED, step.remediation, {"authenticator": chosen}, {}, uses=uses)

    def other_way(self) -> None:
        """Back to the choice of authenticators, where the org offers one beside the present step."""
        self._turn_to(SELECT)

    def skip(self) -> None:
        """Skips everything that is optional from here on.

        :raises NotOffered: the org does not offer that
        """
        self._action(Kind.SKIPPED, self._present_step().skip)

    def resend(self) -> None:
        """Has the code sent again.

        :raises NotOffered: nothing to send
        """
        wait = round(self.flow.resend_at - time.time())
        if wait > 0:
            self._save(replace(self.flow, notices=(Message("", "selfreg.resend_wait", (str(wait),), "INFO"),)))
            return
        step = self._present_step()
        number = self.flow.phone if step.authenticator and step.authenticator.kind == "phone" else ""
        self._action(Kind.RESENT, step.resend, limits.sending(self.registration, self.client.visitor.ip, number))

    def poll(self) -> bool:
        """Asks the org whether the visitor went on elsewhere (its own page behind the link of a mail). True: the
        row moved.
        """
        step = self.step() if self.registration.sealed else None
        if not isinstance(step, Step) or step.poll is None:
            return False
        if max(self.flow.wait_until, self.flow.poll_at) > time.time() or limits.pace(self.flow.calls):
            return False
        self._claim()
        self._count_call()
        try:
            answer = self.client.proceed(step.poll, {})
        except TransactionExpired as error:
            self.expire(error.description)
            return True
        except RateLimited:
            self._save(replace(self.flow, poll_at=_wait_until(POLL_PAUSE_SECONDS)))
            return False
        except IdxError:
            self._save(self.flow)
            return False
        if answer.status == 429 or not self._moved_on(answer):
            pause = POLL_PAUSE_SECONDS if answer.status == 429 else 0
            self._save(replace(self.flow, poll_at=_wait_until(pause)))
            return False
        self._record(Kind.ANSWERED, answer, {}, proves_email=_proves_email(step))
        return True

    def poll_milliseconds(self) -> int:
        """How long a waiting page waits before it asks again: what the org says, longer while it limits us."""
        step = self.step() if self.registration.sealed else None
        stated = step.poll.refresh_ms if isinstance(step, Step) and step.poll else 0
        until = max(self.flow.wait_until, self.flow.poll_at) if self.registration.sealed else 0
        paused = round((until - time.time()) * 1000)
        return max(stated or POLL_MILLISECONDS, POLL_MILLISECONDS, paused)

    def awaits_email_code(self) -> bool:
        """Whether a code from the mail is what the present step asks for."""
        if not self.registration.sealed or not self.readable:
            return False
        found = self.step()
        return isinstance(found, Step) and _proves_email(found)

    def identity_provider(self, idp_id: str) -> str:
        """Where to send the browser for signing up through an identity provider of the org.

        :raises NotOffered: the org has no such provider for this transaction
        """
        links = [r for r in self.flow.response.remediations if r.name == "redirect-idp" and r.idp_id == idp_id]
        href = within_org(self.client, links[0].href) if links else ""
        if not href:
            raise NotOffered("no such identity provider")
        return href

    def return_from_identity_provider(self, interaction_code: str) -> None:
        """The browser came back: with the interaction code, or with the org knowing more (``interaction_required``)."""
        if not interaction_code:
            self._claim()
            return self._ask_again(Kind.RECOVERED)
        self.registration.keep(replace(self.flow, granted=interaction_code).sealable())
        self._flow = None
        self.registration.change(to=Status.FINISHING, step="token")
        return None

    def cancel(self) -> None:
        """Gives up, here at once and at the org if it can be reached."""
        action = self.flow.response.cancel if self.registration.sealed else None
        self._end(Status.CANCELLED, Kind.CANCELLED)
        if action:
            try:
                self.client.proceed(action, {})
            except IdxError as error:
                self.registration.note(Kind.TROUBLE, outcome=type(error).__name__, request_id=error.request_id)

    def grant(self) -> Grant:
        """The interaction code, for one caller only.

        :raises NotOffered: the org is not done
        """
        found = self.step()
        if not isinstance(found, Granted):
            raise NotOffered("no interaction code")
        self._claim()
        kept = self.flow.transaction
        proven = self.registration.email if self.email_proven else ""
        return Grant(found.interaction_code, kept.code_verifier, kept.nonce, self.registration.workflow, proven)

    def retry_later(self, error: IdxError) -> None:
        """The token endpoint could not be reached: the grant stays, the next attempt may have it."""
        self._trouble(error, unsure=False)

    def leave_to_sign_in(self, error: IdxError) -> None:
        """The interaction code is spent or stale. The account exists at the org: signing in there completes this."""
        self._flow = None
        self.registration.sealed = ""
        self.registration.change(to=Status.READY, busy_until=None, step="")
        self.registration.note(Kind.TROUBLE, outcome=_trouble_outcome(error), request_id=error.request_id)

    def leave_to_link(self, subject: str) -> None:
        """The org is done; the person decides about an older account of this site first."""
        self.registration.sealed = ""
        self.registration.change(to=Status.READY, busy_until=None, step="", okta_user_id=subject[:100])

    def leave_to_email(self) -> None:
        """The site demands a proven address and this one is not: the org's link or sign-in has to prove it."""
        self.registration.sealed = ""
        self.registration.change(to=Status.AWAITING_EMAIL, busy_until=None, step="selfreg.email_unproven")

    def leave_to_approval(self, user: Any, subject: str) -> None:
        """The org is done; an administrator of this site decides."""
        self.registration.sealed = ""
        _await_approval(self.registration, user, subject)

    def approve(self) -> None:
        """An administrator lets the person in: signing in works from now on."""
        _complete(self.registration, self.registration.user, self.registration.okta_user_id)

    def reject(self, reason: str) -> None:
        """An administrator does not; ``reason`` is kept."""
        self.fail("selfreg.rejected", reason)

    def complete(self, user: Any, subject: str) -> None:
        """The person is a Django user now."""
        _complete(self.registration, user, subject)

    def say(self, key: str) -> None:
        """Leaves a notice of ours for the next page."""
        self._save(replace(self.flow, notices=(Message("", key, severity="INFO"),)))

    def fail(self, reason: str, text: str = "") -> None:
        """Ends for a reason that the person cannot put right on this page."""
        self._end(Status.FAILED, Kind.FAILED, failure=reason[:100], failure_text=text[:500])
        announce(registration_failed, Registration, registration=self.registration, reason=reason)

    def expire(self, words: str = "") -> None:
        """Ends because the transaction ran out; keeps what was typed first in ``leftover``.

        :param words: the org's own, if it said so itself
        """
        self.leftover = self.flow.profile if self.registration.sealed else {}
        self._end(Status.EXPIRED, Kind.EXPIRED, failure_text=words[:500])
        announce(registration_expired, Registration, registration=self.registration)

    # -- one call

    def _must_prove_email(self, response: IdxResponse) -> bool:
        """Whether skipping now would leave an address unproven that this site wants proven."""
        mandatory = MANDATORY in (self.registration.workflow, conf().email_verification)
        offered = any(a.key == "okta_email" for a in response.authenticators)
        return mandatory and offered and not self.email_proven

    def _present_step(self) -> Step:
        found = self.step()
        if not isinstance(found, Step):
            raise NotOffered("no step to go on with")
        return found

    def _action(
        self, kind: RegistrationEvent.Kind, action: Action | None, uses: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        if action is None:
            raise NotOffered(f"{kind} is not offered now")
        self._call(kind, action, {}, {}, uses=uses)

    def _turn_to(self, picked: str) -> None:
        """Another page of the same answer: no call."""
        self._save(replace(self.flow, picked=picked, notices=(), draft={}))

    def _call(
        self,
        kind: RegistrationEvent.Kind,
        action: Action,
        values: Mapping[str, Any],
        draft: dict[str, str],
        *,
        proves_email: bool = False,
        uses: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """One change at the org, unless it has to wait.

        :param uses: what it counts towards, see ``limits.wait_for``
        """
        self._claim()
        if wait := limits.pace(self.flow.calls) or limits.wait_for(uses):
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
            self._record(kind, answer, draft, proves_email=proves_email)

    def _meet_neutrally(self, answer: Answer) -> None:
        """After the first page: everybody to the code from the mail, at the cost of one more call."""
        taken = any(m.key == TAKEN for m in answer.response.messages)
        found = next_step(answer.response)
        choice = neutral.email_choice(found) if isinstance(found, Step) else None
        if choice is not None:
            return self.choose(option_id(choice))
        if taken:
            limits.wait_for(limits.sending(self.registration, self.client.visitor.ip))
            self._claim()
            self._pretend(Kind.ANSWERED, sends=True, asks=neutral.costs_a_choice(self.registration.language))
        return None

    def _pretend(self, kind: RegistrationEvent.Kind, *, sends: bool, asks: bool = True) -> None:
        """Behind a decoy: a call that takes as long as the real one, and changes nothing."""
        if asks:
            with suppress(IdxError):
                self.client.introspect(self.flow.transaction)
        self._save(
            replace(
                self.flow,
                document=neutral.decoy(self.registration.language, wrong=not sends),
                decoy=True,
                draft={},
                notices=(SENT_AGAIN,) if kind == Kind.RESENT else (),
                resend_at=_wait_until(conf().resend_seconds) if sends else self.flow.resend_at,
            )
        )
        self.registration.note(kind, outcome=TAKEN)

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

    def _count_call(self) -> None:
        self._flow = replace(self.flow, calls=(*self.flow.calls, time.time())[-limits.CALLS :])

    def _moved_on(self, answer: Answer) -> bool:
        before, after = next_step(self.flow.response), next_step(answer.response)
        return not isinstance(after, Step) or not isinstance(before, Step) or after.name != before.name

    def _claim(self) -> None:
        self.registration.claim(BUSY_SECONDS)

    def _record(
        self, kind: RegistrationEvent.Kind, answer: Answer, draft: dict[str, str], *, proves_email: bool
    ) -> None:
        """Commits what the org said."""
        response, flow = answer.response, self.flow
        errors = [m for m in response.messages if is_error(m)]
        outcome = " ".join(m.key or "message" for m in errors)[:200] or "ok"
        details = {"outcome": outcome, "milliseconds": round(answer.seconds * 1000), "request_id": answer.request_id}
        step_before = self.registration.step
        found = next_step(response)
        if isinstance(found, Ended) and (answer.status == 429 or answer.status >= 500):
            # No step, but no end either: the step before it still stands.
            flow = replace(flow, draft=draft, notices=response.messages, wait_until=_wait_until(answer.wait))
            found = next_step(flow.response)
        else:
            stays_picked = (
                flow.picked if errors and not isinstance(found, Ended) and _offers(response, flow.picked) else ""
            )
            flow = replace(
                flow,
                document=answer.document,
                draft=draft if errors else {},
                notices=(),
                picked=stays_picked,
                wait_until=_wait_until(answer.wait),
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
            return self.leave_to_link(response.user_id)
        if isinstance(found, Ended) and not found.awaits_email:
            text = " ".join(m.text for m in found.messages)
            self.registration.note(kind, step=step_before, **details)
            return self.fail(found.reason, text)
        proven = {"email_verified_at": timezone.now()} if proves_email and answer.status < 400 and not errors else {}
        self._save(flow, **proven)
        self.registration.note(kind, step=step_before, **details)
        if proven:
            self.registration.note(Kind.VERIFIED, step=step_before)
        if neutral.is_on() and isinstance(found, Step):
            if neutral.is_code_page(found) and not errors:
                chosen = step_before != "enroll-profile"
                neutral.learn(answer.document, self.registration.language, chosen=chosen)
            elif step_before == "enroll-profile":
                self._meet_neutrally(answer)

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
            known = bool(response.user_id) or self.registration.status == Status.ENROLLING
            status, step = (Status.ENROLLING if known else Status.STARTED), found.name
        user_id = response.user_id[:100] or self.registration.okta_user_id
        return {"status": status, "step": step[:100], "okta_user_id": user_id, "expires_at": response.expires_at}

    def _trouble(self, error: IdxError, *, unsure: bool, draft: dict[str, str] | None = None) -> None:
        """The row stays where it was and says what happened."""
        flow = replace(self.flow, notices=notices(error))
        if draft is not None:
            flow = replace(flow, draft=draft)
        if isinstance(error, RateLimited):
            flow = replace(flow, wait_until=_wait_until(error.retry_after))
        self.registration.keep(flow.sealable())
        self.registration.change(
            busy_until=None,
            unsure=unsure,
            email=self.registration.email,
            email_canonical=self.registration.email_canonical,
        )
        self._flow = flow
        self.registration.note(Kind.TROUBLE, outcome=_trouble_outcome(error), request_id=error.request_id)

    def _end(self, to: Status, kind: RegistrationEvent.Kind, **values: Any) -> None:
        if self.registration.status in FINAL:
            return
        self.registration.change(to=to, **values)
        self.registration.note(kind, outcome=values.get("failure", ""))
        self._flow = None


def complete_by_sign_in(user: Any, subject: str) -> None:
    """Somebody signed in through the org: the newest registration that was waiting for just that is complete."""
    waiting = Registration.objects.filter(
        issuer=conf().issuer, okta_user_id=subject, status__in=(Status.AWAITING_EMAIL, Status.READY)
    ).first()
    if waiting:
        _complete(waiting, user, subject)


def await_approval_by_sign_in(user: Any, subject: str) -> None:
    """The same, where an administrator has the last word."""
    waiting = Registration.objects.filter(
        issuer=conf().issuer, okta_user_id=subject, status__in=(Status.AWAITING_EMAIL, Status.READY)
    ).first()
    if waiting:
        _await_approval(waiting, user, subject)


def _await_approval(registration: Registration, user: Any, subject: str) -> None:
    values = {"user": user, "okta_user_id": subject[:100], "step": "", "busy_until": None, "expires_at": None}
    registration.change(to=Status.AWAITING_APPROVAL, **values)
    registration.note(Kind.RECOVERED, outcome="awaiting approval")


def _complete(registration: Registration, user: Any, subject: str) -> None:
    registration.change(to=Status.COMPLETED, user=user, okta_user_id=subject[:100], step="")
    registration.note(Kind.COMPLETED)
    announce(registration_completed, Registration, registration=registration, user=user)


def _proves_email(step: Step) -> bool:
    return bool(
        step.authenticator and step.authenticator.kind == "email" and step.remediation.name == "enroll-authenticator"
    )


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


def _trouble_outcome(error: IdxError) -> str:
    return f"{type(error).__name__} {error.code}" if isinstance(error, OrgRefused) else type(error).__name__


def _resend_at(kind: RegistrationEvent.Kind, flow: Flow, found: Step | Granted | Ended) -> float:
    """Something was just sent if it was asked for, or if a page for its code is new."""
    if not isinstance(found, Step) or found.resend is None:
        return 0.0
    before = next_step(flow.response)
    is_new = not isinstance(before, Step) or before.name != found.name
    return _wait_until(conf().resend_seconds) if is_new or kind == Kind.RESENT else flow.resend_at


def _wait_until(seconds: int) -> float:
    return (timezone.now() + timedelta(seconds=seconds)).timestamp() if seconds else 0.0
