"""Counts of the registrations that started in a period: how far they came, where, and how long it took.

A registration is counted either from its events, or in a ``TalliedHour`` once it is completed or about to be erased.
Erased registrations therefore stay counted. The numbers hold no personal data.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connections, router, transaction
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from selfreg.conf import DEFAULT, Conf, settings_for
from selfreg.models import Registration, RegistrationEvent, TalliedHour, belongs_to
from selfreg.statuses import Status

Kind = RegistrationEvent.Kind
Split = tuple[str, str, str]
"""Language, workflow and policy version."""
Click = tuple[str, str, str]
"""Kind of event, step and outcome."""
PERSON_COLUMNS = ("id", "created_at", "status", "org", "language", "workflow", "policy")
Person = Sequence[Any]
"""``PERSON_COLUMNS`` of a registration."""
EVENT_COLUMNS = ("registration_id", "kind", "step", "outcome", "at")
"""Of an ``Event``."""
Event = tuple[uuid.UUID, str, str, str, datetime]
PASSES = (Kind.ANSWERED, Kind.SKIPPED)
COUNTED_KINDS = (Kind.ANSWERED, Kind.SKIPPED, Kind.RESENT, Kind.TROUBLE)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of people (``seconds``, ``started``, ``completed``) and of clicks (``clicks``).

    ``seconds`` is step -> how long it took -> how many people, to the tenth below ten seconds and to the second above.
    ``places`` is step -> the sum of the places at which people passed it, where starting is everybody's first place.
    ``answered`` is step -> how many passed it by an answer, ``finished`` how many of those completed the sign-up, and
    ``skipped`` how many of those skipped another step; ``skippers`` counts all who skipped a step, by the key "people".
    ``started`` and ``completed`` are by language, workflow and policy version; ``clicks`` by kind of event, step and
    outcome.
    """

    seconds: dict[str, Counter[float]] = field(default_factory=dict)
    places: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    finished: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    skippers: Counter[str] = field(default_factory=Counter)
    clicks: Counter[Click] = field(default_factory=Counter)
    started: Counter[Split] = field(default_factory=Counter)
    completed: Counter[Split] = field(default_factory=Counter)

    def add_person(self, started_at: datetime, is_completed: bool, split: Split, events: Iterable[Event]) -> None:
        """Count one person.

        The time of a step begins when the step before was passed, that of the first step when the person started. A
        step that was passed more than once (the choice of a method) counts once, with the sum of the times.

        :param events: those of ``COUNTED_KINDS``, oldest first
        """
        self.started[split] += 1
        self.completed[split] += is_completed
        seconds: dict[str, float] = {}
        answered: set[str] = set()
        has_skipped, since, place = False, started_at, 1
        for _registration, kind, step, outcome, at in events:
            if outcome == "ok" and kind in PASSES:
                place += 1
                if step not in seconds:
                    self.places[step] += place
                seconds[step] = seconds.get(step, 0.0) + (at - since).total_seconds()
                since = at
                has_skipped |= kind == Kind.SKIPPED
                if kind == Kind.ANSWERED:
                    answered.add(step)
            elif kind != Kind.SKIPPED:
                self.clicks[kind, step, _counted(outcome) if kind == Kind.TROUBLE else outcome] += 1
        for step, total in seconds.items():
            self.seconds.setdefault(step, Counter())[round(total, 1) if total < 10 else float(round(total))] += 1
        for step in answered:
            self.answered[step] += 1
            self.finished[step] += is_completed
            self.skipped[step] += has_skipped
        self.skippers["people"] += has_skipped

    def add(self, other: "Tally") -> None:
        """Count the other tally's people too."""
        for step, times in other.seconds.items():
            self.seconds.setdefault(step, Counter()).update(times)
        for name in COUNTERS:
            getattr(self, name).update(getattr(other, name))

    def as_json(self) -> dict[str, Any]:
        """Return lists and objects for ``TalliedHour.numbers``; see ``from_json``."""
        return {
            "steps": {step: [self.places[step], sorted(times.items())] for step, times in self.seconds.items()},
            "passed": {s: [n, self.finished[s], self.skipped[s]] for s, n in self.answered.items()},
            "skippers": self.skippers["people"],
            "clicks": [[*click, count] for click, count in self.clicks.items()],
            "splits": [[*split, count, self.completed[split]] for split, count in self.started.items()],
        }

    @classmethod
    def from_json(cls, numbers: Mapping[str, Any]) -> "Tally":
        """Read what ``as_json`` returned. An empty object is an empty tally.

        :param numbers: ``steps`` is step -> [places, [[seconds, people], ...]], ``clicks`` a list of [kind, step,
            outcome, count], ``splits`` a list of [language, workflow, policy version, started, completed], ``passed``
            is step -> [answered, finished, skipped] and ``skippers`` a number; earlier versions wrote neither, and
            everybody who passed a step counts as answered then, and who completed as having passed all of them
        """
        steps = numbers.get("steps", {})
        passed = numbers.get("passed") or _guessed(steps, numbers.get("splits", ()))
        splits = [(tuple(names), started, completed) for *names, started, completed in numbers.get("splits", ())]
        return cls(
            seconds={step: Counter(dict(times)) for step, (_, times) in steps.items()},
            places=Counter({step: places for step, (places, _) in steps.items()}),
            answered=Counter({step: answered for step, (answered, _, _) in passed.items()}),
            finished=Counter({step: finished for step, (_, finished, _) in passed.items()}),
            skipped=Counter({step: skipped for step, (_, _, skipped) in passed.items()}),
            skippers=Counter({"people": numbers.get("skippers", 0)}),
            clicks=Counter({tuple(click): count for *click, count in numbers.get("clicks", ())}),
            started=Counter({split: count for split, count, _ in splits}),
            completed=Counter({split: count for split, _, count in splits}),
        )


