"""Texts for registrations that are at no step: they ended, or wait for something outside the sign-up pages."""

from collections.abc import Mapping
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from selfreg.idx.document import Message
from selfreg.models import Registration
from selfreg.statuses import STATUS_INFO, Status
from selfreg.texts.messages import MESSAGES, say

# ``StatusInfo.ending`` -> heading and text. The text is "" if the registration's own reason replaces it.
ENDINGS: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "account-ready": (_("Your account is ready"), _("Sign in to continue.")),
    "check-email": (_("Check your email"), ""),
    "awaiting-approval": (
        _("Your sign-up is being reviewed"),
        _("We have everything we need. We'll email you when you can sign in."),
    ),
    "cancelled": (_("Sign-up cancelled"), _("Your account wasn't completed. You can start again at any time.")),
    "expired": (_("Your session timed out"), _("To keep you safe, we ended this sign-up.")),
    "failed": (_("We couldn't finish your sign-up"), ""),
}


class Ending(NamedTuple):
    """The texts for a registration that ended, or waits for something.

    ``lead`` tells the visitor what to do; it is "" if ``reasons`` do. ``reasons`` are sentences of an administrator, of
    the org, or of this app.
    """

    heading: str
    lead: str
    reasons: list[str]


def ending(registration: Registration) -> Ending:
    """Return the texts for a registration that is shown on the page at the end.

    :raises KeyError: the registration is at a step (``statuses.ON_STEP_PAGE``)
    """
    heading, lead = ENDINGS[STATUS_INFO[Status(registration.status)].ending]
    told = [Message("" if line in MESSAGES else line, line) for line in registration.failure_text.splitlines()]
    ours = [] if lead else [Message("", registration.failure or registration.step)]
    return Ending(str(heading), str(lead), [say(message) for message in told or ours])
