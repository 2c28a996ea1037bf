"""Commands that end a registration, or leave it waiting for a sign-in, the link in a mail or an administrator.

Every function raises ``Conflict`` when another request is changing the registration or changed it first, unless its
docstring says otherwise.
"""

from contextlib import suppress
from typing import Any

from django.db.models import Exists, Q
from django.utils import timezone
from django.utils.translation import get_language

from selfreg.conf import Conf
from selfreg.email_addresses import canonical
from selfreg.idx.document import Message
from selfreg.idx.errors import IdxError
from selfreg.models import Conflict, OktaIdentity, Registration, RegistrationQuerySet
from selfreg.registration import transition as transitions
from selfreg.registration.exchange import Attempt, commit
from selfreg.registration.outcome import Ended, Outcome
from selfreg.registration.transition_types import MAX_OUTCOME, Event, Kind, Transition, describe
from selfreg.signals import announce, registration_completed
from selfreg.statuses import FINAL, Status

AWAITING_SIGN_IN = (Status.AWAITING_EMAIL, Status.READY)


def cancel(attempt: Attempt) -> Outcome:
    """Cancel the registration, and its transaction at the org if the org can be reached."""
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
            attempt.row.note(Kind.TROUBLE, outcome=describe(error), request_id=error.request_id)
    return outcome


def fail(attempt: Attempt, reason: str, *explanation: Message) -> Outcome:
    """End the registration as failed.

    :param reason: a key of ``texts.messages``
    :param explanation: what to show the visitor instead of the message of that key
    """
    return _end(attempt, transitions.fail(attempt.row.step, reason, *explanation))


def expire(attempt: Attempt) -> Outcome:
    """End the registration because the visitor did not continue in time."""
    return _end(attempt, transitions.expire(attempt.row.step))


def await_sign_in(attempt: Attempt, subject: str = "", error: IdxError | None = None) -> Outcome:
    """Leave the registration to a sign-in at the org, where the account exists.

    :param subject: the Okta user id, if the visitor decides first whether to link an existing user
    :param error: why the interaction code could not be used, in any other case
    """
    if error is None:
        return _end(attempt, transitions.await_sign_in(subject))
    messages = attempt.state.response.messages if attempt.state else ()
    event = Event(Kind.TROUBLE, attempt.row.step, describe(error), None, error.request_id)
    transition = transitions.await_sign_in(attempt.row.okta_user_id, *messages, events=(event,))
    return _end(attempt, transition)


def await_email(attempt: Attempt) -> Outcome:
    """Leave the registration to the link in Okta's mail: this site requires a verified address."""
    return _end(attempt, transitions.await_email())


def note_failed_sign_in(registration: Registration | None, why: str) -> None:
    """Record, once per reason, that the sign-in failed that a registration is waiting for.

    :param why: an error code of the org or a broken clause, never a value
    """
    if registration is None or registration.status not in AWAITING_SIGN_IN:
        return
    outcome = f"SignInFailed {why}"[:MAX_OUTCOME]
    if not registration.events.filter(kind=Kind.TROUBLE, outcome=outcome).exists():
        registration.note(Kind.TROUBLE, outcome=outcome)


def _end(attempt: Attempt, transition: Transition) -> Outcome:
    if attempt.row.status in FINAL:
        return Ended(Status(attempt.row.status))
    commit(attempt, transition)
    return transition.outcome


# ---- by a sign-in, or an administrator


def complete(registration: Registration, user: Any, subject: str, actor: str = "") -> Ended:
    """Complete a registration: the visitor was logged in, or an administrator approved them.

    :param user: the Django user
    :param subject: the Okta user id
    :param actor: the administrator's user name, "" if there is none
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
    # Each new link of the org starts another registration, so cancel those that wait for older links. There are rarely
    # any, so only their ids are fetched.
    for pk in awaiting_sign_in(registration.issuer, subject).values_list("pk", flat=True):
        with suppress(Conflict, Registration.DoesNotExist):
            other = Registration.objects.get(pk=pk)
            event = other.event(Kind.CANCELLED, outcome="completed elsewhere")
            other.commit(to=Status.CANCELLED, events=[event])
    return Ended(Status.COMPLETED)


def await_approval(registration: Registration, user: Any, subject: str) -> Ended:
    """Leave the registration to an administrator. The org will not be called again, so the state is emptied."""
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
    """Complete the newest registration that was waiting for this sign-in, if there is one. Raises no ``Conflict``.

    :param subject: the Okta user id
    :return: the registration's ``next_url``, or ""
    """
    registration = awaiting_sign_in(issuer, subject).first()
    if registration is None:
        return ""
    # A concurrent sign-in may have done this.
    with suppress(Conflict):
        complete(registration, user, subject)
    return registration.next_url


def await_approval_by_sign_in(identity: OktaIdentity, settings: Conf, email: str) -> None:
    """Leave the newest registration that was waiting for this sign-in to an administrator. Raises no ``Conflict``.

    If there is none, because the account is older or its registration has ended, one is made for the decision.
    """
    registration = awaiting_sign_in(identity.issuer, identity.subject).first()
    if registration is None and identity.approval == OktaIdentity.Approval.AWAITED:
        now, account = timezone.now(), {"issuer": identity.issuer, "okta_user_id": identity.subject}
        if Registration.objects.filter(**account, status=Status.AWAITING_APPROVAL).exists():
            return
        origin = {"org": settings.org, "workflow": settings.email_verification, "language": get_language() or ""}
        registration = Registration(status=Status.FINISHING, created_at=now, updated_at=now, **account, **origin)
        registration.email, registration.email_canonical = email, canonical(email)
    if registration:
        with suppress(Conflict):  # a concurrent sign-in may have done this
            await_approval(registration, identity.user, identity.subject)


def note_proven(registration: Registration) -> None:
    """Mark the address of a registration as verified, so that only the sign-in is missing. Raises no ``Conflict``."""
    with suppress(Conflict):
        registration.commit(email_verified_at=timezone.now(), events=[registration.event(Kind.VERIFIED)])


def awaiting_sign_in(issuer: str, subject: str) -> RegistrationQuerySet:
    """Return the registrations that a sign-in of this account completes, newest first.

    An expired one is completed, too, if its account was finished at Okta later, and has no other registration but
    those that were abandoned.
    """
    rows = Registration.objects.filter(issuer=issuer, okta_user_id=subject)
    others = rows.exclude(status__in=(Status.EXPIRED, Status.CANCELLED))
    is_waiting = Q(status__in=AWAITING_SIGN_IN) | Q(status=Status.EXPIRED) & ~Exists(others)
    return rows.filter(is_waiting).order_by("-created_at")
