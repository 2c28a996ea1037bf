"""Where people give up: exact numbers of a period, counted from the events of everybody who started in it.

"How far" is counted up to now, so that a registration that began at the period's end has its full chance. Each number
counts people (registrations), never clicks, unless its name says otherwise. Three statements, whatever the size.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections, router, transaction

from selfreg.models import Registration, RegistrationEvent

STARTED, COMPLETED = "started", "completed"
PROFILE = ("enroll-profile", "enroll-profile-update", "profile-update")
CHOICE = "select-authenticator-enroll"

# The seconds between two moments, which SQL has no one way to say.
SECONDS = {
    "postgresql": "CAST(EXTRACT(EPOCH FROM at - since) AS double precision)",
    "sqlite": "(julianday(at) - julianday(since)) * 86400.0",
    "mysql": "TIMESTAMPDIFF(MICROSECOND, since, at) / 1e6",
    "oracle": "(CAST(at AS DATE) - CAST(since AS DATE)) * 86400",
}

# A step is passed by an accepted answer or by skipping; its time runs from what was passed before. Who passes a step
# more than once (the choice of a method) is one person with the sum of the times.
PERSON = """
WITH cohort AS (
    SELECT DISTINCT registration_id FROM {event} WHERE kind = 'started' AND at >= %s AND at < %s
), progress AS (
    SELECT e.registration_id, e.kind, e.step, e.at,
        LAG(e.at) OVER (PARTITION BY e.registration_id ORDER BY e.at, e.id) AS since,
        ROW_NUMBER() OVER (PARTITION BY e.registration_id ORDER BY e.at, e.id) AS place
    FROM {event} e JOIN cohort ON cohort.registration_id = e.registration_id
    WHERE e.at >= %s AND (e.kind = 'started' OR (e.kind IN ('answered', 'skipped') AND e.outcome = 'ok'))
), person AS (
    SELECT step, MIN(place) AS place, SUM({seconds}) AS seconds
    FROM progress WHERE kind <> 'started' GROUP BY registration_id, step
)
"""
PASSED = {
    "postgresql": f"""{PERSON}
