"""What an administrator can do to registrations.

Each action has a permission, asks for confirmation, and is recorded twice: as an event of the registration (who, what,
how it went) and in Django's admin log.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from selfreg.admin.explanation import open_for_admin
from selfreg.admin.labels import failure_label
from selfreg.admin.roles import RegistrationPermission
from selfreg.conf import conf
from selfreg.encryption import Unreadable
from selfreg.idx.errors import IdxError, OrgRefused
from selfreg.models import Conflict, Registration, RegistrationEvent
from selfreg.okta_api.accounts import AccountNotPending, OktaAccounts
from selfreg.okta_api.client import is_configured
from selfreg.registration import commands, endings
from selfreg.registration import outcome as outcomes
from selfreg.registration.approval import MailNotSent, approve, reject
from selfreg.registration.exchange import Attempt
from selfreg.statuses import Status
from selfreg.texts.messages import notice, say


class ActionRefused(Exception):
    """The action was not carried out. The text says why, and may be shown to the administrator."""


@dataclass(frozen=True, slots=True)
class AdminAction:
    """One action of the list and of the page of a registration.

    ``name`` is part of the action's URL and of the recorded events. ``warning`` says what will happen, before it is
    confirmed. ``is_available`` reads the row only. ``run`` gets the registration and the administrator's reason (""
    unless ``asks_reason``), and may raise ``ActionRefused``, ``Conflict``, ``MailNotSent``, ``AccountNotPending``,
    ``Unreadable`` and ``IdxError``.
    """

    name: str
    label: str | Promise
    warning: str | Promise
    permission: RegistrationPermission
    is_available: Callable[[Registration], bool]
    run: Callable[[Attempt, str], object]
    asks_reason: bool = False
    needs_state: bool = False
    """Whether the action needs the registration's state, which is lost when its encryption key was removed."""


@dataclass(frozen=True, slots=True)
class Result:
    """How an action on one registration went. ``refusal`` says why it was not carried out; "" if it was."""

    registration: Registration
    refusal: str = ""


def perform(action: AdminAction, registration: Registration, user: Any, reason: str = "") -> Result:
    """Carries the action out if that is possible, and records it either way. Raises nothing.

    :param user: the administrator, a Django user who has the action's permission
    """
    actor = user.get_username()
    refusal = _run(action, registration, actor, reason)
    outcome = f"{action.name}: {refusal or reason or 'ok'}"[:200]
    registration.note(RegistrationEvent.Kind.ADMINISTERED, outcome=outcome, actor=actor)
    message = " · ".join(text for text in (str(action.label), reason, refusal) if text)
    LogEntry.objects.log_actions(user.pk, [registration], CHANGE, change_message=message[:1000], single_object=True)
    return Result(registration, refusal)


def _run(action: AdminAction, registration: Registration, actor: str, reason: str) -> str:
    """Returns why the action was not carried out, "" if it was."""
    try:
        if not action.is_available(registration):
            raise ActionRefused(_not_possible(registration))
        attempt = open_for_admin(registration, actor)
        if action.needs_state and not attempt.is_readable:
            return _key_is_gone()
        action.run(attempt, reason)
    except ActionRefused as refusal:
        return str(refusal)
    except Unreadable:
        return _key_is_gone()
    except Conflict:
        return gettext("another request changed it at the same moment; look at it again")
    except MailNotSent:
        return gettext("it is done, but the mail to the person could not be sent")
    except AccountNotPending as error:
        status = error.status or gettext("gone")
        return gettext("the account is not half-made: at Okta it is %(status)s") % {"status": status}
    except OrgRefused as error:
        return gettext("Okta refused it: %(code)s") % {"code": error.code}
    except IdxError as error:
        return say(notice(error))
    return ""


def _key_is_gone() -> str:
    return gettext("its encryption key is gone; it can only be marked for erasure")


def _not_possible(registration: Registration) -> str:
    return gettext("not possible while it is “%(status)s”") % {"status": registration.get_status_display()}


# -- what the actions do


def _approve(attempt: Attempt, reason: str) -> None:
    approve(attempt)


def _resend(attempt: Attempt, reason: str) -> None:
    match commands.resend(attempt):
        case outcomes.Sent():
            return
        case outcomes.NotOffered():
            raise ActionRefused(gettext("at this step there is no mail or code to send"))
        case outcomes.Waiting(message=message) | outcomes.Stale(message):
            raise ActionRefused(say(message))
        case outcomes.Rejected(messages) if messages:
            raise ActionRefused(say(messages[0]))
        case outcomes.Failed(error) | outcomes.Unsure(error):
            raise ActionRefused(say(notice(error)))
    raise ActionRefused(failure_label(attempt.row.failure) or _not_possible(attempt.row))


def _repair(attempt: Attempt, reason: str) -> None:
    OktaAccounts(conf()).send_activation(attempt.row.okta_user_id)


def _cancel(attempt: Attempt, reason: str) -> None:
    endings.cancel(attempt)


def _expire(attempt: Attempt, reason: str) -> None:
    endings.expire(attempt)


def _remove_account(attempt: Attempt, reason: str) -> None:
    OktaAccounts(conf()).remove(attempt.row.okta_user_id)
    if attempt.row.is_open:
        endings.fail(attempt, "selfreg.account_removed")


def _erase(attempt: Attempt, reason: str) -> None:
    if attempt.row.is_open:
        endings.cancel(attempt) if attempt.is_readable else endings.fail(attempt, "selfreg.unreadable")
    attempt.row.mark_for_erasure()


# -- when they are available


def _awaits_approval(registration: Registration) -> bool:
    return registration.status == Status.AWAITING_APPROVAL


def _is_open(registration: Registration) -> bool:
    return registration.is_open


def _is_at_a_step(registration: Registration) -> bool:
    return registration.status in (Status.STARTED, Status.ENROLLING) and bool(registration.sealed)


def _has_half_made_account(registration: Registration) -> bool:
    settings = conf()
    can_be_changed = is_configured(settings) and registration.issuer == settings.issuer
    return can_be_changed and bool(registration.okta_user_id) and registration.status != Status.COMPLETED


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
        run=reject,
        asks_reason=True,
    ),
    AdminAction(
        name="resend",
        label=_("Send the mail or code again"),
        warning=_("Okta sends a new mail or text to each of these people. Only the newest code works."),
        permission=RegistrationPermission.RESEND,
        is_available=_is_at_a_step,
        run=_resend,
        needs_state=True,
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
        needs_state=True,
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
