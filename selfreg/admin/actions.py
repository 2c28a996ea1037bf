"""What administrators can do with registrations.

Each action has a permission, asks for confirmation, and is recorded twice: as an event of the registration (who, what,
result) and in Django's admin log.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from selfreg.admin.explanation import error_sentence, open_for_admin
from selfreg.admin.labels import failure_label
from selfreg.admin.roles import RegistrationPermission
from selfreg.conf import orgs
from selfreg.encryption import Unreadable
from selfreg.idx.errors import IdxError, OrgRefused
from selfreg.models import Conflict, Registration, RegistrationEvent
from selfreg.okta_api.accounts import DEACTIVATED, AccountNotPending, OktaAccounts
from selfreg.okta_api.client import is_configured
from selfreg.registration import commands, endings
from selfreg.registration import outcome as outcomes
from selfreg.registration.approval import MailNotSent, approve, reject
from selfreg.registration.exchange import Attempt
from selfreg.statuses import Status
from selfreg.texts.messages import OUR_MESSAGES, notice, say


class ActionRefused(Exception):
    """The action was not carried out. The text tells the administrator why."""


@dataclass(frozen=True, slots=True)
class AdminAction:
    """One action of the list and of the page of a registration.

    - ``name``: part of the action's URL and of the recorded events.
    - ``confirm``, ``done``: the button that confirms it, and the message afterwards, both with a ``count``.
    - ``warning``: what will happen, shown before the confirmation.
    - ``is_available``: whether it is possible, by the row alone.
    - ``run``: gets the registration and the administrator's reason ("" unless ``asks_reason``). It may raise
      ``ActionRefused``, ``Conflict``, ``MailNotSent``, ``AccountNotPending``, ``Unreadable`` and ``IdxError``.
    """

    name: str
    label: str | Promise
    confirm: Any
    done: Any
    warning: str | Promise
    permission: RegistrationPermission
    is_available: Callable[[Registration], bool]
    run: Callable[[Attempt, str], object]
    is_offered: Callable[[], bool] = lambda: True
    """Whether the list always has it, because the site is set up for it."""
    is_destructive: bool = False
    asks_reason: bool = False
    needs_state: bool = False
    """Whether it needs the registration's state, which is lost if its encryption key was removed."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of an action for one registration. ``refusal`` is why it was not carried out, or ""."""

    registration: Registration
    refusal: str = ""


def perform(action: AdminAction, registration: Registration, user: Any, reason: str = "") -> Result:
    """Carry out the action if possible, and record it in any case. Raises nothing.

    :param user: the administrator, a Django user who has the action's permission
    """
    actor = user.get_username()
    refusal = _run(action, registration, actor, reason)
    # The reason may hold anything, so it is only stored in the row and in the admin's log.
    outcome = f"{action.name}: {refusal or 'ok'}"[:200]
    registration.note(RegistrationEvent.Kind.ADMINISTERED, outcome=outcome, actor=actor)
    message = " · ".join(text for text in (str(action.label), reason, refusal) if text)
    LogEntry.objects.log_actions(user.pk, [registration], CHANGE, change_message=message[:1000], single_object=True)
    return Result(registration, refusal)


def _run(action: AdminAction, registration: Registration, actor: str, reason: str) -> str:
    """Return why the action was not carried out, or ""."""
    began = timezone.now()
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
        return gettext("it's done, but the email to the person couldn't be sent")
    except AccountNotPending as error:
        status = error.status or gettext("gone")
        return gettext("only an unfinished account can be repaired or deleted; at Okta, this one is %(status)s") % {
            "status": status
        }
    except IdxError as error:
        if registration.events.filter(outcome=DEACTIVATED, at__gte=began).exists():
            return gettext(
                "the account is deactivated now, but Okta failed before the rest was done; do the same again"
            )
        if isinstance(error, OrgRefused):
            return gettext("Okta refused it: %(code)s") % {"code": error.code}
        return say(notice(error))
    return ""


def _key_is_gone() -> str:
    return gettext("its encryption key is gone; it can only be marked for erasure")


def _not_possible(registration: Registration) -> str:
    return gettext("not possible while it is “%(status)s”") % {"status": registration.get_status_display()}


# -- what the actions do


def _resend(attempt: Attempt, reason: str) -> None:
    page = attempt.page
    match commands.resend(attempt, page) if page else outcomes.NotOffered():
        case outcomes.Sent():
            return
        case outcomes.NotOffered():
            raise ActionRefused(gettext("there's no email or code to send at this step"))
        case outcomes.Waiting(message=message) | outcomes.Stale(message):
            raise ActionRefused(say(message) if message.key in OUR_MESSAGES else error_sentence(message))
        case outcomes.Rejected(messages) if messages:
            raise ActionRefused(error_sentence(messages[0]))
        case outcomes.Failed(error) | outcomes.Unsure(error):
            raise error
    raise ActionRefused(failure_label(attempt.row.failure) or _not_possible(attempt.row))


def _send_activation(attempt: Attempt, reason: str) -> None:
    OktaAccounts(attempt.org.settings).send_activation(attempt.row.okta_user_id, attempt.row)


def _remove_account(attempt: Attempt, reason: str) -> None:
    try:
        OktaAccounts(attempt.org.settings).remove(attempt.row.okta_user_id, attempt.row)
    except AccountNotPending as other:
        # If it is gone, an earlier try may have deleted it without ending the registration.
        if other.status or not attempt.row.is_open:
            raise
    attempt.row.refresh_from_db()  # the person's page may have polled meanwhile
    if attempt.row.is_open:
        endings.fail(attempt, "selfreg.account_removed")


def _erase(attempt: Attempt, reason: str) -> None:
    if attempt.row.is_open:
        endings.cancel(attempt) if attempt.is_readable else endings.fail(attempt, "selfreg.unreadable")
    attempt.row.mark_for_erasure()


