"""The funnel: how many of the people who started in a period passed each step.

Steps count up to now, not up to the end of the period. Numbers count people (registrations), unless they are said to
count clicks.
"""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from selfreg.reports.counts import Tally, start_of_hour, tally_of

STARTED, COMPLETED = "started", "completed"
PROFILE = ("enroll-profile", "enroll-profile-update", "profile-update")
CHOICE = "select-authenticator-enroll"


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
        """Returns the period of so many days up to the end of the current hour."""
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
class Share:
    """How many people with one language, workflow or policy version started, and how many completed the sign-up."""

    value: str
    started: int
    completed: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """``stages`` are the milestones in the order people meet them: started, profile, each authenticator, completed.

    ``steps`` are all steps, the choices between milestones too. ``errors`` counts answers that were refused, by key;
    ``troubles`` exchanges with the org that failed, and steps that no page can do.
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
        """How many people started."""
        return self.stages[0].people

    @property
    def completed(self) -> int:
        """How many of them completed the sign-up."""
        return self.stages[-1].people


def funnel(period: Period) -> Funnel:
    """Computes the numbers of one period."""
    tally = tally_of(period.start, period.end)
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
    started, completed = tally.started.total(), tally.completed.total()
    return Funnel(
        period=period,
        stages=(Stage(STARTED, started), *(s for s in steps if _is_milestone(s.step)), Stage(COMPLETED, completed)),
        steps=steps,
        errors=_by_key(tally, "answered"),
        troubles=_by_key(tally, "trouble"),
        languages=_shares(tally, 0),
        workflows=_shares(tally, 1),
        policies=_shares(tally, 2),
    )


def _is_milestone(step: str) -> bool:
    return step.partition(" ")[0] in (*PROFILE, "enroll-authenticator")


def _median(times: Counter[float]) -> float:
    """Returns the middle one of an odd number of times, the mean of the two in the middle of an even number."""
    ordered = sorted(times)
    ends = list(accumulate(times[time] for time in ordered))
    low, high = (ordered[bisect_right(ends, place)] for place in ((ends[-1] - 1) // 2, ends[-1] // 2))
    return (low + high) / 2


def _by_key(tally: Tally, kind: str) -> tuple[tuple[str, int], ...]:
    """Returns how often each error or trouble occurred. An answer that was refused for two reasons counts for both."""
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
    return tuple(Share(value, count, completed[value]) for value, count in started.most_common())
