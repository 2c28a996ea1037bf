"""Which registrations need attention, and how many there are, at a cost that does not grow with the table."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connections, router
from django.db.models import Q, QuerySet
from django.utils import timezone

from selfreg.models import Registration
from selfreg.statuses import ON_STEP_PAGE, OPEN, Status

IDLE_AFTER = timedelta(minutes=15)
MAX_COUNTED = 1_000
"""Counting stops here: a larger number would tell nobody what to do, and counting a large table takes long."""


def stuck(now: datetime) -> Q:
    """Return the condition for people who are at a step of the sign-up and do not get on: see ``is_stuck``."""
    return Q(status__in=sorted(ON_STEP_PAGE)) & (Q(updated_at__lt=now - IDLE_AFTER) | Q(expires_at__lt=now))


def is_stuck(registration: Registration, now: datetime) -> bool:
    """Return whether a registration is at a step, and ran out of time or has been idle for ``IDLE_AFTER``."""
    is_idle = registration.updated_at < now - IDLE_AFTER
    return registration.status in ON_STEP_PAGE and (is_idle or has_run_out(registration, now))


def has_run_out(registration: Registration, now: datetime) -> bool:
    """Return whether a registration is at a step of the org's whose transaction is over."""
    expires_at = registration.expires_at
    return registration.status in ON_STEP_PAGE and expires_at is not None and expires_at < now


def in_status(name: str) -> Q | None:
    """Return the condition for a status, or for one of the groups "open" and "stuck"; None for any other name."""
    if name == "open":
        return Q(status__in=sorted(OPEN))
    if name == "stuck":
        return stuck(timezone.now())
    return Q(status=name) if name in Status.values else None


def capped_counts(conditions: Mapping[str, Q], most: int | None = None) -> Mapping[str, int]:
    """Count the registrations of each condition, each up to ``most`` (``MAX_COUNTED``) + 1, in one statement."""
    limit = (MAX_COUNTED if most is None else most) + 1
    # In the order of an index: without one PostgreSQL may read the table from its start until it has enough.
    rows: list[QuerySet[Registration, datetime]] = [
        Registration.objects.filter(condition).order_by("created_at", "id").values_list("created_at", flat=True)[:limit]
        for condition in conditions.values()
    ]
    alias, parts, parameters = router.db_for_read(Registration), list[str](), list[Any]()
    for number, queryset in enumerate(rows):
        statement, values = queryset.query.get_compiler(alias).as_sql()
        parts.append(f"(SELECT COUNT(*) FROM ({statement}) AS counted{number})")  # noqa: S608  (Django's own)
        parameters.extend(values)
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", parameters)
        return dict(zip(conditions, cursor.fetchone(), strict=True))
