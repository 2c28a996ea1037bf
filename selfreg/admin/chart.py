"""Calculates the SVG chart of people over time: bars, and the labels of both axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle
from typing import NamedTuple

from django.utils.formats import date_format, number_format

from selfreg.reports.funnel import Point

# In pixels. GROUND is the lower end of the bars.
WIDTH, HEIGHT, LEFT, TOP, GROUND, GAP = 720, 220, 44, 12, 196, 2
MOST_LABELS = 7


class Bar(NamedTuple):
    """One part of the period, with the heights of its bars: people who started, and people who completed."""

    x: int
    width: int
    started: int
    completed: int
    name: str
    point: Point


class Label(NamedTuple):
    """A text at an axis, ``place`` pixels from the left or from the top."""

    place: int
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws."""

    bars: Sequence[Bar]
    rows: Sequence[Label]
    columns: Sequence[Label]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    ground: int = GROUND


def chart(points: Sequence[Point]) -> Chart:
    """Return the chart of a period. Its times are in UTC, like the period.

    :param points: at least one
    """
    top = _top(max(point.started for point in points))
    by_hour = len(points) > 1 and points[1].start - points[0].start == timedelta(hours=1)
    borders = [LEFT + round(number * (WIDTH - LEFT) / len(points)) for number in range(len(points) + 1)]

    def height(people: int) -> int:
        return round((GROUND - TOP) * people / top)

    bars = [
        Bar(
            x=left + GAP // 2,
            width=max(1, right - left - GAP),
            started=height(point.started),
            completed=height(point.completed),
            name=f"{point.start:%Y-%m-%d %H:%M}" if by_hour else f"{point.start:%Y-%m-%d}",
            point=point,
        )
        for left, right, point in zip(borders, borders[1:], points, strict=False)
    ]
    return Chart(
        bars,
        rows=[
            Label(GROUND - height(people), number_format(people, force_grouping=True))
            for people in sorted({0, top // 2, top})
        ],
        columns=[
            Label(bar.x, f"{bar.point.start:%H:%M}" if by_hour else date_format(bar.point.start, "MONTH_DAY_FORMAT"))
            for bar in bars[:: -(-len(bars) // MOST_LABELS)]
        ],
    )


def _top(most: int) -> int:
    """Return the upper end of the axis: 2, 4, 10, 20, 40, 100, and so on."""
    top = 2.0
    for factor in cycle((2, 2.5, 2)):
        if top >= most:
            break
        top *= factor
    return int(top)
