"""The funnel as files: JSON for programs, CSV for spreadsheets."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from selfreg.admin.export import csv_lines
from selfreg.admin.funnel_page import cached_funnel, chosen_org, chosen_period
from selfreg.reports.funnel import Funnel


def as_file(request: HttpRequest, kind: str) -> HttpResponse:
    """Return the numbers as a response.

    :param kind: "json" or "csv"
    """
    (period, _days), org = chosen_period(request), chosen_org(request)
    now, before = cached_funnel(period, org), cached_funnel(period.before, org)
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
    for what, member in (("added", "added"), ("skipped", "skipped")):
        past = {way.step: getattr(way, member) for way in before.optional}
        for way in now.optional:
            yield (what, way.step, getattr(way, member), past.get(way.step, 0))
    for point in now.points:
        yield ("time", point.start, point.started, None, point.completed)
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
