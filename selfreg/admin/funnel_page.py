"""The funnel as a page: what everybody has to pass, what is optional, and the numbers over time."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from selfreg import cache
from selfreg.admin.chart import chart
from selfreg.admin.filters import SEPARATOR, interval_between
from selfreg.admin.labels import failure_label, language_label, step_label, trouble_sentence, workflow_label
from selfreg.conf import Conf, has_several_orgs, orgs
from selfreg.reports.funnel import COMPLETED, STARTED, Funnel, Period, Share, Stage, funnel

PERIODS = ((1, _("24 hours")), (7, _("7 days")), (30, _("30 days")), (90, _("90 days")))
DEFAULT_DAYS, MAX_DAYS, MAX_DIGITS = 1, 366, 3
FIRST_YEAR = 2000  # there is nothing before it, and Python has no dates before the year 1
MOMENT = "%Y-%m-%d %H:%M UTC"
# A funnel that takes longer than SLOW_SECONDS to compute is cached.
CACHE_SECONDS, SLOW_SECONDS = 60, 0.2
NAMES = {STARTED: _("Started"), COMPLETED: _("Completed")}
# The steps of people who passed every other step without completing the sign-up.
AT_THE_END = ("token", "skip", "idx.email.verification.required", "selfreg.email_unproven")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the funnel.

    ``before`` is the number of people in the previous period, ``lost`` how many passed the stage above but not this
    one, and ``lost_query`` the query of the list that shows them, or "". Shares are in percent.
    """

    name: str
    stage: Stage
    before: int
    share: float
    lost: int
    lost_share: float
    lost_query: str


def chosen_period(request: HttpRequest) -> tuple[Period, int]:
    """Return the period that the query string asks for, and its number of days, or 0 if it asks for dates.

    It may have ``?from=2026-11-01&to=2026-11-08`` (UTC, ``to`` exclusive) or ``?days=``. The default is one day.
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


def chosen_org(request: HttpRequest) -> Conf | None:
    """Return the settings of the org that the query string asks for; None for all orgs of the site."""
    return orgs().get(request.GET.get("org", "")) if has_several_orgs() else None


def cached_funnel(period: Period, org: Conf | None = None) -> Funnel:
    """Return the numbers of a period. If they take long to compute, they are up to a minute old."""
    name = f"selfreg:funnel2:{period.start:%Y%m%d%H%M%S}:{period.end:%Y%m%d%H%M%S}:{org.org if org else ''}"
    numbers: Funnel | None = cache.get(name)
    if numbers is None:
        started = time.monotonic()
        numbers = funnel(period, org)
        if time.monotonic() - started > SLOW_SECONDS:
            cache.keep(name, numbers, CACHE_SECONDS)
    return numbers


def stage_name(step: str) -> str:
    """Return the name of a milestone, including the first and the last one."""
    return str(NAMES[step]) if step in NAMES else step_label(step)


def lines(now: Funnel, before: Funnel, filters: Mapping[str, str]) -> list[Line]:
    """Return a row for each milestone of a period, compared with the previous period.

    :param filters: further filters for the links to the list
    """
    earlier = {stage.step: stage.people for stage in before.stages}
    rows = []
    for index, stage in enumerate(now.stages):
        previous = now.stages[index - 1].people if index else stage.people
        lost = previous - stage.people
        rows.append(
            Line(
                name=stage_name(stage.step),
                stage=stage,
                before=earlier.get(stage.step, 0),
                share=percent(stage.people, now.started),
                lost=lost,
                lost_share=percent(lost, previous),
                lost_query=_query(now.period, **filters, step=SEPARATOR.join(_steps_before(stage, now)))
                if lost
                else "",
            )
        )
    return rows


def _steps_before(stage: Stage, now: Funnel) -> Sequence[str]:
    """Return the steps of people who did not pass this milestone: its own step, and the choices before it."""
    steps, milestones = [s.step for s in now.steps], {s.step for s in now.stages}
    if stage.step == COMPLETED:
        last = max((steps.index(step) for step in milestones if step in steps), default=-1)
        return [*steps[last + 1 :], *AT_THE_END]
    start = max((steps.index(step) + 1 for step in milestones if step in steps[: steps.index(stage.step)]), default=0)
    return steps[start : steps.index(stage.step) + 1]


def _query(period: Period, **filters: str) -> str:
    """Return the query of the list that shows the people who started in a period."""
    return urlencode({**filters, "period": interval_between(period.start, period.end)})


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Return the context of ``registration/funnel.html``."""
    (period, days), org = chosen_period(request), chosen_org(request)
    now, before = cached_funnel(period, org), cached_funnel(period.before, org)
    filters = {"org": org.org} if org else {}
    link = partial(_query, period, **filters)
    return {
        "orgs": list(orgs()) if has_several_orgs() else [],
        "org": org.org if org else "",
        "period_query": urlencode({name: request.GET[name] for name in ("days", "from", "to") if name in request.GET}),
        "period": period,
        "start": f"{period.start:{MOMENT}}",
        "end": f"{period.end:{MOMENT}}",
        "days": days,
        "periods": PERIODS,
        "now": now,
        "before": before if before.started else None,
        "lines": lines(now, before, filters),
        "most": max(now.started, 1),
        "optional": [
            (step_label(way.step), way, percent(way.added, way.offered)) for way in now.optional if way.offered
        ],
        "chart": chart(now.points),
        "steps": [(step_label(stage.step), stage) for stage in now.steps],
        "errors": [(failure_label(key), count) for key, count in now.errors],
        "troubles": [(trouble_sentence(outcome), count) for outcome, count in now.troubles],
        "rate": percent(now.completed, now.started),
        "rate_before": percent(before.completed, before.started),
        "splits": [
            (gettext("By language"), gettext("Language"), _shares(now.languages, language_label)),
            (gettext("By workflow"), gettext("Workflow"), _shares(now.workflows, workflow_label, "workflow", link)),
            (gettext("By policy version"), gettext("Policy version"), _shares(now.policies, str, "policy", link)),
        ],
    }


def _shares(
    shares: Iterable[Share], name: Any, parameter: str = "", link: Callable[..., str] | None = None
) -> list[Any]:
    """Return name, share, percent and the list's query for each share. The query is "" if there is no such filter."""
    return [
        (
            name(share.value),
            share,
            percent(share.completed, share.started),
            link(**{parameter: share.value}) if link and share.value else "",
        )
        for share in shares
    ]


def percent(part: int, whole: int) -> float:
    """Return a share in percent, rounded to tenths; 0 of nothing."""
    return round(100 * part / whole, 1) if whole else 0.0
