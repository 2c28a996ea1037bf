"""What a registration says that is at no step any more: it ended, or waits for something outside these pages."""

from collections.abc import Mapping
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from selfreg.idx.document import Message
from selfreg.models import Registration
from selfreg.statuses import STATUS_INFO, Status
from selfreg.texts.messages import say

# ``StatusInfo.ending`` -> heading, and what follows; "" where the registration's own reason says that.
ENDINGS: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "account-ready": (_("Your account is ready"), _("Sign in to go on.")),
    "check-email": (_("Check your e-mail"), ""),
    "awaiting-approval": (
        _("Your sign-up is being looked at"),
        _("Everything is there. We send you a mail once you can sign in."),
    ),
    "cancelled": (_("Sign-up cancelled"), _("Nothing more will happen.")),
    "expired": (
        _("This took too long"),
        _("For your safety the sign-up was stopped. What you typed on the first page is kept."),
    ),
    "failed": (_("The sign-up could not be finished"), ""),
}

# The org is done, and one more request signs the visitor in.
ALMOST_THERE = (_("Almost there"), _("Your account is set up. One press signs you in."))


class Ending(NamedTuple):
    """How a registration ended, or what it waits for.

    ``lead`` is what follows from it, "" where ``reasons`` say that. ``reasons`` are sentences: an administrator's or
    the org's own if there are any, else ours.
    """

    heading: str
    lead: str
    reasons: list[str]


def ending(registration: Registration) -> Ending:
    """Returns the words for a registration whose status is shown on the page at the end.

    :raises KeyError: the status is one of a step (``statuses.ON_STEP_PAGE``)
    """
    heading, lead = ENDINGS[STATUS_INFO[Status(registration.status)].ending]
    ours = [] if lead else [say(Message("", registration.failure or registration.step))]
    return Ending(str(heading), str(lead), registration.failure_text.splitlines() or ours)