# -- when they are available


def _is_at_a_step(registration: Registration) -> bool:
    return registration.status in (Status.STARTED, Status.ENROLLING) and bool(registration.sealed)


def _has_unfinished_account(registration: Registration) -> bool:
    settings = registration.settings
    can_be_changed = is_configured(settings) and registration.issuer == settings.issuer
    is_complete = registration.status in (Status.COMPLETED, Status.AWAITING_APPROVAL)
    return can_be_changed and bool(registration.okta_user_id) and not is_complete


def needs_approval() -> bool:
    """Return whether an administrator has to approve new users of any org."""
    return any(settings.approval for settings in orgs().values())


def _can_change_accounts() -> bool:
    return any(map(is_configured, orgs().values()))


# In the order of the page: the first that can be done is the one to recommend, and what destroys comes last.
ACTIONS: Sequence[AdminAction] = (
    AdminAction(
        name="approve",
        label=_("Approve"),
        confirm=ngettext_lazy("Approve %(count)d sign-up", "Approve %(count)d sign-ups", "count"),
        done=ngettext_lazy("%(count)d sign-up approved.", "%(count)d sign-ups approved.", "count"),
        warning=_("They can sign in from now on, and get an email that says so."),
        permission=RegistrationPermission.APPROVE,
        is_available=lambda row: row.status == Status.AWAITING_APPROVAL,
        is_offered=needs_approval,
        run=lambda attempt, _reason: approve(attempt),
    ),
    AdminAction(
        name="reject",
        label=_("Reject"),
        confirm=ngettext_lazy("Reject %(count)d sign-up", "Reject %(count)d sign-ups", "count"),
        done=ngettext_lazy("%(count)d sign-up rejected.", "%(count)d sign-ups rejected.", "count"),
        warning=_("They are not let in. They get an email with your reason, which is also kept here."),
        permission=RegistrationPermission.APPROVE,
        is_available=lambda row: row.status == Status.AWAITING_APPROVAL,
        is_offered=needs_approval,
        run=reject,
        is_destructive=True,
        asks_reason=True,
    ),
    AdminAction(
        name="resend",
        label=_("Send the code or email again"),
        confirm=ngettext_lazy("Send again to %(count)d person", "Send again to %(count)d people", "count"),
        done=ngettext_lazy("Sent again to %(count)d person.", "Sent again to %(count)d people.", "count"),
        warning=_("Okta sends a new email or text. Only the newest code works."),
        permission=RegistrationPermission.RESEND,
        is_available=_is_at_a_step,
        run=_resend,
        needs_state=True,
    ),
    AdminAction(
        name="repair",
        label=_("Send Okta's activation email"),
        confirm=ngettext_lazy("Send %(count)d activation email", "Send %(count)d activation emails", "count"),
        done=ngettext_lazy("%(count)d activation email sent.", "%(count)d activation emails sent.", "count"),
        warning=_("Okta emails a link. With it they choose a password at Okta, and can then sign in here."),
        permission=RegistrationPermission.REPAIR,
        is_available=_has_unfinished_account,
        is_offered=_can_change_accounts,
        run=_send_activation,
    ),
    AdminAction(
        name="expire",
        label=_("Expire now"),
        confirm=ngettext_lazy("Expire %(count)d sign-up", "Expire %(count)d sign-ups", "count"),
        done=ngettext_lazy("%(count)d sign-up expired.", "%(count)d sign-ups expired.", "count"),
        warning=_("They have to start again, with an empty form."),
        permission=RegistrationPermission.EXPIRE,
        is_available=lambda row: row.is_open,
        run=lambda attempt, _reason: endings.expire(attempt),
    ),
    AdminAction(
        name="cancel",
        label=_("Stop this sign-up"),
        confirm=ngettext_lazy("Stop %(count)d sign-up", "Stop %(count)d sign-ups", "count"),
        done=ngettext_lazy("%(count)d sign-up stopped.", "%(count)d sign-ups stopped.", "count"),
        warning=_("They can't continue this sign-up, and see that it was cancelled. They can start again."),
        permission=RegistrationPermission.CANCEL,
        is_available=lambda row: row.is_open,
        run=lambda attempt, _reason: endings.cancel(attempt),
        is_destructive=True,
        needs_state=True,
    ),
    AdminAction(
        name="remove-account",
        label=_("Delete the unfinished Okta account"),
        confirm=ngettext_lazy(
            "Delete %(count)d unfinished Okta account", "Delete %(count)d unfinished Okta accounts", "count"
        ),
        done=ngettext_lazy(
            "%(count)d unfinished Okta account deleted.", "%(count)d unfinished Okta accounts deleted.", "count"
        ),
        warning=_("The account is permanently deleted at Okta. Accounts that were ever active are left alone."),
        permission=RegistrationPermission.REMOVE_ACCOUNT,
        is_available=_has_unfinished_account,
        is_offered=_can_change_accounts,
        run=_remove_account,
        is_destructive=True,
    ),
    AdminAction(
        name="erase",
        label=_("Mark for erasure"),
        confirm=ngettext_lazy(
            "Mark %(count)d registration for erasure", "Mark %(count)d registrations for erasure", "count"
        ),
        done=ngettext_lazy(
            "%(count)d registration marked for erasure.", "%(count)d registrations marked for erasure.", "count"
        ),
        warning=_("The registration ends now if it is open, and the next purge erases it with all its events."),
        permission=RegistrationPermission.ERASE,
        is_available=lambda row: row.erase_asked_at is None,
        run=_erase,
        is_destructive=True,
    ),
)
ACTIONS_BY_NAME: Mapping[str, AdminAction] = {action.name: action for action in ACTIONS}
