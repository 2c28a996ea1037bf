"""One registration, from begin to finish: the pipeline that joins the wire (``idx``) with the row (``models``).

Every door (views, admin, commands) uses ``Enrollment``. The only ``IdxError`` that leaves this file is ``NotOffered``:
the caller asked for what is not there. How a call is made and committed is in ``conversation``.
"""

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Self

from django.db import IntegrityError, transaction
from django.utils import timezone

from selfreg import rate_limits
from selfreg.addresses import canonical
from selfreg.conf import conf
from selfreg.idx.client import Answer, Grant, IdxClient
from selfreg.idx.document import Action, Message, Option
from selfreg.idx.errors import (
    IdxError,
    NotOffered,
    RateLimited,
    TransactionExpired,
)
from selfreg.idx.steps import (
    SELECT,
    UNSUPPORTED,
    Granted,
    Step,
    current_remediation,
    identity_providers,
    is_error,
    needs_details,
    next_step,
    option_id,
)
from selfreg.models import Conflict, Registration, RegistrationEvent, RegistrationQuerySet, Status, link_digest
from selfreg.profile_hook import ProfileRefused, judged
from selfreg.registration import enumeration
from selfreg.registration.exchange import TAKEN, Conversation, Kind, outcome_of, wait_until, words_of
from selfreg.registration.policy import fingerprint, within_org
from selfreg.registration.state import Flow
from selfreg.signals import (
    announce,
    registration_completed,
    registration_started,
)
from selfreg.texts.messages import notice

