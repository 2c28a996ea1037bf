"""What became of the people who started in a period, counted. Whoever's rows are erased stays counted.

A registration is counted in one of two places: from its events while these are kept, in a ``TalliedHour`` from the
moment they are about to be erased, or once it is completed. Numbers only: a tally names nobody.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connections, router, transaction

from selfreg.models import Registration, RegistrationEvent, TalliedHour

Split = tuple[str, str, str]
Click = tuple[str, str, str]

# What the databases have no one way to say: the tenths of a second between two moments, and the hour of one.
TENTHS = {
    "postgresql": "CAST(EXTRACT(EPOCH FROM at - since) * 10 AS double precision)",
    "sqlite": "(julianday(at) - julianday(since)) * 864000.0",
    "mysql": "TIMESTAMPDIFF(MICROSECOND, since, at) / 1e5",
}
HOUR = {
    "postgresql": "to_char(started AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')",
    "sqlite": "strftime('%%Y-%%m-%%d %%H', started)",
    "mysql": "DATE_FORMAT(started, '%%Y-%%m-%%d %%H')",
}

COHORT = """
WITH {among} cohort AS (
    SELECT e.registration_id, MIN(e.at) AS started
    FROM {event} e JOIN {registration} r ON r.id = e.registration_id
    WHERE e.kind = 'started' AND {who} AND NOT r.tallied
    GROUP BY e.registration_id
)"""
# A step is passed by an accepted answer or by skipping; its time runs from what was passed before. Who passes a step
# more than once (the choice of a method) is one person with the sum of the times.
PASSED = f"""{COHORT}, progress AS (
    SELECT e.registration_id, started, e.kind, e.step, e.at,
        LAG(e.at) OVER (PARTITION BY e.registration_id ORDER BY e.at, e.id) AS since,
        ROW_NUMBER() OVER (PARTITION BY e.registration_id ORDER BY e.at, e.id) AS place
    FROM {{event}} e JOIN cohort ON cohort.registration_id = e.registration_id
    WHERE {{late}} AND (e.kind = 'started' OR (e.kind IN ('answered', 'skipped') AND e.outcome = 'ok'))
), person AS (
    SELECT MIN(started) AS started, step, MIN(place) AS place, CAST(ROUND(SUM({{tenths}})) AS bigint) AS tenths
    FROM progress WHERE kind <> 'started' GROUP BY registration_id, step
)
SELECT {{hour}}, step, tenths, COUNT(*), SUM(place) FROM person GROUP BY 1, 2, 3
"""  # noqa: S608  (nothing but the text above)
NOTED = f"""{COHORT}
SELECT {{hour}}, e.kind, e.step, e.outcome, COUNT(*)
FROM {{event}} e JOIN cohort ON cohort.registration_id = e.registration_id
WHERE {{late}} AND (e.kind IN ('resent', 'trouble') OR (e.kind = 'answered' AND e.outcome <> 'ok'))
GROUP BY 1, 2, 3, 4
"""  # noqa: S608
CAME = f"""{COHORT}, done AS (
    SELECT DISTINCT e.registration_id FROM {{event}} e JOIN cohort ON cohort.registration_id = e.registration_id
    WHERE {{late}} AND e.kind = 'completed'
)
SELECT {{hour}}, r.language, r.workflow, r.policy, COUNT(*), COUNT(done.registration_id)
FROM cohort JOIN {{registration}} r ON r.id = cohort.registration_id
LEFT JOIN done ON done.registration_id = cohort.registration_id
GROUP BY 1, 2, 3, 4
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of people (``seconds``, ``started``, ``completed``) and of clicks (``clicks``).

    ``seconds`` is step -> how long it took -> how many people, to the tenth below ten seconds and to the second above.
    ``places`` is step -> the sum of the places at which people passed it. ``started`` and ``completed`` are by
    language, workflow and policy version; ``clicks`` by kind of event, step and outcome.
    """

    seconds: dict[str, Counter[float]] = field(default_factory=dict)
    places: Counter[str] = field(default_factory=Counter)
    clicks: Counter[Click] = field(default_factory=Counter)
    started: Counter[Split] = field(default_factory=Counter)
    completed: Counter[Split] = field(default_factory=Counter)

    def passed(self, step: str, seconds: float, people: int, places: int) -> None:
        """Adds people who passed a step in the same time."""
        self.seconds.setdefault(step, Counter())[seconds if seconds < 10 else float(round(seconds))] += people
        self.places[step] += places

    def add(self, other: "Tally") -> None:
        """Counts the other's people too."""
        for step, times in other.seconds.items():
            self.seconds.setdefault(step, Counter()).update(times)
        for name in ("places", "clicks", "started", "completed"):
            getattr(self, name).update(getattr(other, name))

    def as_json(self) -> dict[str, Any]:
        """Plain lists and objects, for ``TalliedHour.numbers``."""
        return {
            "steps": {step: [self.places[step], sorted(times.items())] for step, times in self.seconds.items()},
            "clicks": [[*click, count] for click, count in self.clicks.items()],
            "splits": [[*split, count, self.completed[split]] for split, count in self.started.items()],
        }

    @classmethod
    def from_json(cls, numbers: Mapping[str, Any]) -> "Tally":
        """What ``as_json`` wrote; an empty object is an empty tally."""
        steps = numbers.get("steps", {})
        splits = [(tuple(names), started, completed) for *names, started, completed in numbers.get("splits", ())]
        return cls(
            seconds={step: Counter(dict(times)) for step, (_, times) in steps.items()},
            places=Counter({step: places for step, (places, _) in steps.items()}),
            clicks=Counter({tuple(click): count for *click, count in numbers.get("clicks", ())}),
            started=Counter({split: count for split, count, _ in splits}),
            completed=Counter({split: count for split, _, count in splits}),
        )


