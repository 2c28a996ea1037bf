"""Settles registrations that are stuck: a worker died during a call, an answer was lost, or the visitor left.

Safe while the site serves visitors: a row that a request changes at the same time is left alone.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import reduce
from operator import or_

from django.db.models import Exists, OuterRef
from django.utils import timezone

from selfreg.conf import Conf, orgs
from selfreg.idx.client import Visitor
from selfreg.idx.errors import AnswerLost, IdxError
from selfreg.models import Conflict, OktaIdentity, Registration, RegistrationEvent, RegistrationQuerySet
from selfreg.okta_api.accounts import PENDING, AccountNotPending, OktaAccounts
from selfreg.okta_api.client import is_configured
from selfreg.registration import commands, endings
from selfreg.registration.exchange import Attempt, open_row
from selfreg.registration.policy import connect
from selfreg.statuses import ABANDONED, Status

ACTOR = "selfreg_recover"
# Rows in memory at once.
BATCH = 100
IN_DOUBT = "in doubt"
# How long an interaction code is valid, by Okta's documentation. After that only a sign-in completes a registration.
CODE_SECONDS = 60
ACCOUNT_ACTIONS = {"activate": OktaAccounts.send_activation, "remove": OktaAccounts.remove}


def stuck() -> RegistrationQuerySet:
    """Return open registrations in doubt, and those that were not logged in while their interaction code was valid."""
    now = timezone.now()
    doubtful = Registration.objects.open().filter(busy_until__lt=now) | Registration.objects.open().filter(unsure=True)
    unfinished = Registration.objects.filter(
        status=Status.FINISHING, updated_at__lt=now - timedelta(seconds=CODE_SECONDS)
    )
    return doubtful | unfinished


def to_expire() -> RegistrationQuerySet:
    """Return open registrations that did not change for ``abandoned_after_seconds``."""
    rows, now = Registration.objects, timezone.now()
    parts = [rows.untouched_since(now - timedelta(seconds=s.abandoned_after_seconds), s) for s in orgs().values()]
    return reduce(or_, parts)


def settle_stuck() -> Iterator[tuple[Registration, str]]:
    """Settle every stuck registration: ask the org, or leave it to a sign-in.

    Yields each with its new status, "in doubt", or "somebody else was quicker".
    """
    for registration in _each(stuck()):
        yield registration, _apply(_settle, registration)


def expire_abandoned() -> Iterator[tuple[Registration, str]]:
    """End every abandoned registration. Yield as ``settle_stuck``."""
    for registration in _each(to_expire()):
        yield registration, _apply(endings.expire, registration)


def with_orphaned_account(settings: Conf) -> RegistrationQuerySet:
    """Return an org's abandoned registrations whose Okta account has no Django user and was not handled before."""
    subject = OuterRef("okta_user_id")
    identities = OktaIdentity.objects.filter(issuer=OuterRef("issuer"), subject=subject)
    others = Registration.objects.filter(issuer=OuterRef("issuer"), okta_user_id=subject).exclude(status__in=ABANDONED)
    handled = RegistrationEvent.objects.filter(registration=OuterRef("pk"), actor=ACTOR)
    rows = Registration.objects.of_org(settings).filter(
        status__in=ABANDONED, issuer=settings.issuer, okta_user_id__gt=""
    )
    return rows.exclude(Exists(identities) | Exists(others) | Exists(handled))


def all_with_orphaned_account() -> RegistrationQuerySet:
    """Return the same for every org whose Management API this site can use."""
    settings = filter(is_configured, orgs().values())
    return reduce(or_, map(with_orphaned_account, settings), Registration.objects.none())


def handle_orphaned_accounts(action: str) -> Iterator[tuple[Registration, str]]:
    """Handle Okta accounts of abandoned registrations that never became active. Yield each with what happened.

    :param action: "activate" has Okta mail its link, "remove" deletes the account, "report" only reads its status
    """
    for settings in filter(is_configured, orgs().values()):
        yield from _handle_orphaned_accounts(settings, action)


def _handle_orphaned_accounts(settings: Conf, action: str) -> Iterator[tuple[Registration, str]]:
    okta = OktaAccounts(settings)
    for registration in _each(with_orphaned_account(settings)):
        try:
            if action == "report":
                status = okta.status(registration.okta_user_id)
                outcome = f"account is {status}" if status in PENDING else "nothing to do"
            else:
                ACCOUNT_ACTIONS[action](okta, registration.okta_user_id, registration)
                outcome = f"{action}: ok"
                registration.note(RegistrationEvent.Kind.ADMINISTERED, outcome=outcome, actor=ACTOR)
        except AccountNotPending as other:
            outcome = f"account is {other.status or 'gone'}"
            registration.note(RegistrationEvent.Kind.ADMINISTERED, outcome=outcome, actor=ACTOR)
        except IdxError as error:
            outcome = f"not now: {type(error).__name__}"
        yield registration, outcome


def _each(rows: RegistrationQuerySet) -> Iterator[Registration]:
    """Yield all rows in batches: a cursor of the server would not outlive a transaction of pgbouncer."""
    batch = list(rows.order_by("pk")[:BATCH])
    while batch:
        yield from batch
        batch = list(rows.filter(pk__gt=batch[-1].pk).order_by("pk")[:BATCH])


def _apply(command: Callable[[Attempt], object], registration: Registration) -> str:
    """Run a command on a registration, and return what became of it."""
    org = connect(registration.settings, Visitor(language=registration.language))
    try:
        command(open_row(registration, org))
    except Conflict:
        return "somebody else was quicker"
    return IN_DOUBT if registration.in_doubt else str(registration.status)


def _settle(attempt: Attempt) -> None:
    if not attempt.is_readable:
        endings.fail(attempt, "selfreg.unreadable")
    elif attempt.row.status == Status.FINISHING:
        endings.await_sign_in(attempt, error=AnswerLost("the interaction code ran out"))
    elif attempt.state is None:
        # Without a state, the org can't be asked. End the claim of the worker that died; the registration still waits
        # for a sign-in or the link in a mail.
        attempt.row.commit()
    else:
        commands.refresh(attempt)
