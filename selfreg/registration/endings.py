"""How registrations end: given up, failed, expired, completed by a sign-in, or left waiting for something outside.

Every function raises ``Conflict`` when another request is at work on the registration or was quicker.
"""

from contextlib import suppress
from typing import Any

from django.utils import timezone

from selfreg.idx.document import Message
from selfreg.idx.errors import IdxError
from selfreg.models import Conflict, Registration, RegistrationEvent, RegistrationQuerySet
from selfreg.registration import transition as transitions
from selfreg.registration.exchange import Attempt, commit
from selfreg.registration.outcome import Ended, Outcome
from selfreg.registration.values import Event, Transition
from selfreg.signals import announce, registration_completed
from selfreg.statuses import FINAL, Status

Kind = RegistrationEvent.Kind
AWAITING_SIGN_IN = (Status.AWAITING_EMAIL, Status.READY)


def cancel(attempt: Attempt) -> Outcome:
    """Gives up, here at once and at the org if it can be reached."""
    if attempt.row.status in FINAL:
        return Ended(Status(attempt.row.status))
    state = attempt.state
    action = state.response.cancel if state else None
    client = attempt.client if state else None
    outcome = _end(attempt, transitions.cancel(attempt.row.step))
    if client and action:
        try:
            client.proceed(action, {})
        except IdxError as error:
            attempt.row.note(Kind.TROUBLE, outcome=transitions.describe(error), request_id=error.request_id)
    return outcome


def fail(attempt: Attempt, reason: str, *explanation: Message) -> Outcome:
    """Ends for a reason (a key of ``texts``) that the person cannot put right on this page."""
    return _end(attempt, transitions.fail(attempt.row.step, reason, *explanation))


def expire(attempt: Attempt) -> Outcome:
    """Ends because nobody went on in time."""
    return _end(attempt, transitions.expire(attempt.row.step))


def await_sign_in(attempt: Attempt, subject: str = "", error: IdxError | None = None) -> Outcome:
    """The account exists at the org, and signing in there completes the registration: the interaction code is spent or
    stale (``error``), or the person decides about an older account first.
    """
    if error is None:
        return _end(attempt, transitions.await_sign_in(subject))
    messages = attempt.state.response.messages if attempt.state else ()
    own = (Message(error.description),) if error.description else ()
    event = Event(Kind.TROUBLE, attempt.row.step, transitions.describe(error), None, error.request_id)
    transition = transitions.await_sign_in(attempt.row.okta_user_id, *messages, *own, events=(event,))
    return _end(attempt, transition)


def await_email(attempt: Attempt) -> Outcome:
    """This site demands a proven address and this one is not: the org's link or sign-in has to prove it."""
    return _end(attempt, transitions.await_email())


def release(attempt: Attempt) -> None:
    """Ends a claim that nothing will come of."""
    attempt.row.commit()


def _end(attempt: Attempt, transition: Transition) -> Outcome:
    if attempt.row.status in FINAL:
        return Ended(Status(attempt.row.status))
    commit(attempt, transition)
    return transition.outcome


# ---- by the sign-in, or an administrator


def complete(registration: Registration, user: Any, subject: str, actor: str = "") -> Ended:
    """The person is a Django user now, or was let in by an administrator.

    :param subject: the Okta user id
    """
    registration.commit(
        to=Status.COMPLETED,
        events=[registration.event(Kind.COMPLETED, actor=actor, step="")],
        user=user,
        okta_user_id=subject[:100],
        step="",
        failure_text="",
    )
    announce(registration_completed, Registration, registration=registration, user=user)
    # A new link of the org starts a registration of its own, and the one that waited for the old link is void.
    for other in _awaiting_sign_in(registration.issuer, subject).exclude(pk=registration.pk):
        with suppress(Conflict):
            event = other.event(Kind.CANCELLED, outcome="completed elsewhere")
            other.commit(to=Status.CANCELLED, events=[event])
    return Ended(Status.COMPLETED)


def await_approval(registration: Registration, user: Any, subject: str) -> Ended:
    """The org is done; an administrator of this site decides."""
    registration.commit(
        to=Status.AWAITING_APPROVAL,
        events=[registration.event(Kind.RECOVERED, outcome="awaiting approval", step="")],
        user=user,
        okta_user_id=subject[:100],
        step="",
        sealed="",
        expires_at=None,
    )
    return Ended(Status.AWAITING_APPROVAL)


def complete_by_sign_in(issuer: str, user: Any, subject: str) -> str:
    """Somebody signed in through the org: the newest registration that waited for just that is complete.

    :return: where it was to lead, "" for nowhere in particular
    """
    registration = _awaiting_sign_in(issuer, subject).first()
    if registration is None:
        return ""
    # Another sign-in of the same person may complete it at the same moment.
    with suppress(Conflict):
        complete(registration, user, subject)
    return registration.next_url


def await_approval_by_sign_in(issuer: str, user: Any, subject: str) -> None:
    """Somebody signed in through the org whom an administrator has to let in first.

    :raises Conflict: another sign-in of the same person did so at the same moment
    """
    if registration := _awaiting_sign_in(issuer, subject).first():
        await_approval(registration, user, subject)


def note_proven(registration: Registration) -> None:
    """The code of a mail was typed for a registration whose transaction is over: signing in completes it."""
    with suppress(Conflict):
        registration.commit(email_verified_at=timezone.now(), events=[registration.event(Kind.VERIFIED)])


def _awaiting_sign_in(issuer: str, subject: str) -> RegistrationQuerySet:
    rows = Registration.objects.filter(issuer=issuer, okta_user_id=subject, status__in=AWAITING_SIGN_IN)
    return rows.order_by("-created_at")