COUNTERS = tuple(f.name for f in fields(Tally) if f.name != "seconds")


def _guessed(steps: Mapping[str, Any], splits: Iterable[Any]) -> Mapping[str, tuple[int, int, int]]:
    completed = sum(split[-1] for split in splits)
    people = {step: sum(count for _seconds, count in times) for step, (_places, times) in steps.items()}
    return {step: (count, min(count, completed), 0) for step, count in people.items()}


def tallies_of(start: datetime, end: datetime, org: Conf | None = None) -> Mapping[datetime, Tally]:
    """Return the counts, up to now, of everybody who started from ``start`` up to but not including ``end``.

    :param start: an aware datetime at a full hour, and so is ``end``
    :param org: the settings of one org; None for all orgs together
    :return: by the hour (UTC) in which they started
    """
    with _consistent_snapshot():
        registrations = Registration.objects.filter(
            belongs_to(org) if org else Q(), created_at__gte=start, created_at__lt=end, tallied=False
        )
        events = RegistrationEvent.objects.filter(
            belongs_to(org, "registration__") if org else Q(),
            registration__created_at__gte=start,
            registration__created_at__lt=end,
            registration__tallied=False,
            at__gte=start,  # lets PostgreSQL use the index on kind and at
        )
        counted = _tallies(registrations.order_by().values_list(*PERSON_COLUMNS).iterator(), events)
        total: defaultdict[datetime, Tally] = defaultdict(Tally)
        for hour, tallies in counted.items():
            for tally in tallies.values():
                total[hour].add(tally)
        tallied = TalliedHour.objects.filter(hour__gte=start, hour__lt=end)
        for hour, numbers in tallied.values_list("hour", "numbers"):
            for name, tally in by_org(numbers):
                if org is None or settings_for(name).org == org.org:
                    total[hour].add(tally)
    return total


def by_org(numbers: Mapping[str, Any]) -> Iterator[tuple[str, Tally]]:
    """Read the numbers of a ``TalliedHour``: those of the default org, and below "orgs" those of each other one.

    Earlier versions counted all of them as the default one's.
    """
    yield DEFAULT, Tally.from_json(numbers)
    for name, own in numbers.get("orgs", {}).items():
        yield name, Tally.from_json(own)


