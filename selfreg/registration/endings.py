"""How registrations end that have no step any more: completed by a sign-in, or waiting for an administrator."""

from contextlib import suppress
from typing import Any

from selfreg import clock
from selfreg.models import Conflict, Registration, RegistrationEvent, RegistrationQuerySet, Status
from selfreg.registration.outcome import Ended
from selfreg.signals import announce, registration_completed

Kind = RegistrationEvent.Kind
AWAITING_SIGN_IN = (Status.AWAITING_EMAIL, Status.READY)


def complete(registration: Registration, user: Any, subject: str, actor: str = "") -> Ended:
    """The person is a Django user now, or was let in by an administrator.

    :param subject: the Okta user id
    :raises Conflict: another request was quicker
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
    """The org is done; an administrator of this site decides.

    :raises Conflict: another request was quicker
    """
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
        registration.commit(email_verified_at=clock.now(), events=[registration.event(Kind.VERIFIED)])


def _awaiting_sign_in(issuer: str, subject: str) -> RegistrationQuerySet:
    rows = Registration.objects.filter(issuer=issuer, okta_user_id=subject, status__in=AWAITING_SIGN_IN)
    return rows.order_by("-created_at")
