"""What an administrator can do to registrations. Each act has a permission of its own, is asked back for, and is
written down twice: as an event of the registration (who, what, how it went) and in Django's admin log.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from selfreg.admin.explanation import open_for_admin
from selfreg.admin.labels import failure_words
from selfreg.conf import conf
from selfreg.idx.errors import IdxError, OrgRefused
from selfreg.models import OPEN, Conflict, Registration, RegistrationEvent, Status
from selfreg.okta_api.accounts import AccountNotPending, OktaAccounts
from selfreg.okta_api.client import is_configured
from selfreg.registration import commands, endings
from selfreg.registration import outcome as outcomes
from selfreg.registration.approval import MailNotSent, approve, reject
from selfreg.registration.exchange import Attempt
from selfreg.texts import notice, say


class Refused(Exception):
    """The act was not carried out; the text says why, and may be shown."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to press. ``possible`` reads the row only, ``does`` may raise Refused, Conflict and IdxError."""

    name: str
    label: Any
    warning: Any
    permission: str
    possible: Callable[[Registration], bool]
    does: Callable[[Attempt, str], object]
    asks_reason: bool = False
    needs_state: bool = False
    """Impossible once the key of what the row keeps is gone."""

    def allowed(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(f"selfreg.{self.permission}"))


@dataclass(frozen=True, slots=True)
class Result:
    """How one act on one registration went; ``refusal`` is "" when it was done."""

    registration: Registration
    refusal: str = ""


def perform(act: Act, registration: Registration, user: Any, reason: str = "") -> Result:
    """Does it, or says why not; logs either."""
    refusal = _refusal(act, registration, user.get_username(), reason)
    said = " · ".join(text for text in (str(act.label), reason, refusal) if text)
    registration.note(
        RegistrationEvent.Kind.ADMINISTERED,
        outcome=f"{act.name}: {refusal or reason or 'ok'}"[:200],
        actor=user.get_username(),
    )
    LogEntry.objects.log_actions(user.pk, [registration], CHANGE, change_message=said[:1000], single_object=True)
    return Result(registration, refusal)


def _refusal(act: Act, registration: Registration, actor: str, reason: str) -> str:
    try:
        if not act.possible(registration):
            raise Refused(_not_possible(registration))
        attempt = open_for_admin(registration, actor)
        if act.needs_state and not attempt.is_readable:
            raise Refused(gettext("its encryption key is gone; it can only be marked for erasure"))
        act.does(attempt, reason)
    except Refused as refused:
        return str(refused)
    except Conflict:
        return gettext("somebody else's request was quicker; look at it again")
    except MailNotSent:
        return gettext("it is done, but the mail to the person could not be sent")
    except AccountNotPending as other:
        status = other.status or gettext("gone")
        return gettext("the account is not half-made: at Okta it is %(status)s") % {"status": status}
    except OrgRefused as error:
        return gettext("Okta refused it: %(code)s") % {"code": error.code}
    except IdxError as error:
        return say(notice(error))
    return ""


def _not_possible(registration: Registration) -> str:
    return gettext("not possible while it is “%(status)s”") % {"status": registration.get_status_display()}


def _resend(attempt: Attempt, reason: str) -> None:
    outcome = commands.resend(attempt)
    match outcome:
        case outcomes.Sent():
            return
        case outcomes.NotOffered():
            raise Refused(gettext("at this step there is no mail or code to send"))
        case outcomes.Waiting(message=message) | outcomes.Stale(message):
            raise Refused(say(message))
        case outcomes.Rejected(messages) if messages:
            raise Refused(say(messages[0]))
        case outcomes.Failed(error) | outcomes.Unsure(error):
            raise Refused(say(notice(error)))
    raise Refused(failure_words(attempt.row.failure) or _not_possible(attempt.row))


def _cancel(attempt: Attempt, reason: str) -> None:
    endings.cancel(attempt)


def _expire(attempt: Attempt, reason: str) -> None:
    endings.expire(attempt)


def _erase(attempt: Attempt, reason: str) -> None:
    if attempt.row.is_open:
        endings.cancel(attempt) if attempt.is_readable else endings.fail(attempt, "selfreg.unreadable")
    attempt.row.mark_for_erasure()


def _repair(attempt: Attempt, reason: str) -> None:
    OktaAccounts(conf()).send_activation(attempt.row.okta_user_id)


def _remove_account(attempt: Attempt, reason: str) -> None:
    OktaAccounts(conf()).remove(attempt.row.okta_user_id)
    if attempt.row.is_open:
        endings.fail(attempt, "selfreg.account_removed")


def _approve(attempt: Attempt, reason: str) -> None:
    approve(attempt)


def _awaits_approval(registration: Registration) -> bool:
    return registration.status == Status.AWAITING_APPROVAL


def _is_open(registration: Registration) -> bool:
    return registration.status in OPEN


def _has_step(registration: Registration) -> bool:
    return registration.status in (Status.STARTED, Status.ENROLLING) and bool(registration.sealed)


def _has_half_made_account(registration: Registration) -> bool:
    settings = conf()
    can_be_changed = is_configured(settings) and registration.issuer == settings.issuer
    return can_be_changed and bool(registration.okta_user_id) and registration.status != Status.COMPLETED


def _not_marked(registration: Registration) -> bool:
    return registration.erase_asked_at is None


ACTS: Sequence[Act] = (
    Act(
        "approve",
        _("Approve"),
        _("These people can sign in from now on, and get a mail that says so."),
        "approve_registration",
        _awaits_approval,
        _approve,
    ),
    Act(
        "reject",
        _("Reject"),
        _("These people are not let in. They get a mail with your reason, which is also kept here."),
        "approve_registration",
        _awaits_approval,
        reject,
        asks_reason=True,
    ),
    Act(
        "resend",
        _("Send the mail or code again"),
        _("Okta sends a new mail or text to each of these people. Only the newest code works."),
        "resend_registration",
        _has_step,
        _resend,
        needs_state=True,
    ),
    Act(
        "repair",
        _("Send Okta's activation mail"),
        _(
            "Okta mails a link to each person whose account was begun and not finished. With it they choose a password "
            "at Okta and can sign in here."
        ),
        "repair_registration",
        _has_half_made_account,
        _repair,
    ),
    Act(
        "cancel",
        _("Cancel"),
        _("These people cannot go on with this sign-up. They can start again."),
        "cancel_registration",
        _is_open,
        _cancel,
        needs_state=True,
    ),
    Act(
        "expire",
        _("Let it expire now"),
        _("These people are asked to start again, with what they had typed where their browser still has it."),
        "expire_registration",
        _is_open,
        _expire,
    ),
    Act(
        "remove-account",
        _("Remove the half-made Okta account"),
        _("The account is deleted at Okta, for good. Accounts that ever became active are left alone."),
        "remove_okta_account",
        _has_half_made_account,
        _remove_account,
    ),
    Act(
        "erase",
        _("Mark for erasure"),
        _("The registration ends now if it is open, and the next purge erases it with all its events."),
        "erase_registration",
        _not_marked,
        _erase,
    ),
)
BY_NAME = {act.name: act for act in ACTS}
