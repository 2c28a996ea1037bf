"""Counts of the registrations that started in a period: how far they came, where, and how long it took.

A registration is counted either from its events, or in a ``TalliedHour`` once it is completed or about to be erased.
Erased registrations therefore stay counted. The numbers hold no personal data.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connections, router, transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncHour

from selfreg.models import Registration, RegistrationEvent, TalliedHour
from selfreg.statuses import Status

Kind = RegistrationEvent.Kind
Split = tuple[str, str, str]
"""Language, workflow and policy version."""
Click = tuple[str, str, str]
"""Kind of event, step and outcome."""
IS_PASSED = Q(kind__in=(Kind.ANSWERED, Kind.SKIPPED), outcome="ok")
IS_CLICK = Q(kind__in=(Kind.RESENT, Kind.TROUBLE)) | Q(kind=Kind.ANSWERED) & ~Q(outcome="ok")

# The time of a step begins when the step before was passed, that of the first step when the registration started. If a
# step was passed more than once (the choice of a method), it counts once, with the sum of the times.
# Django's ORM cannot aggregate over window functions, so it only makes the query of the rows, ``passed``.
STEP_TIMES = """
WITH passed (registration_id, created_at, step, at, id) AS ({passed}),
timed AS (
    SELECT registration_id, created_at, step, at,
        LAG(at, 1, created_at) OVER person AS since,
        ROW_NUMBER() OVER person + 1 AS place
    FROM passed WINDOW person AS (PARTITION BY registration_id ORDER BY at, id)
),
person AS (
    SELECT MIN({hour}) AS hour, step, MIN(place) AS place, CAST(ROUND(SUM({tenths})) AS bigint) AS tenths
    FROM timed GROUP BY registration_id, step
)
SELECT hour, step, tenths, COUNT(*), SUM(place) FROM person GROUP BY hour, step, tenths
"""
# Hours from the epoch to ``created_at``, and tenths of a second from ``since`` to ``at``, for each database.
FRAGMENTS = {
    "postgresql": {
        "hour": "CAST(FLOOR(EXTRACT(EPOCH FROM created_at) / 3600) AS bigint)",
        "tenths": "CAST(EXTRACT(EPOCH FROM at - since) * 10 AS double precision)",
    },
    "sqlite": {
        "hour": "CAST(strftime('%%s', created_at) AS integer) / 3600",
        "tenths": "(julianday(at) - julianday(since)) * 864000.0",
    },
}


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of people (``seconds``, ``started``, ``completed``) and of clicks (``clicks``).

    ``seconds`` is step -> how long it took -> how many people, to the tenth below ten seconds and to the second above.
    ``places`` is step -> the sum of the places at which people passed it, where starting is everybody's first place.
    ``started`` and ``completed`` are by language, workflow and policy version; ``clicks`` by kind of event, step and
    outcome.
    """

    seconds: dict[str, Counter[float]] = field(default_factory=dict)
    places: Counter[str] = field(default_factory=Counter)
    clicks: Counter[Click] = field(default_factory=Counter)
    started: Counter[Split] = field(default_factory=Counter)
    completed: Counter[Split] = field(default_factory=Counter)

    def add_passed(self, step: str, seconds: float, people: int, places: int) -> None:
        """Counts people who passed a step in the same time; ``places`` is the sum of their places."""
        self.seconds.setdefault(step, Counter())[seconds if seconds < 10 else float(round(seconds))] += people
        self.places[step] += places

    def add(self, other: "Tally") -> None:
        """Counts the other tally's people too."""
        for step, times in other.seconds.items():
            self.seconds.setdefault(step, Counter()).update(times)
        self.places.update(other.places)
        self.clicks.update(other.clicks)
        self.started.update(other.started)
        self.completed.update(other.completed)

    def as_json(self) -> dict[str, Any]:
        """Returns lists and objects for ``TalliedHour.numbers``; see ``from_json``."""
        return {
            "steps": {step: [self.places[step], sorted(times.items())] for step, times in self.seconds.items()},
            "clicks": [[*click, count] for click, count in self.clicks.items()],
            "splits": [[*split, count, self.completed[split]] for split, count in self.started.items()],
        }

    @classmethod
    def from_json(cls, numbers: Mapping[str, Any]) -> "Tally":
        """Reads what ``as_json`` returned. An empty object is an empty tally.

        :param numbers: ``steps`` is step -> [places, [[seconds, people], ...]], ``clicks`` a list of [kind, step,
            outcome, count], ``splits`` a list of [language, workflow, policy version, started, completed]
        """
        steps = numbers.get("steps", {})
        splits = [(tuple(names), started, completed) for *names, started, completed in numbers.get("splits", ())]
        return cls(
            seconds={step: Counter(dict(times)) for step, (_, times) in steps.items()},
            places=Counter({step: places for step, (places, _) in steps.items()}),
            clicks=Counter({tuple(click): count for *click, count in numbers.get("clicks", ())}),
            started=Counter({split: count for split, count, _ in splits}),
            completed=Counter({split: count for split, _, count in splits}),
        )


