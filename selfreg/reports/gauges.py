"""Numbers of the database for monitoring: the same for all servers, and never older than half a minute."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from selfreg import cache
from selfreg.conf import orgs
from selfreg.models import Registration
from selfreg.monitoring.metrics import Gauge
from selfreg.reports.timers import last_runs
from selfreg.statuses import OPEN

SECONDS = 15


def gauges() -> list[Gauge]:
    """Return the gauges."""
    counted: Mapping[str, Any] | None = cache.get("selfreg:gauges")
    if counted is None:
        counted = _count()
        cache.keep("selfreg:gauges", counted, SECONDS)
    return [
        Gauge("open_registrations", "Registrations under way, by status", "status", counted["open"]),
        Gauge(
            "doubtful_registrations",
            "Registrations whose last call has an unknown result",
            "",
            counted["doubtful"],
        ),
        Gauge("last_run_timestamp_seconds", "When a command last ended", "command", counted["runs"]),
    ]


def _count() -> dict[str, dict[str, float]]:
    rows = reduce(or_, map(Registration.objects.under_way, orgs().values()))
    statuses = dict(rows.order_by().values_list("status").annotate(Count("pk")))
    doubtful = Registration.objects.open().filter(Q(busy_until__lt=timezone.now()) | Q(unsure=True)).count()
    return {
        "open": {status: statuses.get(status, 0) for status in OPEN},
        "doubtful": {"": doubtful},
        "runs": last_runs(),
    }
