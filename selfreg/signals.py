"""Announcements for the site. Nothing here depends on anybody listening, and a receiver that fails fails alone.

Every signal is sent after the commit that made it true, and once. Receivers get ``registration`` (the row), and

- ``registration_started``: a first form was accepted for sending
- ``registration_completed``: ``user``, the Django user; in both workflows, also when the e-mail link finished it later
- ``registration_failed``: ``reason``, the org's i18n key or ours
- ``registration_expired``
- ``email_verified``: instead of a registration ``identity`` (an ``OktaIdentity``) and ``user``
"""

from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import Signal

registration_started = Signal()
registration_completed = Signal()
registration_failed = Signal()
registration_expired = Signal()
email_verified = Signal()


def announce(signal: Signal, sender: type, **about: Any) -> None:
    """Sends after the commit; receivers' exceptions are logged by Django, never raised into a sign-up."""
    transaction.on_commit(partial(signal.send_robust, sender=sender, **about), robust=True)
