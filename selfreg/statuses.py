"""The statuses of a registration, and one table with everything that depends on a status.

A new status needs a member of ``Status``, a row in ``STATUS_INFO``, an entry in the ``may_become`` of the statuses it
can follow, and a migration for the choices of ``Registration.status``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """The values of ``Registration.status``."""

    STARTED = "started", _("Started")
    ENROLLING = "enrolling", _("Setting up")
    FINISHING = "finishing", _("Signing in")
    AWAITING_EMAIL = "awaiting_email", _("Waiting for e-mail")
    READY = "ready", _("Ready to sign in")
    AWAITING_APPROVAL = "awaiting_approval", _("Waiting for approval")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("Expired")
    FAILED = "failed", _("Failed")


@dataclass(frozen=True, slots=True)
class StatusInfo:
    """What one status means, for the code, for the visitor and for administrators."""

    phase: Literal["open", "completed", "abandoned"]
    """The other two are final: ``sealed`` is empty then. (An expired registration may still be completed.)"""
    page: Literal["step", "done"]
    """The page that shows the registration: a URL name in the namespace ``selfreg``."""
    may_become: frozenset[Status]
    """The statuses that can follow; the status itself where it may be written again."""
    waits_for: Literal["visitor", "administrator", "nobody"]
    """Who has to act next."""
    way_on: Literal["sign in", "sign up", ""]
    """What the page at the end offers the visitor: to sign in, to sign up again, or nothing."""
    ending: str
    """Key in ``selfreg.texts.endings.ENDINGS``; empty where ``page`` is ``step``."""
    badge: str
    """CSS class of the badge in Django admin, without the prefix ``selfreg-``. It sets the colour."""
    sign: str
    """One character in the badge, for people who do not see its colour."""
    visitor_sees: str | Promise
    """For administrators: the page that the visitor sees. While there is a step, its fields are listed instead."""
    blocker: str | Promise = ""
    """For administrators: why the registration does not go on. Empty where that does not follow from the status."""


_STOPPED = frozenset({Status.CANCELLED, Status.EXPIRED, Status.FAILED})

STATUS_INFO: Mapping[Status, StatusInfo] = MappingProxyType(
    {
        Status.STARTED: StatusInfo(
            phase="open",
            page="step",
            # A profile that the org accepted makes the account. An org that asks for nothing more finishes at once.
            may_become=_STOPPED
            | {Status.STARTED, Status.ENROLLING, Status.FINISHING, Status.AWAITING_EMAIL, Status.READY},
            waits_for="visitor",
            way_on="sign in",
            ending="",
            badge="moving",
            sign="●",
            visitor_sees=_("A page that continues by itself."),
        ),
        Status.ENROLLING: StatusInfo(
            phase="open",
            page="step",
            may_become=_STOPPED | {Status.ENROLLING, Status.FINISHING, Status.AWAITING_EMAIL, Status.READY},
            waits_for="visitor",
            way_on="sign in",
            ending="",
            badge="moving",
            sign="●",
            visitor_sees=_("A page that continues by itself."),
        ),
        Status.FINISHING: StatusInfo(
            phase="open",
            page="step",
            may_become=_STOPPED
            | {Status.FINISHING, Status.AWAITING_EMAIL, Status.READY, Status.AWAITING_APPROVAL, Status.COMPLETED},
            waits_for="visitor",
            way_on="sign in",
            ending="",
            badge="moving",
            sign="●",
            visitor_sees=_("A page that continues by itself."),
        ),
        Status.AWAITING_EMAIL: StatusInfo(
            phase="open",
            page="done",
            # The org's link proves the address; then the same person arrives by OpenID Connect.
            may_become=_STOPPED | {Status.AWAITING_EMAIL, Status.AWAITING_APPROVAL, Status.COMPLETED},
            waits_for="visitor",
            way_on="sign in",
            ending="check-email",
            badge="waiting",
            sign="◷",
            visitor_sees=_("A page that says: open the link in the mail."),
            blocker=_("The link in Okta's mail was not opened yet, or the address is not proven yet."),
        ),
        Status.READY: StatusInfo(
            phase="open",
            page="done",
            # The org is done, but the interaction code is used or too old: signing in at the org completes it.
            may_become=_STOPPED | {Status.AWAITING_APPROVAL, Status.COMPLETED},
            waits_for="visitor",
            way_on="sign in",
            ending="account-ready",
            badge="waiting",
            sign="◷",
            visitor_sees=_("A page that says: your account is ready, sign in."),
            blocker=_("The account exists; the person has to sign in through Okta once."),
        ),
        Status.AWAITING_APPROVAL: StatusInfo(
            phase="open",
            page="done",
            may_become=_STOPPED | {Status.COMPLETED},
            waits_for="administrator",
            way_on="",
            ending="awaiting-approval",
            badge="asking",
            sign="?",
            visitor_sees=_("A page that says: your sign-up is being looked at."),
            blocker=_("An administrator has to approve or reject it."),
        ),
        Status.COMPLETED: StatusInfo(
            phase="completed",
            page="done",
            may_become=frozenset(),
            waits_for="nobody",
            way_on="sign in",
            ending="account-ready",
            badge="good",
            sign="✓",
            visitor_sees=_("The site, signed in."),
        ),
        Status.CANCELLED: StatusInfo(
            phase="abandoned",
            page="done",
            may_become=frozenset(),
            waits_for="nobody",
            way_on="sign up",
            ending="cancelled",
            badge="quiet",
            sign="–",
            visitor_sees=_("A page that says: the sign-up was cancelled. They can start again."),
            blocker=_("The person or an administrator cancelled it."),
        ),
        Status.EXPIRED: StatusInfo(
            phase="abandoned",
            page="done",
            # Abandoned here, but signed in through the org later: the same registration after all.
            may_become=frozenset({Status.AWAITING_APPROVAL, Status.COMPLETED}),
            waits_for="nobody",
            way_on="sign up",
            ending="expired",
            badge="quiet",
            sign="○",
            visitor_sees=_("A page that says: the sign-up took too long. They can start again."),
            blocker=_("The person did not go on in time."),
        ),
        Status.FAILED: StatusInfo(
            phase="abandoned",
            page="done",
            may_become=frozenset(),
            waits_for="nobody",
            way_on="sign up",
            ending="failed",
            badge="bad",
            sign="✕",
            visitor_sees=_("A page that says: the sign-up did not work."),
        ),
    }
)

OPEN = frozenset(status for status, info in STATUS_INFO.items() if info.phase == "open")
FINAL = frozenset(Status) - OPEN
ABANDONED = frozenset(status for status, info in STATUS_INFO.items() if info.phase == "abandoned")
ON_STEP_PAGE = frozenset(status for status, info in STATUS_INFO.items() if info.page == "step")
TRANSITIONS: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {status: info.may_become for status, info in STATUS_INFO.items()}
)