PROFILE = "userProfile"
POLL_MILLISECONDS = 4_000
# On a 429 the widget waits a minute before it polls again (protocol 4.7).
POLL_PAUSE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a registration comes from and where it shall lead."""

    next_url: str = ""
    language: str = ""
    browser: str = ""
    country: str = ""
    id: uuid.UUID = field(default_factory=uuid.uuid4)


class Enrollment(Conversation):
    """The verbs of one registration. Each returns nothing: read ``step()`` afterwards.

    :raises Conflict: (every verb) another request is at work on this registration or was quicker; show its page
    """

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
            country=origin.country,
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
            raise Conflict("already begun", origin.id) from error
        announce(registration_started, Registration, registration=registration)
        return enrollment

    def refresh(self, draft: dict[str, str] | None = None) -> None:
        """Asks the org where the registration stands, if a lost answer left that open.

        :param draft: what was typed meanwhile, to show again if that is still the step; no secrets
        """
        if not self.registration.in_doubt:
            return
        if draft is not None:
            self._flow = replace(self.flow, draft=draft)
            self.registration.keep(self.flow.sealable())
        if self.flow.wait_until <= time.time():
            self._claim()
            self._ask_again(Kind.RECOVERED)
        elif draft is not None:
            self.registration.change()

    def submit(self, values: Mapping[str, Any], draft: dict[str, str]) -> None:
        """Sends the present step.

        :param values: nested JSON by the org's names
        :param draft: what to show again if the org finds fault with it; no secrets
        :raises NotOffered: the page of this step submits nothing
        """
        step = self._present_step()
        if step.page == UNSUPPORTED:
            raise NotOffered(step.name)
        remediation = step.remediation
        if step.page == "profile":
            typed = rate_limits.address_in(object_of(values, PROFILE))
            if typed and (wait := rate_limits.wait_to_start(str(self.registration.pk), typed, self.client.visitor.ip)):
                return self._save(replace(self.flow, draft=draft, notices=(notice(RateLimited(wait)),)))
            try:
                values = {**values, PROFILE: self._judged(object_of(values, PROFILE))}
            except ProfileRefused as refusal:
                return self._refuse(refusal, draft)
            self._flow = replace(self.flow, profile=self._typed_before() | draft)
            email = str(values[PROFILE].get("email", self.registration.email))[:254]
            if not self.email_proven:
                self.registration.email, self.registration.email_canonical = email, canonical(email)
        number = str(object_of(values, "authenticator").get("phoneNumber") or "")
        if number and (key := self._phone_refused(number)):
            message = Message("", key, path="authenticator.phoneNumber")
            return self._save(replace(self.flow, notices=(message,), draft=draft))
        uses, calls = self._uses_of(step, number), 2 if _is_met_neutrally(step.name) else 1
        self._call(Kind.ANSWERED, remediation, values, draft, proves_email=_proves_email(step), uses=uses, calls=calls)

    def _typed_before(self) -> dict[str, str]:
        """What was typed on earlier profile pages, by HTML name; nothing before the org made the account: then this is
        the first page, perhaps once more.
        """
        return self.flow.profile if self.registration.okta_user_id else {}

    def _judged(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What the site's hook makes of a profile. A page that asks for more is judged by the whole person.

        Raises ProfileRefused.
        """
        before = {name.removeprefix(f"{PROFILE}."): value for name, value in self._typed_before().items()}
        amended = judged({**before, **asked})
        return {name: value for name, value in amended.items() if name in asked or name not in before}

    def _uses_of(self, step: Step, number: str) -> dict[str, str]:
        """What submitting this step counts towards, see ``limits``."""
        ip = self.client.visitor.ip
        if number:
            self._flow = replace(self.flow, phone=number)
            return rate_limits.sending(self.registration, ip, number)
        if _is_met_neutrally(step.name) or (step.option and _sends(step.option)):
            return rate_limits.sending(self.registration, ip)
        challenge = f"{step.name} {self.flow.resend_at}"
        return rate_limits.trying(self.registration, challenge, ip) if step.page in ("code", "totp") else {}

    def _phone_refused(self, number: str) -> str:
        """The message for a number that this site sends nothing to, "" if it does."""
        settings = conf()
        if settings.phone_after_email and not self.email_proven:
            return "selfreg.phone_after_email"
        allowed = not settings.phone_countries or rate_limits.region(number) in settings.phone_countries
        return "" if allowed else "selfreg.phone_country"

    def _refuse(self, refusal: ProfileRefused, draft: dict[str, str]) -> None:
        """The site's own word against a profile: nothing is sent, and its messages stand beside the fields."""
        said = tuple(
            Message(text, "selfreg.profile_hook", path=f"userProfile.{name}" if name else "")
            for name, text in refusal.errors.items()
        )
        self._save(replace(self.flow, notices=said, draft=draft, profile=self._typed_before() | draft))

    def choose(self, authenticator_id: str) -> None:
        """Takes one of the offered authenticators; asks for its details first if it has any.

        :raises NotOffered: an authenticator that the org does not offer now
        """
        step = self._present_step()
        option = next((o for o in step.choices if option_id(o) == authenticator_id), None)
        if option is None:
            raise NotOffered("no such authenticator now")
        uses = rate_limits.sending(self.registration, self.client.visitor.ip) if _sends(option) else {}
        self._take(step, option, uses)

    def _take(self, step: Step, option: Option, uses: Mapping[str, str]) -> None:
        if needs_details(step.remediation, option):
            return self._turn_to(option_id(option))
        chosen = {f.name: f.value for f in option.fields if not f.mutable and f.value is not None}
        return self._call(Kind.ANSWERED, step.remediation, {"authenticator": chosen}, {}, uses=uses)

    def other_way(self) -> None:
        """Back to the choice of authenticators.

        :raises NotOffered: there is none beside the present step
        """
        if self._present_step().others is None:
            raise NotOffered("no other way")
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
        self._action(Kind.RESENT, step.resend, rate_limits.sending(self.registration, self.client.visitor.ip, number))

    def poll(self) -> bool:
        """Asks the org whether the visitor went on elsewhere (its own page behind the link of a mail). True: the
        row moved.
        """
        step = self.step() if self.registration.sealed else None
        if not isinstance(step, Step) or step.poll is None:
            return False
        if max(self.flow.wait_until, self.flow.poll_at) > time.time() or rate_limits.pace(self.flow.calls):
            return False
        self._claim()
        self._count_call()
        try:
            answer = self.client.proceed(step.poll, {})
        except TransactionExpired as error:
            self.expire(error.description)
            return True
        except RateLimited:
            self._save(replace(self.flow, poll_at=wait_until(POLL_PAUSE_SECONDS)))
            return False
        except IdxError:
            self._save(self.flow)
            return False
        if answer.status == 429:
            self._save(replace(self.flow, poll_at=wait_until(POLL_PAUSE_SECONDS)))
            return False
        if not self._moved_on(answer):
            # The same step, but its interval may be another, and a new mail may be possible by now (protocol 4.7).
            # What was said of the last code stays said.
            said = (*self.flow.notices, *self.flow.response.messages)
            notices = tuple(m for m in said if m not in answer.response.messages)
            self._save(replace(self.flow, document=answer.document, notices=notices, poll_at=0.0))
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
        links = [r for r in identity_providers(self.flow.response) if r.idp_id == idp_id]
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
        flow = self.flow if self.registration.sealed else None
        self._end(Status.CANCELLED, Kind.CANCELLED)
        try:
            if flow and flow.decoy:
                # Takes as long as the other, and there is nothing to cancel.
                self.client.introspect(flow.transaction)
            elif flow and flow.response.cancel:
                self.client.proceed(flow.response.cancel, {})
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
        said = words_of((*self.flow.response.messages, *([Message(error.description)] if error.description else ())))
        self._flow = None
        self.registration.sealed = ""
        self.registration.change(to=Status.READY, busy_until=None, step="", failure_text=said)
        self.registration.note(Kind.TROUBLE, outcome=outcome_of(error), request_id=error.request_id)

    def parting_words(self) -> list[str]:
        """What the org says beside its grant, for the page where the person lands."""
        return words_of(self.flow.response.messages).splitlines()

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

    def _meet_neutrally(self, answer: Answer) -> None:
        """After the first page: everybody to the code from the mail, at the cost of one more call. Call and mail were
        counted with the first page, before the org said anything: who has to wait learns nothing.
        """
        taken = any(m.key == TAKEN for m in answer.response.messages)
        found = next_step(answer.response)
        choice = enumeration.email_choice(found) if isinstance(found, Step) else None
        if isinstance(found, Step) and choice is not None:
            return self._take(found, choice, {})
        if taken:
            asks = enumeration.costs_a_choice(self.registration.language)
            self._claim()
            if asks:
                self._count_call()
            self._pretend(Kind.ANSWERED, sends=True, asks=asks)
        return None

    def _record(
        self, kind: RegistrationEvent.Kind, answer: Answer, draft: dict[str, str], *, proves_email: bool
    ) -> None:
        step_before = self.registration.step
        super()._record(kind, answer, draft, proves_email=proves_email)
        if enumeration.is_on() and self.registration.is_open:
            self._stay_neutral(step_before, answer)

    def _stay_neutral(self, step_before: str, answer: Answer) -> None:
        """Learns how the page for the code looks, or leads there from the first page."""
        found = next_step(answer.response)
        if isinstance(found, Step) and enumeration.is_code_page(found):
            if not any(is_error(m) for m in answer.response.messages):
                enumeration.learn(answer.document, self.registration.language, chosen=step_before != "enroll-profile")
        elif _is_met_neutrally(step_before):
            self._meet_neutrally(answer)


