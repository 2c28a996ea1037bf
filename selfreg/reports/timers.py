"""The commands that a timer has to start again and again, and whether one does."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from selfreg.models import CommandRun, Registration

# If the last run of a command is older than this, probably no timer starts it any more.
STALE_AFTER: Mapping[str, timedelta] = {
    "selfreg_recover": timedelta(hours=1),
    "selfreg_purge": timedelta(days=1),
}


def stale() -> Iterator[tuple[str, str]]:
    """Yield the commands that nobody starts, each with when it last ended. A new site has time for the first run."""
    now, runs = timezone.now(), last_runs()
    oldest = Registration.objects.order_by("created_at").values_list("created_at", flat=True).first()
    for command, limit in STALE_AFTER.items():
        last = runs.get(command)
        if last is None:
            if oldest is not None and oldest < now - limit:
                yield command, "never ran"
        elif last < now.timestamp() - limit.total_seconds():
            yield command, f"last ran on {datetime.fromtimestamp(last, UTC):%Y-%m-%d %H:%M} UTC"


def last_runs() -> dict[str, float]:
    """Return when each command last ended, in seconds since the epoch."""
    ended = CommandRun.objects.filter(finished_at__isnull=False).values_list("command", "finished_at")
    return {command: at.timestamp() for command, at in ended if at is not None}