SELECT step, COUNT(*), AVG(place), percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FROM person GROUP BY step
""",  # noqa: S608  (nothing but the text above)
    "elsewhere": f"""{PERSON}, ranked AS (
    SELECT step, place, seconds, ROW_NUMBER() OVER (PARTITION BY step ORDER BY seconds) AS position,
        COUNT(*) OVER (PARTITION BY step) AS size FROM person
)
SELECT step, COUNT(*), AVG(place), AVG(CASE WHEN position * 2 BETWEEN size AND size + 2 THEN seconds END)
FROM ranked GROUP BY step
""",  # noqa: S608
}
NOTED = """
WITH cohort AS (
    SELECT DISTINCT registration_id FROM {event} WHERE kind = 'started' AND at >= %s AND at < %s
)
SELECT e.kind, e.step, e.outcome, COUNT(*), COUNT(DISTINCT e.registration_id)
FROM {event} e JOIN cohort ON cohort.registration_id = e.registration_id
WHERE e.at >= %s AND (e.kind IN ('resent', 'trouble') OR (e.kind = 'answered' AND e.outcome <> 'ok'))
GROUP BY e.kind, e.step, e.outcome
"""
SPLIT = """
WITH cohort AS (
    SELECT DISTINCT registration_id FROM {event} WHERE kind = 'started' AND at >= %s AND at < %s
), done AS (
    SELECT DISTINCT registration_id FROM {event} WHERE kind = 'completed' AND at >= %s
)
SELECT r.language, r.workflow, r.policy, COUNT(*), COUNT(done.registration_id)
FROM cohort JOIN {registration} r ON r.id = cohort.registration_id
LEFT JOIN done ON done.registration_id = cohort.registration_id
GROUP BY r.language, r.workflow, r.policy
"""


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` up to but not including ``end``."""

    start: datetime
    end: datetime

    @property
    def before(self) -> "Period":
        """The period of the same length that ends where this one begins."""
        return Period(self.start - (self.end - self.start), self.start)


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the sign-up: who passed it, and what it cost them.

    ``seconds`` is the median time it took, None where nobody passed. ``resends`` and ``refusals`` count clicks.
    """

    step: str
    people: int
    seconds: float | None = None
    resends: int = 0
    refusals: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """How many of those with one language, workflow or policy version came through."""

    value: str
    started: int
    completed: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """``stages`` are the milestones in the order people meet them: started, profile, each authenticator, completed.

    ``steps`` are all steps, the choices between milestones too. ``errors`` counts answers that were refused, by key;
    ``troubles`` exchanges with the org that failed.
    """

    period: Period
    stages: tuple[Stage, ...]
    steps: tuple[Stage, ...]
    errors: tuple[tuple[str, int], ...]
    troubles: tuple[tuple[str, int], ...]
    languages: tuple[Share, ...]
    workflows: tuple[Share, ...]
    policies: tuple[Share, ...]

    @property
    def started(self) -> int:
        return self.stages[0].people

    @property
    def completed(self) -> int:
        return self.stages[-1].people


def funnel(period: Period) -> Funnel:
    """The numbers of one period."""
    split = _rows(SPLIT, period)
    noted = _rows(NOTED, period)
    resends, refusals = _by_step(noted, "resent"), _by_step(noted, "answered")
    steps = tuple(
        Stage(step, people, None if seconds is None else round(float(seconds), 3), resends[step], refusals[step])
        for step, people, _place, seconds in sorted(_rows(PASSED, period), key=lambda row: (row[2], row[0]))
    )
    started, completed = sum(row[3] for row in split), sum(row[4] for row in split)
    return Funnel(
        period=period,
        stages=(Stage(STARTED, started), *(s for s in steps if _is_milestone(s.step)), Stage(COMPLETED, completed)),
        steps=steps,
        errors=_by_key(noted, "answered"),
        troubles=_by_key(noted, "trouble"),
        languages=_shares(split, 0),
        workflows=_shares(split, 1),
        policies=_shares(split, 2),
    )


def _is_milestone(step: str) -> bool:
    return step.partition(" ")[0] in (*PROFILE, "enroll-authenticator")


def _by_step(noted: Iterable[Sequence[Any]], kind: str) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    for noted_kind, step, outcome, clicks, _people in noted:
        if noted_kind == kind and (kind != "resent" or outcome == "ok"):
            counts[step] += clicks
    return counts


def _by_key(noted: Iterable[Sequence[Any]], kind: str) -> tuple[tuple[str, int], ...]:
    """One answer may be refused for several reasons: each counts."""
    counts: Counter[str] = Counter()
    for noted_kind, _step, outcome, clicks, _people in noted:
        if noted_kind == kind:
            for key in outcome.split() if kind == "answered" else [outcome]:
                counts[key] += clicks
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _shares(split: Iterable[Sequence[Any]], column: int) -> tuple[Share, ...]:
    started: Counter[str] = Counter()
    completed: Counter[str] = Counter()
    for row in split:
        started[row[column]] += row[3]
        completed[row[column]] += row[4]
    return tuple(Share(value, count, completed[value]) for value, count in started.most_common())


def _rows(statement: str | Mapping[str, str], period: Period) -> list[tuple[Any, ...]]:
    connection = connections[router.db_for_read(RegistrationEvent)]
    if not isinstance(statement, str):
        statement = statement.get(connection.vendor, statement["elsewhere"])
    text = statement.format(
        event=connection.ops.quote_name(RegistrationEvent._meta.db_table),
        registration=connection.ops.quote_name(Registration._meta.db_table),
        seconds=SECONDS[connection.vendor],
    )
    start, end = (connection.ops.adapt_datetimefield_value(moment) for moment in (period.start, period.end))
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Compiling the statement takes longer than running it, and its sorts fit into memory.
            cursor.execute("SET LOCAL jit = off; SET LOCAL work_mem = '128MB'")
        cursor.execute(text, [start, end, start])
        return cursor.fetchall()
