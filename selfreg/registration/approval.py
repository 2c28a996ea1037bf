"""Approving and rejecting new users, and the mail that tells them."""

import logging

from django.core.mail import send_mail
from django.db import router, transaction
from django.template.loader import render_to_string
from django.utils import translation

from selfreg.idx.document import Message
from selfreg.models import OktaIdentity, Registration
from selfreg.registration import endings
from selfreg.registration.exchange import Attempt

logger = logging.getLogger("selfreg")

REJECTED = "selfreg.rejected"
"""The failure of a registration whose user an administrator rejected."""


class MailNotSent(Exception):
    """The decision was saved, but the mail about it could not be sent."""


def approve(attempt: Attempt) -> None:
    """Complete the registration, so that the user can log in from now on, and mail them.

    :raises Conflict: another administrator decided first
    :raises MailNotSent: the decision was saved, but the mail could not be sent
    """
    with transaction.atomic(using=router.db_for_write(Registration)):
        endings.complete(attempt.row, attempt.row.user, attempt.row.okta_user_id, attempt.actor)
        _decide(attempt.row, OktaIdentity.Approval.GRANTED)
    _send_mail(attempt.row, "approved")


def reject(attempt: Attempt, reason: str) -> None:
    """End the registration as failed, and mail the reason to the user. The reason is stored, too.

    :raises Conflict: another administrator decided first
    :raises MailNotSent: the decision was saved, but the mail could not be sent
    """
    with transaction.atomic(using=router.db_for_write(Registration)):
        endings.fail(attempt, REJECTED, Message(reason))
        _decide(attempt.row, OktaIdentity.Approval.REFUSED)
    _send_mail(attempt.row, "rejected", reason)


def _decide(registration: Registration, approval: OktaIdentity.Approval) -> None:
    OktaIdentity.objects.filter(issuer=registration.issuer, subject=registration.okta_user_id).update(approval=approval)


def _send_mail(registration: Registration, decision: str, reason: str = "") -> None:
    if not registration.email:
        return
    settings = registration.settings
    context = {"site": settings.name, "url": settings.base_url, "reason": reason}
    with translation.override(registration.language or None):
        subject = " ".join(render_to_string(f"selfreg/mail/{decision}_subject.txt", context).split())
        body = render_to_string(f"selfreg/mail/{decision}.txt", context)
    try:
        send_mail(subject, body, None, [registration.email])
    except Exception as error:
        logger.warning("The mail about an approval or rejection could not be sent: %s", type(error).__name__)
        raise MailNotSent from error
