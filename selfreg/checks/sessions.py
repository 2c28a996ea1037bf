"""Checks of what ends the logins of users."""

from django.core.checks import Tags

from selfreg.checks.base import Check, positions, register_table, when
from selfreg.conf import Conf

IDLE = "selfreg.middleware.IdleSessionMiddleware"


def _lets_idle_logins_last(settings: Conf) -> bool:
    """Return whether nothing applies ``SESSION_IDLE_SECONDS``."""
    return settings.session_idle_seconds > 0 and not positions(IDLE)


SESSIONS = (
    Check("W038", when(_lets_idle_logins_last),
          f"MIDDLEWARE has no {IDLE!r}: logins that nobody uses do not end after SELFREG['SESSION_IDLE_SECONDS'].",
          "Add it after AuthenticationMiddleware, or set SESSION_IDLE_SECONDS to 0."),
)  # fmt: skip
check_sessions = register_table(SESSIONS, Tags.security)
