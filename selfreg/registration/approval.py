"""The last word of an administrator: who is let in or not, and the mail that tells them."""

import logging
from smtplib import SMTPException

from django.core.exceptions import ImproperlyConfigured
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from selfreg.conf import conf
from selfreg.idx.document import Message
from selfreg.models import OktaIdentity, Registration
from selfreg.registration import endings
from selfreg.registration.exchange import Attempt

logger = logging.getLogger("selfreg")


class MailNotSent(Exception):
    """The decision stands; the person was not told."""


def approve(attempt: Attempt) -> None:
    """Lets the person in: signing in works from now on.

    :raises Conflict: somebody else decided
    :raises MailNotSent: see there
    """
    with transaction.atomic():
        endings.complete(attempt.row, attempt.row.user, attempt.row.okta_user_id, attempt.actor)
        _decide(attempt.row, OktaIdentity.Approval.GIVEN)
    _tell(attempt.row, "approved")


def reject(attempt: Attempt, reason: str) -> None:
    """Keeps the person out; the reason is kept, and told to them. Raises what ``approve`` raises."""
    with transaction.atomic():
        endings.fail(attempt, "selfreg.rejected", Message(reason))
        _decide(attempt.row, OktaIdentity.Approval.REFUSED)
    _tell(attempt.row, "rejected", reason)


def _decide(registration: Registration, approval: OktaIdentity.Approval) -> None:
    OktaIdentity.objects.filter(issuer=registration.issuer, subject=registration.okta_user_id).update(approval=approval)


def _tell(registration: Registration, decision: str, reason: str = "") -> None:
    if not registration.email:
        return
    context = {"site": conf().name, "url": conf().base_url, "reason": reason}
    with translation.override(registration.language or None):
        subject = " ".join(render_to_string(f"selfreg/mail/{decision}_subject.txt", context).split())
        body = render_to_string(f"selfreg/mail/{decision}.txt", context)
    try:
        send_mail(subject, body, None, [registration.email])
    except (OSError, SMTPException, ImproperlyConfigured) as error:  # the last: MAILERS has no usable default
        logger.warning("the mail about a decision was not sent: %s", type(error).__name__)
        raise MailNotSent from error
