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
    AWAITING_EMAIL = "awaiting_email", _("Waiting for email")
    READY = "ready", _("Ready to sign in")
    AWAITING_APPROVAL = "awaiting_approval", _("Waiting for approval")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("Expired")
    FAILED = "failed", _("Failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusInfo:
    """What a status means: for the code, for visitors and for administrators. The defaults fit a registration that is
    at a step.
    """

    phase: Literal["open", "completed", "abandoned"] = "open"
    """The other two are final: ``sealed`` is empty then. (An expired registration may still be completed.)"""
    page: Literal["step", "done"] = "done"
    """The page that shows the registration: a URL name in the namespace ``selfreg``."""
    may_become: frozenset[Status] = frozenset()
    """The statuses that can follow, including the status itself if it may be written again."""
    way_on: Literal["sign in", "sign up", ""] = "sign in"
    """What the page at the end offers the visitor: to sign in, to sign up again, or nothing."""
    ending: str = ""
    """Key in ``selfreg.texts.endings.ENDINGS``; empty where ``page`` is ``step``."""
    badge: str
    """CSS class of the badge in Django admin, without the prefix ``selfreg-``. It sets the colour."""
    sign: str
    """One character in the badge, for people who do not see its colour."""
    visitor_sees: str | Promise
    """For administrators: the page that the visitor sees. While there is a step, its fields are listed instead."""
    blocker: str | Promise = ""
    """For administrators: what holds the registration up. Empty if the status alone does not tell."""


def _under_way(*may_become: Status) -> StatusInfo:
    """Return the row of a status that has a page for the current step."""
    return StatusInfo(
        page="step",
        may_become=_STOPPED | set(may_become),
        badge="moving",
        sign="●",
        visitor_sees=_("A page that continues by itself."),
    )


_STOPPED = frozenset({Status.CANCELLED, Status.EXPIRED, Status.FAILED})
_DONE_AT_THE_ORG = (Status.FINISHING, Status.AWAITING_EMAIL, Status.READY)

STATUS_INFO: Mapping[Status, StatusInfo] = MappingProxyType(
    {
        # A profile that the org accepted makes the account. An org that asks for nothing more finishes at once.
        Status.STARTED: _under_way(Status.STARTED, Status.ENROLLING, *_DONE_AT_THE_ORG),
        Status.ENROLLING: _under_way(Status.ENROLLING, *_DONE_AT_THE_ORG),
        Status.FINISHING: _under_way(*_DONE_AT_THE_ORG, Status.AWAITING_APPROVAL, Status.COMPLETED),
        Status.AWAITING_EMAIL: StatusInfo(
            # The org's link proves the address; then the same person arrives by OpenID Connect.
            may_become=_STOPPED | {Status.AWAITING_EMAIL, Status.AWAITING_APPROVAL, Status.COMPLETED},
            ending="check-email",
            badge="waiting",
            sign="◷",
            visitor_sees=_("A page that says: open the link in the email."),
            blocker=_("The link in Okta's email hasn't been opened, or the address isn't verified yet."),
        ),
        Status.READY: StatusInfo(
            # The org is done, but the interaction code is used or too old: signing in at the org completes it.
            may_become=_STOPPED | {Status.AWAITING_APPROVAL, Status.COMPLETED},
            ending="account-ready",
            badge="waiting",
            sign="◷",
            visitor_sees=_("A page that says: your account is ready, sign in."),
            blocker=_("The account exists; the person has to sign in through Okta once."),
        ),
        Status.AWAITING_APPROVAL: StatusInfo(
            may_become=_STOPPED | {Status.COMPLETED},
            way_on="",
            ending="awaiting-approval",
            badge="asking",
            sign="?",
            visitor_sees=_("A page that says: your sign-up is being reviewed."),
            blocker=_("An administrator has to approve or reject it."),
        ),
        Status.COMPLETED: StatusInfo(
            phase="completed", ending="account-ready", badge="good", sign="✓", visitor_sees=_("The site, signed in.")
        ),
        Status.CANCELLED: StatusInfo(
            phase="abandoned",
            way_on="sign up",
            ending="cancelled",
            badge="quiet",
            sign="–",
            visitor_sees=_("A page that says: the sign-up was cancelled. They can start again."),
            blocker=_("The person or an administrator cancelled it."),
        ),
        Status.EXPIRED: StatusInfo(
            phase="abandoned",
            # Abandoned here, but signed in through the org later: the same registration after all.
            may_become=frozenset({Status.AWAITING_APPROVAL, Status.COMPLETED}),
            way_on="sign up",
            ending="expired",
            badge="quiet",
            sign="○",
            visitor_sees=_("A page that says: your session timed out. They can start again."),
            blocker=_("The person didn't continue in time."),
        ),
        Status.FAILED: StatusInfo(
            phase="abandoned",
            way_on="sign up",
            ending="failed",
            badge="bad",
            sign="✕",
            visitor_sees=_("A page that says: we couldn't finish your sign-up."),
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
