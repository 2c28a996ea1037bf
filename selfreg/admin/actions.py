"""What an administrator can do to registrations. Each act has a permission of its own, is asked back for, and is
written down twice: as an event of the registration (who, what, how it went) and in Django's admin log.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from selfreg import encryption
from selfreg.admin.explanation import enrollment_of
from selfreg.admin.labels import failure_words
from selfreg.conf import conf
from selfreg.idx.errors import IdxError, NotOffered, OrgRefused
from selfreg.models import OPEN, Conflict, Registration, RegistrationEvent, Status
from selfreg.okta_api.accounts import AccountNotPending, OktaAccounts
from selfreg.okta_api.client import is_configured
from selfreg.registration.approval import MailNotSent, approve, reject
from selfreg.registration.enrollment import Enrollment
from selfreg.texts import notice, say

SENT = "selfreg.sent_again"


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
    does: Callable[[Registration, str], None]
    asks_reason: bool = False

    def allowed(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(f"selfreg.{self.permission}"))


@dataclass(frozen=True, slots=True)
class Result:
    """How one act on one registration went; ``refusal`` is "" when it was done."""

    registration: Registration
    refusal: str = ""


def perform(act: Act, registration: Registration, user: Any, reason: str = "") -> Result:
    """Does it, or says why not; logs either."""
    registration.actor = user.get_username()
    refusal = _refusal(act, registration, reason)
    said = " · ".join(text for text in (str(act.label), reason, refusal) if text)
    registration.note(
        RegistrationEvent.Kind.ADMINISTERED,
        outcome=f"{act.name}: {refusal or reason or 'ok'}"[:200],
    )
    LogEntry.objects.log_actions(user.pk, [registration], CHANGE, change_message=said[:1000], single_object=True)
    return Result(registration, refusal)


def _refusal(act: Act, registration: Registration, reason: str) -> str:
    try:
        if not act.possible(registration):
            raise Refused(_not_possible(registration))
        act.does(registration, reason)
    except Refused as refused:
        return str(refused)
    except Conflict:
        return gettext("somebody else's request was quicker; look at it again")
    except encryption.Unreadable:
        return gettext("its encryption key is gone; it can only be marked for erasure")
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


def _resend(registration: Registration, reason: str) -> None:
    enrollment = enrollment_of(registration)
    try:
        enrollment.resend()
    except NotOffered as error:
        raise Refused(gettext("at this step there is no mail or code to send")) from error
    notices = enrollment.flow.notices if registration.sealed else ()
    if not any(n.key == SENT for n in notices):
        if notices:
            raise Refused(say(notices[0]))
        raise Refused(failure_words(registration.failure) or _not_possible(registration))


def _end(verb: Callable[[Enrollment], None]) -> Callable[[Registration, str], None]:
    def does(registration: Registration, reason: str) -> None:
        verb(enrollment_of(registration))

    return does


def _erase(registration: Registration, reason: str) -> None:
    enrollment = enrollment_of(registration)
    if registration.is_open:
        enrollment.cancel() if not registration.sealed or enrollment.readable else enrollment.fail("selfreg.unreadable")
    registration.change(erase_asked_at=timezone.now())


def _repair(registration: Registration, reason: str) -> None:
    OktaAccounts(conf()).send_activation(registration.okta_user_id)


def _remove_account(registration: Registration, reason: str) -> None:
    OktaAccounts(conf()).remove(registration.okta_user_id)
    if registration.is_open:
        enrollment_of(registration).fail("selfreg.account_removed")


def _approve(registration: Registration, reason: str) -> None:
    approve(enrollment_of(registration))


def _reject(registration: Registration, reason: str) -> None:
    reject(enrollment_of(registration), reason)


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
        _reject,
        asks_reason=True,
    ),
    Act(
        "resend",
        _("Send the mail or code again"),
        _("Okta sends a new mail or text to each of these people. Only the newest code works."),
        "resend_registration",
        _has_step,
        _resend,
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
        _end(Enrollment.cancel),
    ),
    Act(
        "expire",
        _("Let it expire now"),
        _("These people are asked to start again, with what they had typed where their browser still has it."),
        "expire_registration",
        _is_open,
        _end(Enrollment.expire),
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
