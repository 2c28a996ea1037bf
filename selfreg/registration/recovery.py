"""Registrations that nobody moves: a worker died in a call, an answer was lost, a person left. Each ends in a status
that says where it stands. Safe beside live traffic: whoever is quicker wins, the other leaves the row alone.
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
# An interaction code lives that long (Okta's documentation); after it only signing in at the org helps.
CODE_SECONDS = 60
ACCOUNT_ACTS = {"activate": OktaAccounts.send_activation, "remove": OktaAccounts.remove}


def stuck() -> RegistrationQuerySet:
    """Open registrations in doubt, or whose sign-in did not come through while its code lived."""
    now = timezone.now()
    doubtful = Registration.objects.open().filter(busy_until__lt=now) | Registration.objects.open().filter(unsure=True)
    unfinished = Registration.objects.filter(
        status=Status.FINISHING, updated_at__lt=now - timedelta(seconds=CODE_SECONDS)
    )
    return doubtful | unfinished


def recovered() -> Iterator[tuple[Registration, str]]:
    """Settles every stuck registration: asks the org, or leaves it to the sign-in. Yields each with what came of it."""
    for registration in stuck().iterator():
        yield registration, _settled(registration, _settle)


def expired() -> Iterator[tuple[Registration, str]]:
    """Ends every open registration that nobody touched for ``abandoned_after_seconds``."""
    moment = timezone.now() - timedelta(seconds=conf().abandoned_after_seconds)
    for registration in Registration.objects.untouched_since(moment).iterator():
        yield registration, _settled(registration, endings.expire)


def left_accounts() -> RegistrationQuerySet:
    """Abandoned registrations whose account at the org belongs to nobody here and was not seen to yet."""
    mine = OuterRef("okta_user_id")
    signed_in = OktaIdentity.objects.filter(issuer=OuterRef("issuer"), subject=mine)
    again = Registration.objects.filter(issuer=OuterRef("issuer"), okta_user_id=mine).exclude(status__in=ABANDONED)
    seen_to = RegistrationEvent.objects.filter(registration=OuterRef("pk"), actor=ACTOR)
    return Registration.objects.filter(status__in=ABANDONED, issuer=conf().issuer, okta_user_id__gt="").exclude(
        Exists(signed_in) | Exists(again) | Exists(seen_to)
    )


def accounts(act: str) -> Iterator[tuple[Registration, str]]:
    """Sees to accounts that were begun and never became active.

    :param act: "activate" has Okta mail its link, "remove" deletes the account, "report" only looks
    """
    okta = OktaAccounts(conf())
    for registration in left_accounts().iterator():
        try:
            if act == "report":
                status = okta.status(registration.okta_user_id)
                outcome = f"account is {status}" if status in PENDING else "nothing to do"
            else:
                ACCOUNT_ACTS[act](okta, registration.okta_user_id)
                outcome = f"{act}: ok"
                registration.note(RegistrationEvent.Kind.ADMINISTERED, outcome=outcome, actor=ACTOR)
        except AccountNotPending as other:
            outcome = f"account is {other.status or 'gone'}"
            registration.note(RegistrationEvent.Kind.ADMINISTERED, outcome=outcome, actor=ACTOR)
        except IdxError as error:
            outcome = f"not now: {type(error).__name__}"
        yield registration, outcome


def _settled(registration: Registration, settle: Callable[[Attempt], object]) -> str:
    org = connect(conf(), Visitor(language=registration.language))
    try:
        settle(open_row(registration, org))
    except Conflict:
        return "somebody else was quicker"
    return "in doubt" if registration.in_doubt else str(registration.status)


def _settle(attempt: Attempt) -> None:
    if not attempt.is_readable:
        endings.fail(attempt, "selfreg.unreadable")
    elif attempt.row.status == Status.FINISHING:
        endings.await_sign_in(attempt, error=AnswerLost("the interaction code ran out"))
    elif attempt.state is None:
        # Nothing to ask with; it waits for the person, at the org or in the mail.
        endings.release(attempt)
    else:
        commands.refresh(attempt)