def people_of(start: datetime, end: datetime) -> Tally:
    """Everybody who started from ``start`` up to but not including ``end``, as far as they have come by now.

    :param start: a full hour, and so is ``end``; both aware
    """
    total = Tally()
    with _one_moment():
        for tally in _counted("e.at >= %s AND e.at < %s", [start, end], since=start).values():
            total.add(tally)
        for numbers in TalliedHour.objects.filter(hour__gte=start, hour__lt=end).values_list("numbers", flat=True):
            total.add(Tally.from_json(numbers))
    return total


def keep(registrations: Iterable[uuid.UUID]) -> None:
    """Counts these registrations for good, the ones that are not yet; their events are not needed any more.

    To be called in the transaction that holds the rows' locks: nobody is counted twice, or not at all.
    """
    ids = list(registrations)
    if not ids:
        return
    counted = _counted("1 = 1", ids, among=len(ids), by_hour=True)
    hours = {datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC): tally for hour, tally in counted.items()}
    with transaction.atomic():
        TalliedHour.objects.bulk_create([TalliedHour(hour=hour) for hour in hours], ignore_conflicts=True)
        # In order, so that two who add to the same hours wait for each other and do not deadlock.
        for row in TalliedHour.objects.select_for_update().filter(hour__in=hours).order_by("hour"):
            total = Tally.from_json(row.numbers)
            total.add(hours[row.hour])
            row.numbers = total.as_json()
            row.save(update_fields=["numbers"])
        Registration.objects.filter(pk__in=ids).update(tallied=True)


@contextmanager
def _one_moment() -> Iterator[None]:
    """All that is read inside is of one moment: a purge meanwhile takes people from one place of counting to the other.

    MySQL and SQLite read so in any transaction; PostgreSQL does if it is told before the first statement.
    """
    connection = connections[router.db_for_read(RegistrationEvent)]
    outermost = not connection.in_atomic_block
    with transaction.atomic(using=connection.alias):
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _counted(
    who: str, values: list[Any], *, since: datetime | None = None, among: int = 0, by_hour: bool = False
) -> dict[str, Tally]:
    """Three statements, whatever the size. Hour ("2026-11-21 09", UTC) -> its tally; "" when not by the hour.

    ``since`` spares the database all events before it; ``among`` all events but those of so many registrations, whose
    ids are the first values.
    """
    tallies: dict[str, Tally] = {}

    def of(hour: str) -> Tally:
        return tallies.setdefault(hour, Tally())

    for hour, step, tenths, people, places in _rows(PASSED, who, values, since, among, by_hour):
        of(hour).passed(step, tenths / 10, people, int(places))
    for hour, kind, step, outcome, clicks in _rows(NOTED, who, values, since, among, by_hour):
        of(hour).clicks[kind, step, outcome] += clicks
    for hour, language, workflow, policy, started, completed in _rows(CAME, who, values, since, among, by_hour):
        split = (language or "", workflow or "", policy or "")
        of(hour).started[split] += started
        of(hour).completed[split] += completed
    return tallies


def _rows(
    statement: str, who: str, values: list[Any], since: datetime | None, among: int, by_hour: bool
) -> list[tuple[Any, ...]]:
    connection = connections[router.db_for_read(RegistrationEvent)]
    event = connection.ops.quote_name(RegistrationEvent._meta.db_table)
    # Fetched first: a list of ids in the join itself leads PostgreSQL to read all events there are.
    theirs = f"theirs AS (SELECT * FROM {event} WHERE registration_id IN ({', '.join(['%s'] * among)})),"  # noqa: S608
    text = statement.format(
        among=theirs if among else "",
        event="theirs" if among else event,
        registration=connection.ops.quote_name(Registration._meta.db_table),
        tenths=TENTHS[connection.vendor],
        hour=HOUR[connection.vendor] if by_hour else "''",
        late="e.at >= %s" if since else "1 = 1",
        who=who,
    )
    given = [*values, since] if since else values
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Compiling the statement takes longer than running it, and its sorts fit into memory.
            cursor.execute("SET LOCAL jit = off; SET LOCAL work_mem = '128MB'")
        cursor.execute(text, [_prepared(connection, value) for value in given])
        return cursor.fetchall()


def _prepared(connection: Any, value: Any) -> Any:
    """A moment or an id as this database stores it."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return Registration._meta.pk.get_db_prep_value(value, connection)