def _with(numbers: Mapping[str, Any], added: Mapping[str, Tally]) -> dict[str, Any]:
    """Return the numbers of a ``TalliedHour`` with the tallies of some orgs added; "orgs" are those but the default."""
    own = {name: value for name, value in numbers.items() if name != "orgs"}
    further = dict(numbers.get("orgs", {}))
    for name, tally in added.items():
        total = Tally.from_json(own if name == DEFAULT else further.get(name, {}))
        total.add(tally)
        if name == DEFAULT:
            own = total.as_json()
        else:
            further[name] = total.as_json()
    return {**own, "orgs": further} if further else own


def tally_for_good(people: Collection[Person]) -> None:
    """Move people into the tallies of their hours; their events are not needed for the reports any more.

    Call it in the transaction that holds the rows' locks and deletes them or marks them as tallied, so that nobody is
    counted twice, or not at all.

    :param people: not tallied
    """
    if not people:
        return
    hours = _tallies(people, RegistrationEvent.objects.filter(registration_id__in=listed(pk for pk, *_rest in people)))
    with transaction.atomic(using=router.db_for_write(TalliedHour)):
        TalliedHour.objects.bulk_create([TalliedHour(hour=hour) for hour in hours], ignore_conflicts=True)
        # In order, so that two who add to the same hours wait for each other and do not deadlock.
        for row in TalliedHour.objects.select_for_update().filter(hour__in=hours).order_by("hour"):
            row.numbers = _with(row.numbers, hours[row.hour])
            row.save(update_fields=["numbers"])


def listed(ids: Iterable[uuid.UUID]) -> RawSQL:
    """Return ids for a lookup ``__in``, written as digits: a thousand parameters take longer than the statement."""
    return RawSQL(", ".join(f"'{pk.hex}'" for pk in ids), ())  # noqa: S611  (hexadecimal digits)


@contextmanager
def _consistent_snapshot() -> Iterator[None]:
    """Make the reads inside see one snapshot of the database, since a purge may move registrations between the tables.

    In SQLite every transaction does. The others need an isolation level, set before the first statement.
    """
    connection = connections[router.db_for_read(RegistrationEvent)]
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(using=connection.alias):
        if is_outermost and connection.vendor in ("postgresql", "mysql"):
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _tallies(people: Iterable[Person], events: QuerySet[RegistrationEvent]) -> Mapping[datetime, dict[str, Tally]]:
    """Return the tallies by the full hour (UTC) in which people started, and by the name of their org.

    :param events: all events of these people
    """
    counted = events.filter(kind__in=COUNTED_KINDS).order_by("registration_id", "at", "pk").values_list(*EVENT_COLUMNS)
    left = {person[0]: person for person in people}
    tallies: defaultdict[datetime, dict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))

    def add(person: Person, own: Iterable[Event]) -> None:
        _pk, created_at, status, org, *split = person
        tally = tallies[start_of_hour(created_at)][org]
        tally.add_person(created_at, status == Status.COMPLETED, tuple(split), own)

    for pk, own in groupby(counted.iterator(), key=itemgetter(0)):
        if person := left.pop(pk, None):
            add(person, own)
    for person in left.values():
        add(person, ())
    return tallies


def _counted(trouble: str) -> str:
    """Return the outcome of a failed call as it is counted: the kind of failure, and the code of a refusal."""
    return trouble if trouble.startswith("OrgRefused ") else trouble.partition(" ")[0]


def start_of_hour(moment: datetime) -> datetime:
    """Return the full hour in UTC: a time zone with a half-hour offset does not change it."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def start_of_last_day(now: datetime) -> datetime:
    """Return where "the last 24 hours" start, in the list as in figures: at a full hour, as tallies do."""
    return start_of_hour(now) + timedelta(hours=1) - timedelta(days=1)
