"""What an administrator can do to registrations.

Each action has a permission, asks for confirmation, and is recorded twice: as an event of the registration (who, what,
how it went) and in Django's admin log.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from selfreg import encryption
from selfreg.admin.explanation import enrollment_of
from selfreg.admin.labels import failure_label
from selfreg.admin.roles import RegistrationPermission
from selfreg.conf import conf
from selfreg.idx.errors import IdxError, NotOffered, OrgRefused
from selfreg.models import Conflict, Registration, RegistrationEvent
from selfreg.okta_api.accounts import NotHalfMade, OktaAccounts
from selfreg.registration.approval import MailNotSent, approve, reject
from selfreg.registration.enrollment import Enrollment
from selfreg.statuses import Status
from selfreg.texts.messages import notice, say

CODE_SENT = "selfreg.sent_again"


class ActionRefused(Exception):
    """The action was not carried out. The text says why, and may be shown to the administrator."""


@dataclass(frozen=True, slots=True)
class AdminAction:
    """One action of the list and of the page of a registration.

    ``name`` is part of the action's URL and of the recorded events. ``warning`` says what will happen, before it is
    confirmed. ``is_available`` reads the row only. ``run`` gets the registration and the administrator's reason (""
    unless ``asks_reason``), and may raise ``ActionRefused``, ``Conflict``, ``MailNotSent``, ``NotHalfMade``,
    ``encryption.Unreadable`` and ``IdxError``.
    """

    name: str
    label: str | Promise
    warning: str | Promise
    permission: RegistrationPermission
    is_available: Callable[[Registration], bool]
    run: Callable[[Registration, str], None]
    asks_reason: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """How an action on one registration went. ``refusal`` says why it was not carried out; "" if it was."""

    registration: Registration
    refusal: str = ""


def perform(action: AdminAction, registration: Registration, user: Any, reason: str = "") -> Result:
    """Carries the action out if that is possible, and records it either way. Raises nothing.

    :param user: the administrator, a Django user who has the action's permission
    """
    registration.actor = user.get_username()
    refusal = _run(action, registration, reason)
    registration.note(RegistrationEvent.Kind.ADMINISTERED, outcome=f"{action.name}: {refusal or reason or 'ok'}"[:200])
    message = " · ".join(text for text in (str(action.label), reason, refusal) if text)
    LogEntry.objects.log_actions(user.pk, [registration], CHANGE, change_message=message[:1000], single_object=True)
    return Result(registration, refusal)


def _run(action: AdminAction, registration: Registration, reason: str) -> str:
    """Returns why the action was not carried out, "" if it was."""
    try:
        if not action.is_available(registration):
            raise ActionRefused(_not_possible(registration))
        action.run(registration, reason)
    except ActionRefused as refusal:
        return str(refusal)
    except Conflict:
        return gettext("another request changed it at the same moment; look at it again")
    except encryption.Unreadable:
        return gettext("its encryption key is gone; it can only be marked for erasure")
    except MailNotSent:
        return gettext("it is done, but the mail to the person could not be sent")
    except NotHalfMade as error:
        status = error.status or gettext("gone")
        return gettext("the account is not half-made: at Okta it is %(status)s") % {"status": status}
    except OrgRefused as error:
        return gettext("Okta refused it: %(code)s") % {"code": error.code}
    except IdxError as error:
        return say(notice(error))
    return ""


def _not_possible(registration: Registration) -> str:
    return gettext("not possible while it is “%(status)s”") % {"status": registration.get_status_display()}


# -- what the actions do


def _approve(registration: Registration, reason: str) -> None:
    approve(enrollment_of(registration))


def _reject(registration: Registration, reason: str) -> None:
    reject(enrollment_of(registration), reason)


def _resend(registration: Registration, reason: str) -> None:
    enrollment = enrollment_of(registration)
    try:
        enrollment.resend()
    except NotOffered as error:
        raise ActionRefused(gettext("at this step there is no mail or code to send")) from error
    if refusal := _resend_refusal(enrollment):
        raise ActionRefused(refusal)


def _resend_refusal(enrollment: Enrollment) -> str:
    """Returns why ``enrollment.resend()`` sent nothing, "" if it did: only its notices tell."""
    registration = enrollment.registration
    notices = enrollment.flow.notices if registration.sealed else ()
    if any(message.key == CODE_SENT for message in notices):
        return ""
    if notices:
        return say(notices[0])
    return failure_label(registration.failure) or _not_possible(registration)


def _repair(registration: Registration, reason: str) -> None:
    OktaAccounts().send_activation(registration.okta_user_id)


def _cancel(registration: Registration, reason: str) -> None:
    enrollment_of(registration).cancel()


def _expire(registration: Registration, reason: str) -> None:
    enrollment_of(registration).expire()


def _remove_account(registration: Registration, reason: str) -> None:
    OktaAccounts().remove(registration.okta_user_id)
    if registration.is_open:
        enrollment_of(registration).fail("selfreg.account_removed")


def _erase(registration: Registration, reason: str) -> None:
    enrollment = enrollment_of(registration)
    if registration.is_open:
        enrollment.cancel() if not registration.sealed or enrollment.readable else enrollment.fail("selfreg.unreadable")
    registration.change(erase_asked_at=timezone.now())


# -- when they are available


def _awaits_approval(registration: Registration) -> bool:
    return registration.status == Status.AWAITING_APPROVAL


def _is_open(registration: Registration) -> bool:
    return registration.is_open


def _is_at_a_step(registration: Registration) -> bool:
    return registration.status in (Status.STARTED, Status.ENROLLING) and bool(registration.sealed)


def _has_half_made_account(registration: Registration) -> bool:
    is_reachable = bool(conf().api_token and registration.okta_user_id) and registration.issuer == conf().issuer
    return is_reachable and registration.status != Status.COMPLETED


def _is_not_marked(registration: Registration) -> bool:
    return registration.erase_asked_at is None


# In the order of the page.
ACTIONS: Sequence[AdminAction] = (
    AdminAction(
        name="approve",
        label=_("Approve"),
        warning=_("These people can sign in from now on, and get a mail that says so."),
        permission=RegistrationPermission.APPROVE,
        is_available=_awaits_approval,
        run=_approve,
    ),
    AdminAction(
        name="reject",
        label=_("Reject"),
        warning=_("These people are not let in. They get a mail with your reason, which is also kept here."),
        permission=RegistrationPermission.APPROVE,
        is_available=_awaits_approval,
        run=_reject,
        asks_reason=True,
    ),
    AdminAction(
        name="resend",
        label=_("Send the mail or code again"),
        warning=_("Okta sends a new mail or text to each of these people. Only the newest code works."),
        permission=RegistrationPermission.RESEND,
        is_available=_is_at_a_step,
        run=_resend,
    ),
    AdminAction(
        name="repair",
        label=_("Send Okta's activation mail"),
        warning=_(
            "Okta mails a link to each person whose account was started and not finished. With it they choose a "
            "password at Okta and can sign in here."
        ),
        permission=RegistrationPermission.REPAIR,
        is_available=_has_half_made_account,
        run=_repair,
    ),
    AdminAction(
        name="cancel",
        label=_("Cancel"),
        warning=_("These people cannot continue this sign-up. They can start again."),
        permission=RegistrationPermission.CANCEL,
        is_available=_is_open,
        run=_cancel,
    ),
    AdminAction(
        name="expire",
        label=_("Expire now"),
        warning=_("These people have to start again. Their browser fills in what they had typed, if it still has it."),
        permission=RegistrationPermission.EXPIRE,
        is_available=_is_open,
        run=_expire,
    ),
    AdminAction(
        name="remove-account",
        label=_("Remove the half-made Okta account"),
        warning=_("The account is deleted at Okta, for good. Accounts that ever became active are left alone."),
        permission=RegistrationPermission.REMOVE_ACCOUNT,
        is_available=_has_half_made_account,
        run=_remove_account,
    ),
    AdminAction(
        name="erase",
        label=_("Mark for erasure"),
        warning=_("The registration ends now if it is open, and the next purge erases it with all its events."),
        permission=RegistrationPermission.ERASE,
        is_available=_is_not_marked,
        run=_erase,
    ),
)
ACTIONS_BY_NAME: Mapping[str, AdminAction] = {action.name: action for action in ACTIONS}
