"""Settles registrations that are stuck: a worker died during a call, an answer was lost, or the visitor left.

Safe while the site serves visitors: a row that a request changes at the same time is left alone.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from selfreg.conf import conf
from selfreg.idx.client import Visitor
from selfreg.idx.errors import AnswerLost, IdxError
from selfreg.models import Conflict, OktaIdentity, Registration, RegistrationEvent, RegistrationQuerySet
from selfreg.okta_api.accounts import PENDING, AccountNotPending, OktaAccounts
from selfreg.registration import commands, endings
from selfreg.registration.exchange import Attempt, open_row
from selfreg.registration.policy import connect
from selfreg.statuses import ABANDONED, Status

ACTOR = "selfreg_recover"
# How long an interaction code is valid, by Okta's documentation. After that only a sign-in completes a registration.
CODE_SECONDS = 60
ACCOUNT_ACTIONS = {"activate": OktaAccounts.send_activation, "remove": OktaAccounts.remove}


def stuck() -> RegistrationQuerySet:
    """Returns open registrations in doubt, and those that were not logged in while their interaction code was valid."""
    now = timezone.now()
    doubtful = Registration.objects.open().filter(busy_until__lt=now) | Registration.objects.open().filter(unsure=True)
    unfinished = Registration.objects.filter(
        status=Status.FINISHING, updated_at__lt=now - timedelta(seconds=CODE_SECONDS)
    )
    return doubtful | unfinished


def settle_stuck() -> Iterator[tuple[Registration, str]]:
    """Settles every stuck registration: asks the org, or leaves it to a sign-in.

    Yields each with its new status, "in doubt", or "somebody else was quicker".
    """
    for registration in stuck().iterator():
        yield registration, _apply(_settle, registration)


def expire_abandoned() -> Iterator[tuple[Registration, str]]:
    """Ends every open registration that did not change for ``abandoned_after_seconds``. Yields as ``settle_stuck``."""
    moment = timezone.now() - timedelta(seconds=conf().abandoned_after_seconds)
    for registration in Registration.objects.untouched_since(moment).iterator():
        yield registration, _apply(endings.expire, registration)


def with_orphaned_account() -> RegistrationQuerySet:
    """Returns abandoned registrations whose Okta account has no Django user, and was not handled here before."""
    subject = OuterRef("okta_user_id")
    identities = OktaIdentity.objects.filter(issuer=OuterRef("issuer"), subject=subject)
    others = Registration.objects.filter(issuer=OuterRef("issuer"), okta_user_id=subject).exclude(status__in=ABANDONED)
    handled = RegistrationEvent.objects.filter(registration=OuterRef("pk"), actor=ACTOR)
    return Registration.objects.filter(status__in=ABANDONED, issuer=conf().issuer, okta_user_id__gt="").exclude(
        Exists(identities) | Exists(others) | Exists(handled)
    )


def handle_orphaned_accounts(action: str) -> Iterator[tuple[Registration, str]]:
    """Handles Okta accounts of abandoned registrations that never became active. Yields each with what happened.

    :param action: "activate" has Okta mail its link, "remove" deletes the account, "report" only reads its status
    """
    okta = OktaAccounts(conf())
    for registration in with_orphaned_account().iterator():
        try:
            if action == "report":
                status = okta.status(registration.okta_user_id)
                outcome = f"account is {status}" if status in PENDING else "nothing to do"
            else:
                ACCOUNT_ACTIONS[action](okta, registration.okta_user_id)
                outcome = f"{action}: ok"
                registration.note(RegistrationEvent.Kind.ADMINISTERED, outcome=outcome, actor=ACTOR)
        except AccountNotPending as other:
            outcome = f"account is {other.status or 'gone'}"
            registration.note(RegistrationEvent.Kind.ADMINISTERED, outcome=outcome, actor=ACTOR)
        except IdxError as error:
            outcome = f"not now: {type(error).__name__}"
        yield registration, outcome


def _apply(command: Callable[[Attempt], object], registration: Registration) -> str:
    """Runs a command on a registration, and returns what became of it."""
    org = connect(conf(), Visitor(language=registration.language))
    try:
        command(open_row(registration, org))
    except Conflict:
        return "somebody else was quicker"
    return "in doubt" if registration.in_doubt else str(registration.status)


def _settle(attempt: Attempt) -> None:
    if not attempt.is_readable:
        endings.fail(attempt, "selfreg.unreadable")
    elif attempt.row.status == Status.FINISHING:
        endings.await_sign_in(attempt, error=AnswerLost("the interaction code ran out"))
    elif attempt.state is None:
        # Without a state the org cannot be asked. The registration waits for a sign-in or the link in a mail.
        endings.release(attempt)
    else:
        commands.refresh(attempt)
