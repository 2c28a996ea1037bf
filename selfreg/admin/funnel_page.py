"""The funnel as a page with a chart, as CSV and as JSON."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from selfreg import cache
from selfreg.admin.export import csv_lines
from selfreg.admin.labels import failure_label, step_label, workflow_label
from selfreg.reports.funnel import COMPLETED, STARTED, Funnel, Period, Stage, funnel

PERIODS = ((1, _("24 hours")), (7, _("7 days")), (30, _("30 days")), (90, _("90 days")))
DEFAULT_DAYS, MAX_DAYS, MAX_DIGITS = 1, 366, 3
FIRST_YEAR = 2000  # earlier periods hold nothing, and the period before year 1 has no dates in Python
# A funnel that takes longer than SLOW_SECONDS to compute is cached.
CACHE_SECONDS, SLOW_SECONDS = 60, 0.2
NAMES = {STARTED: _("Started"), COMPLETED: _("Completed")}
# Pixels of the chart: its width, the height of a row, and in the row the top of the bar and the height of both bars.
WIDTH, ROW, TOP, BAR, THIN_BAR = 360, 54, 20, 18, 6


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table and of the chart.

    ``before`` is the number of people in the period before, ``lost`` how many passed the stage above and not this one.
    Shares are percent; ``y`` and widths are pixels of the chart.
    """

    name: str
    stage: Stage
    before: int
    share: float
    lost: int
    lost_share: float
    y: int
    width: int
    before_width: int


def chosen_period(request: HttpRequest) -> tuple[Period, int]:
    """Returns the period that the query string asks for, and its number of days if it asks for that, else 0.

    ``?from=2026-11-01&to=2026-11-08`` (UTC, ``to`` exclusive), else ``?days=``, else the last day.
    """
    try:
        start, end = (datetime.strptime(request.GET[name], "%Y-%m-%d").replace(tzinfo=UTC) for name in ("from", "to"))
        if timedelta(0) < end - start <= timedelta(days=MAX_DAYS) and start.year >= FIRST_YEAR:
            return Period(start, end), 0
    except (KeyError, ValueError):
        pass
    text = request.GET.get("days", "")
    days = int(text) if text.isdecimal() and len(text) <= MAX_DIGITS else 0
    days = days if 0 < days <= MAX_DAYS else DEFAULT_DAYS
    return Period.last(days, timezone.now()), days


def cached_funnel(period: Period) -> Funnel:
    """Returns the numbers of a period, up to a minute old where they take long to compute."""
    name = f"selfreg:funnel:{period.start:%Y%m%d%H%M%S}:{period.end:%Y%m%d%H%M%S}"
    numbers: Funnel | None = cache.get(name)
    if numbers is None:
        started = time.monotonic()
        numbers = funnel(period)
        if time.monotonic() - started > SLOW_SECONDS:
            cache.keep(name, numbers, CACHE_SECONDS)
    return numbers


def stage_name(step: str) -> str:
    """Returns the name of a milestone, the first and last ones included."""
    return str(NAMES[step]) if step in NAMES else step_label(step)


def lines(now: Funnel, before: Funnel) -> list[Line]:
    """Returns a row for each milestone of a period, compared with the period before."""
    earlier = {stage.step: stage.people for stage in before.stages}
    most = max(now.started, before.started, 1)
    rows = []
    for index, stage in enumerate(now.stages):
        previous = now.stages[index - 1].people if index else stage.people
        rows.append(
            Line(
                name=stage_name(stage.step),
                stage=stage,
                before=earlier.get(stage.step, 0),
                share=_percent(stage.people, now.started),
                lost=max(0, previous - stage.people),
                lost_share=_percent(max(0, previous - stage.people), previous),
                y=index * ROW,
                width=round(WIDTH * stage.people / most),
                before_width=round(WIDTH * earlier.get(stage.step, 0) / most),
            )
        )
    return rows


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Returns the context of ``registration/funnel.html``."""
    period, days = chosen_period(request)
    now, before = cached_funnel(period), cached_funnel(period.before)
    rows = lines(now, before)
    return {
        "period": period,
        "days": days,
        "periods": PERIODS,
        "now": now,
        "before": before,
        "lines": rows,
        "steps": [(step_label(stage.step), stage) for stage in now.steps],
        "errors": [(failure_label(key), count) for key, count in now.errors],
        "troubles": now.troubles,
        "rate": _percent(now.completed, now.started),
        "rate_before": _percent(before.completed, before.started),
        "splits": [
            (gettext("By language"), [(s.value, s, _percent(s.completed, s.started)) for s in now.languages]),
            (
                gettext("By workflow"),
                [(workflow_label(s.value), s, _percent(s.completed, s.started)) for s in now.workflows],
            ),
            (gettext("By policy version"), [(s.value, s, _percent(s.completed, s.started)) for s in now.policies]),
        ],
        "picture": {
            "width": WIDTH,
            "height": len(rows) * ROW,
            "top": TOP,
            "bar": BAR,
            "below": TOP + BAR,
            "thin": THIN_BAR,
        },
    }


def as_file(request: HttpRequest, kind: str) -> HttpResponse:
    """Returns the numbers as a response.

    :param kind: "json", for programs, or "csv", for spreadsheets
    """
    period, _days = chosen_period(request)
    now, before = cached_funnel(period), cached_funnel(period.before)
    if kind == "json":
        return JsonResponse({"now": asdict(now), "before": asdict(before)})
    response = HttpResponse("".join(csv_lines(_cells(now, before))), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="funnel.csv"'
    return response


def _cells(now: Funnel, before: Funnel) -> Iterator[tuple[Any, ...]]:
    yield ("what", "name", "people", "people_before", "completed", "median_seconds", "resends", "refusals")
    for what, stages, earlier in (("stage", now.stages, before.stages), ("step", now.steps, before.steps)):
        past = {stage.step: stage.people for stage in earlier}
        for s in stages:
            yield (what, s.step, s.people, past.get(s.step, 0), None, s.seconds, s.resends, s.refusals)
    for what, counts, earlier_counts in (
        ("error", now.errors, before.errors),
        ("trouble", now.troubles, before.troubles),
    ):
        past = dict(earlier_counts)
        for key, count in counts:
            yield (what, key, count, past.get(key, 0))
    for what, shares, past_shares in (
        ("language", now.languages, before.languages),
        ("workflow", now.workflows, before.workflows),
        ("policy", now.policies, before.policies),
    ):
        started = {share.value: share.started for share in past_shares}
        for share in shares:
            yield (what, share.value, share.started, started.get(share.value, 0), share.completed)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
