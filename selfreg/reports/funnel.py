"""The funnel: how many of the people who started in a period passed each step.

Steps count up to now, not up to the end of the period. Numbers count people (registrations), unless they are said to
count clicks.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate

from selfreg.conf import Conf
from selfreg.reports.counts import Tally, start_of_hour, tallies_of

STARTED, COMPLETED = "started", "completed"
PROFILE = ("enroll-profile", "enroll-profile-update", "profile-update")
REQUIRED_SHARE = 0.95
"""Of the people who completed: a policy that changed during the period lets some through without."""
LONGEST_BY_HOUR = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` up to but not including ``end``: full hours (UTC), since erased people are counted by the hour.

    :raises ValueError: one of them is not a full hour
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if any(start_of_hour(moment) != moment for moment in (self.start, self.end)):
            raise ValueError("a period begins and ends at a full hour")

    @classmethod
    def last(cls, days: int, now: datetime) -> "Period":
        """Return the period of so many days up to the end of the current hour."""
        end = start_of_hour(now) + timedelta(hours=1)
        return cls(end - timedelta(days=days), end)

    @property
    def before(self) -> "Period":
        """The period of the same length that ends where this one starts."""
        return Period(self.start - (self.end - self.start), self.start)


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the sign-up: how many people passed it, and what it took.

    ``seconds`` is the median time, None where nobody passed or the stage is no step. ``resends`` and ``refusals`` count
    clicks.
    """

    step: str
    people: int
    seconds: float | None = None
    resends: int = 0
    refusals: int = 0


@dataclass(frozen=True, slots=True)
class TakeUp:
    """A way to sign in that is optional: to how many people it was offered, and what became of that.

    ``offered`` are those who added it or skipped it; nothing tells of those who left before they chose.
    """

    step: str
    added: int
    skipped: int

    @property
    def offered(self) -> int:
        """How many people decided about it."""
        return self.added + self.skipped


@dataclass(frozen=True, slots=True)
class Point:
    """How many people started in a part of the period, and how many of them completed the sign-up."""

    start: datetime
    started: int
    completed: int


@dataclass(frozen=True, slots=True)
class Share:
    """How many people with one language, workflow or policy version started, and how many completed the sign-up."""

    value: str
    started: int
    completed: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """``stages`` are what everybody has to pass, in the order people meet it: started, profile, each authenticator that
    (almost) everybody who completed has, completed. Each counts who passed it and all before it.

    ``optional`` are the other authenticators. ``steps`` are all steps, the choices between milestones too. ``points``
    are the parts of the period: hours or days. ``errors`` counts answers that were refused, by key;
    ``troubles`` exchanges with the org that failed, and steps that no page can do.
    """

    period: Period
    stages: tuple[Stage, ...]
    optional: tuple[TakeUp, ...]
    points: tuple[Point, ...]
    steps: tuple[Stage, ...]
    errors: tuple[tuple[str, int], ...]
    troubles: tuple[tuple[str, int], ...]
    languages: tuple[Share, ...]
    workflows: tuple[Share, ...]
    policies: tuple[Share, ...]

    @property
    def started(self) -> int:
        """How many people started."""
        return self.stages[0].people

    @property
    def completed(self) -> int:
        """How many of them completed the sign-up."""
        return self.stages[-1].people


def funnel(period: Period, org: Conf | None = None) -> Funnel:
    """Compute the numbers of one period, for one org or all."""
    tallies = tallies_of(period.start, period.end, org)
    tally = Tally()
    for part in tallies.values():
        tally.add(part)
    steps = tuple(
        Stage(
            step,
            people=tally.seconds[step].total(),
            seconds=_median(tally.seconds[step]),
            resends=tally.clicks["resent", step, "ok"],
            refusals=sum(n for (kind, at, _outcome), n in tally.clicks.items() if (kind, at) == ("answered", step)),
        )
        for step in sorted(tally.seconds, key=lambda step: (tally.places[step] / tally.seconds[step].total(), step))
    )
    milestones = [stage for stage in steps if _is_milestone(stage.step) and tally.answered[stage.step]]
    required = [stage for stage in milestones if _is_required(stage.step, tally)]
    return Funnel(
        period=period,
        stages=tuple(_stages(required, tally)),
        optional=tuple(_take_up(s.step, tally) for s in milestones if s not in required and not _is_profile(s.step)),
        points=tuple(_points(period, tallies)),
        steps=steps,
        errors=_by_key(tally, "answered"),
        troubles=_by_key(tally, "trouble"),
        languages=_shares(tally, 0),
        workflows=_shares(tally, 1),
        policies=_shares(tally, 2),
    )


def _stages(required: Iterable[Stage], tally: Tally) -> Iterator[Stage]:
    """Whoever passed a step in another order counts once they passed all before it, so the numbers never rise."""
    people = tally.started.total()
    yield Stage(STARTED, people)
    for stage in required:
        people = min(people, tally.answered[stage.step])
        yield replace(stage, people=people)
    yield Stage(COMPLETED, tally.completed.total())


def _is_required(step: str, tally: Tally) -> bool:
    """Return whether everybody who completes the sign-up passes a step. Until somebody does, every milestone counts."""
    completed = tally.completed.total()
    return tally.finished[step] >= REQUIRED_SHARE * completed and tally.answered[step] >= completed


def _take_up(step: str, tally: Tally) -> TakeUp:
    return TakeUp(step, tally.answered[step], max(0, tally.skippers["people"] - tally.skipped[step]))


def _points(period: Period, tallies: Mapping[datetime, Tally]) -> Iterator[Point]:
    length = timedelta(hours=1) if period.end - period.start <= LONGEST_BY_HOUR else timedelta(days=1)
    started: Counter[int] = Counter()
    completed: Counter[int] = Counter()
    for hour, tally in tallies.items():
        number = (hour - period.start) // length
        started[number] += tally.started.total()
        completed[number] += tally.completed.total()
    for number in range(-(-(period.end - period.start) // length)):
        yield Point(period.start + number * length, started[number], completed[number])


def _is_profile(step: str) -> bool:
    return step.partition(" ")[0] in PROFILE


def _is_milestone(step: str) -> bool:
    return step.partition(" ")[0] in (*PROFILE, "enroll-authenticator")


def _median(times: Counter[float]) -> float:
    """Return the middle one of an odd number of times, the mean of the two in the middle of an even number."""
    ordered = sorted(times)
    ends = list(accumulate(times[time] for time in ordered))
    low, high = (ordered[bisect_right(ends, place)] for place in ((ends[-1] - 1) // 2, ends[-1] // 2))
    return (low + high) / 2


def _by_key(tally: Tally, kind: str) -> tuple[tuple[str, int], ...]:
    """Return how often each error or trouble occurred. An answer that was refused for two reasons counts for both."""
    counts: Counter[str] = Counter()
    for (event_kind, _step, outcome), clicks in tally.clicks.items():
        if event_kind == kind:
            for key in outcome.split() if kind == "answered" else [outcome]:
                counts[key] += clicks
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _shares(tally: Tally, column: int) -> tuple[Share, ...]:
    started: Counter[str] = Counter()
    completed: Counter[str] = Counter()
    for split, people in tally.started.items():
        started[split[column]] += people
        completed[split[column]] += tally.completed[split]
    return tuple(
        Share(value, count, completed[value])
        for value, count in sorted(started.items(), key=lambda share: (-share[1], share[0]))
    )