def tally_of(start: datetime, end: datetime) -> Tally:
    """Returns the counts, up to now, of everybody who started from ``start`` up to but not including ``end``.

    :param start: an aware datetime at a full hour, and so is ``end``
    """
    total = Tally()
    with _consistent_snapshot():
        registrations = Registration.objects.filter(created_at__gte=start, created_at__lt=end, tallied=False)
        events = RegistrationEvent.objects.filter(
            registration__created_at__gte=start,
            registration__created_at__lt=end,
            registration__tallied=False,
            at__gte=start,  # lets PostgreSQL use the index on kind and at
        )
        for tally in _tallies(registrations, events).values():
            total.add(tally)
        for numbers in TalliedHour.objects.filter(hour__gte=start, hour__lt=end).values_list("numbers", flat=True):
            total.add(Tally.from_json(numbers))
    return total


def tally_for_good(ids: Iterable[uuid.UUID]) -> None:
    """Moves registrations into the tallies of their hours; their events are not needed for the reports any more.

    Registrations that are tallied already are left out. Call it in the transaction that holds the rows' locks, so that
    nobody is counted twice, or not at all.
    """
    registrations = Registration.objects.filter(pk__in=list(ids), tallied=False)
    untallied = list(registrations.values_list("pk", flat=True))
    if not untallied:
        return
    hours = _tallies(registrations, RegistrationEvent.objects.filter(registration__in=untallied))
    with transaction.atomic():
        TalliedHour.objects.bulk_create([TalliedHour(hour=hour) for hour in hours], ignore_conflicts=True)
        # In order, so that two who add to the same hours wait for each other and do not deadlock.
        for row in TalliedHour.objects.select_for_update().filter(hour__in=hours).order_by("hour"):
            total = Tally.from_json(row.numbers)
            total.add(hours[row.hour])
            row.numbers = total.as_json()
            row.save(update_fields=["numbers"])
        registrations.update(tallied=True)


@contextmanager
def _consistent_snapshot() -> Iterator[None]:
    """Makes the reads inside see one snapshot of the database, since a purge may move registrations between the tables.

    In SQLite every transaction does. PostgreSQL needs an isolation level, set before the first statement.
    """
    connection = connections[router.db_for_read(RegistrationEvent)]
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(using=connection.alias):
        if is_outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _tallies(registrations: QuerySet[Registration], events: QuerySet[RegistrationEvent]) -> Mapping[datetime, Tally]:
    """Returns the tallies by the full hour (UTC) in which people started.

    Three queries, whatever the number of registrations; call it in a transaction.

    :param events: all events of the registrations
    """
    connection = connections[events.db]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Compiling these statements takes longer than running them, and their sorts fit into memory.
            cursor.execute("SET LOCAL jit = off; SET LOCAL work_mem = '128MB'")
    tallies: defaultdict[datetime, Tally] = defaultdict(Tally)
    splits = (
        registrations.order_by()
        .values_list(TruncHour("created_at", tzinfo=UTC), "language", "workflow", "policy")
        .annotate(started=Count("pk"), completed=Count("pk", filter=Q(status=Status.COMPLETED)))
    )
    for hour, language, workflow, policy, started, completed in splits:
        tallies[hour].started[language, workflow, policy] += started
        tallies[hour].completed[language, workflow, policy] += completed
    clicks = (
        events.filter(IS_CLICK)
        .order_by()
        .values_list(TruncHour("registration__created_at", tzinfo=UTC), "kind", "step", "outcome")
        .annotate(count=Count("pk"))
    )
    for hour, kind, step, outcome, count in clicks:
        tallies[hour].clicks[kind, step, outcome] += count
    for hour, step, seconds, people, places in _step_times(events):
        tallies[hour].add_passed(step, seconds, people, places)
    return tallies


def _step_times(events: QuerySet[RegistrationEvent]) -> Iterator[tuple[datetime, str, float, int, int]]:
    """Yields the hour of the start, a step, seconds, how many people took so long, and the sum of their places."""
    columns = ("registration_id", "registration__created_at", "step", "at", "pk")
    passed, parameters = events.filter(IS_PASSED).order_by().values_list(*columns).query.sql_with_params()
    connection = connections[events.db]
    with connection.cursor() as cursor:
        cursor.execute(STEP_TIMES.format(passed=passed, **FRAGMENTS[connection.vendor]), parameters)
        for hour, step, tenths, people, places in cursor.fetchall():
            yield datetime.fromtimestamp(hour * 3600, UTC), step, tenths / 10, people, int(places)


def start_of_hour(moment: datetime) -> datetime:
    """Returns the full hour in UTC: a time zone with a half-hour offset does not change it."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
