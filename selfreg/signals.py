"""Signals for the site's own code.

Each signal is sent once, after the change is committed. An exception in a receiver is logged and has no other effect.
Receivers get these keyword arguments:

- ``registration_started``: ``registration`` (the row), sent just before the first form goes to the org
- ``registration_completed``: ``registration`` and ``user`` (the Django user), in both workflows, even if an email
  link completed it later
- ``registration_failed``: ``registration`` and ``reason`` (a message key, Okta's or this app's)
- ``registration_expired``: ``registration``
- ``email_verified``: ``identity`` (an ``OktaIdentity``) and ``user``
"""

from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import Signal

__all__ = [
    "email_verified",
    "registration_completed",
    "registration_expired",
    "registration_failed",
    "registration_started",
]

registration_started = Signal()
registration_completed = Signal()
registration_failed = Signal()
registration_expired = Signal()
email_verified = Signal()


def announce(signal: Signal, sender: type, **arguments: Any) -> None:
    """Send a signal after the commit. Django logs the exceptions of receivers; none is raised here."""
    transaction.on_commit(partial(signal.send_robust, sender=sender, **arguments), robust=True)