def object_of(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What goes to the org under this name; nothing where the org has a single value there instead of an object."""
    found = values.get(name)
    return found if isinstance(found, Mapping) else {}


def complete_by_sign_in(user: Any, subject: str) -> str:
    """Somebody signed in through the org: the newest registration that was waiting for just that is complete.

    :return: where it was to lead, "" for nowhere in particular
    """
    waiting = _waiting_for_sign_in(subject)
    if waiting is None:
        return ""
    # Another sign-in of the same person may complete it at the same moment.
    with suppress(Conflict):
        _complete(waiting, user, subject)
    return waiting.next_url


def await_approval_by_sign_in(user: Any, subject: str) -> None:
    """The same, where an administrator has the last word."""
    if waiting := _waiting_for_sign_in(subject):
        _await_approval(waiting, user, subject)


def note_proven(registration: Registration) -> None:
    """The code of a mail was typed for a registration whose transaction is over: signing in completes it."""
    with suppress(Conflict):
        registration.change(email_verified_at=timezone.now())
        registration.note(Kind.VERIFIED)


def _waiting_for_sign_in(subject: str) -> Registration | None:
    return _all_waiting(conf().issuer, subject).first()


def _all_waiting(issuer: str, subject: str) -> RegistrationQuerySet:
    waiting = (Status.AWAITING_EMAIL, Status.READY)
    return Registration.objects.filter(issuer=issuer, okta_user_id=subject, status__in=waiting).order_by("-created_at")


def _await_approval(registration: Registration, user: Any, subject: str) -> None:
    values = {"user": user, "okta_user_id": subject[:100], "step": "", "busy_until": None, "expires_at": None}
    registration.change(to=Status.AWAITING_APPROVAL, **values)
    registration.note(Kind.RECOVERED, outcome="awaiting approval")


def _complete(registration: Registration, user: Any, subject: str) -> None:
    registration.change(to=Status.COMPLETED, user=user, okta_user_id=subject[:100], step="", failure_text="")
    registration.note(Kind.COMPLETED)
    announce(registration_completed, Registration, registration=registration, user=user)
    # A new link of the org begins a registration of its own: the browser that waits for the old one has no part in it.
    for other in _all_waiting(registration.issuer, subject).exclude(pk=registration.pk):
        with suppress(Conflict):
            other.change(to=Status.CANCELLED)
            other.note(Kind.CANCELLED, outcome="completed elsewhere")


def _is_met_neutrally(step: str) -> bool:
    """Whether everybody goes on from this step alike, to the code from the mail."""
    return step == "enroll-profile" and enumeration.is_on()


def _sends(option: Option) -> bool:
    """Whether the org sends a code as soon as this is chosen."""
    return option.authenticator is not None and option.authenticator.kind in ("email", "phone")


def _proves_email(step: Step) -> bool:
    return bool(
        step.authenticator and step.authenticator.kind == "email" and step.remediation.name == "enroll-authenticator"
    )
