"""The one clock: an aware datetime for columns, seconds since the epoch for what is kept as JSON."""

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return timezone.now()


def timestamp() -> float:
    """The present moment in seconds since the epoch."""
    return timezone.now().timestamp()


def timestamp_in(seconds: float) -> float:
    """The moment in so many seconds, since the epoch; 0.0 for no wait."""
    return timestamp() + seconds if seconds else 0.0


def seconds_until(moment: float) -> int:
    """Whole seconds from now until ``moment`` (since the epoch); never negative."""
    return max(0, round(moment - timestamp()))
