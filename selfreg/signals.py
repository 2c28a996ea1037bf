"""Signals for the site's own code.

Each is sent once, after the commit of what it reports. An exception in a receiver is logged and changes nothing else.
Receivers get these keyword arguments:

- ``registration_started``: ``registration`` (the row), created just before the first form goes to the org
- ``registration_completed``: ``registration`` and ``user`` (the Django user), in both workflows, also when an e-mail
  link completed it later
- ``registration_failed``: ``registration`` and ``reason`` (a message key, Okta's or this app's)
- ``registration_expired``: ``registration``
- ``email_verified``: ``identity`` (an ``OktaIdentity``) and ``user``
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


def announce(signal: Signal, sender: type, **arguments: Any) -> None:
    """Sends a signal after the commit. Django logs the exceptions of receivers; none is raised here."""
    transaction.on_commit(partial(signal.send_robust, sender=sender, **arguments), robust=True)
