"""What is going on now: the last 24 hours beside the day before, who needs attention, and how calls to Okta go."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from selfreg.conf import orgs, settings_for
from selfreg.models import RegistrationEvent, TalliedHour, belongs_to
from selfreg.reports.attention import MAX_COUNTED, capped_counts, stuck
from selfreg.reports.counts import Tally, by_org, start_of_last_day
from selfreg.statuses import Status

MAX_STARTED = 10_000
"""Counting the people of a day stops here."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Day:
    """How many people started on a day, and how many of them have completed it. At most ``MAX_STARTED`` + 1."""

    started: int
    completed: int


@dataclass(frozen=True, slots=True)
class Overview:
    """``stuck`` to ``failed`` are capped, see ``capped_counts``; ``failed`` are those of the last day.

    ``failed_calls`` are calls to Okta of the last hour that failed.
    """

    today: Day
    day_before: Day
    stuck: int
    awaiting_email: int
    awaiting_approval: int
    failed: int
    failed_calls: int


def overview() -> Overview:
    """Count what is in the database; four queries."""
    now = timezone.now()
    today = start_of_last_day(now)
    before = today - DAY
    periods = {"today": _between(today, now + HOUR), "before": _between(before, today)}
    counts = capped_counts(
        {
            **{f"{name} started": period for name, period in periods.items()},
            **{f"{name} completed": period & Q(status=Status.COMPLETED) for name, period in periods.items()},
        },
        MAX_STARTED,
    )
    groups = capped_counts(
        {
            "stuck": stuck(now),
            "awaiting_email": Q(status=Status.AWAITING_EMAIL),
            "awaiting_approval": Q(status=Status.AWAITING_APPROVAL),
            "failed": Q(status=Status.FAILED, created_at__gte=today),
        }
    )
    tallied = list(_tallied(before))
    return Overview(
        today=_day(counts, "today", [tally for hour, _org, tally in tallied if hour >= today]),
        day_before=_day(counts, "before", [tally for hour, _org, tally in tallied if hour < today]),
        failed_calls=_failed_calls(Q()),
        **groups,
    )


def _between(start: datetime, end: datetime) -> Q:
    """Return registrations that are not in a ``TalliedHour``."""
    return Q(created_at__gte=start, created_at__lt=end, tallied=False)


def today_by_org() -> dict[str, Day]:
    """Return the last 24 hours of each org by its name; two queries."""
    now = timezone.now()
    today = start_of_last_day(now)
    people = {name: _between(today, now + HOUR) & belongs_to(settings) for name, settings in orgs().items()}
    counts = capped_counts(
        {
            **{f"{name} started": q for name, q in people.items()},
            **{f"{name} completed": q & Q(status=Status.COMPLETED) for name, q in people.items()},
        },
        MAX_STARTED,
    )
    tallies: dict[str, list[Tally]] = {name: [] for name in people}
    for _hour, org, tally in _tallied(today):
        tallies[settings_for(org).org].append(tally)
    return {name: _day(counts, name, tallies[name]) for name in people}


def stuck_by_org() -> Mapping[str, int]:
    """Return how many people are stuck at each org, capped; one query."""
    now = timezone.now()
    return capped_counts({name: belongs_to(settings) & stuck(now) for name, settings in orgs().items()})


def failed_calls_by_org() -> Mapping[str, int]:
    """Return how many calls to each org failed in the last hour, capped; one query for each."""
    return {name: _failed_calls(belongs_to(settings, "registration__")) for name, settings in orgs().items()}


def _failed_calls(condition: Q) -> int:
    troubles = RegistrationEvent.objects.filter(kind=RegistrationEvent.Kind.TROUBLE, at__gte=timezone.now() - HOUR)
    return troubles.filter(condition).exclude(outcome="unsupported").order_by()[: MAX_COUNTED + 1].count()


def _tallied(start: datetime) -> Iterator[tuple[datetime, str, Tally]]:
    for hour, numbers in TalliedHour.objects.filter(hour__gte=start).values_list("hour", "numbers"):
        for org, tally in by_org(numbers):
            yield hour, org, tally


def _day(counts: Mapping[str, int], name: str, tallies: list[Tally]) -> Day:
    started = counts[f"{name} started"] + sum(tally.started.total() for tally in tallies)
    completed = counts[f"{name} completed"] + sum(tally.completed.total() for tally in tallies)
    return Day(min(started, MAX_STARTED + 1), min(completed, MAX_STARTED + 1))
