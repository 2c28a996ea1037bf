"""Filters that each have an index in the order of the list. What can be chosen is read without reading the table."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db import connections, router
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from selfreg import cache
from selfreg.admin.labels import failure_words, step_words, workflow_words
from selfreg.models import OPEN, Registration, Status

MOST_VALUES = 50
VALUES_SECONDS, NONE_SECONDS = 60, 5
STUCK = (("5", _("5 minutes")), ("15", _("15 minutes")), ("60", _("1 hour")), ("1440", _("1 day")))
PERIODS = (("hour", _("Last hour"), 1), ("day", _("Last 24 hours"), 24), ("week", _("Last 7 days"), 168),
           ("month", _("Last 30 days"), 720))  # fmt: skip


def values_of(column: str) -> list[str]:
    """The different values of an indexed column, by jumping from one to the next in its index instead of DISTINCT."""
    kept: list[str] | None = cache.get(f"selfreg:values:{column}")
    if kept is None:
        kept = _jump(column)
        cache.keep(f"selfreg:values:{column}", kept, VALUES_SECONDS if kept else NONE_SECONDS)
    return kept


def _jump(column: str) -> list[str]:
    connection = connections[router.db_for_read(Registration)]
    name, table = connection.ops.quote_name(column), connection.ops.quote_name(Registration._meta.db_table)
    statement = (
        f"WITH RECURSIVE found(value) AS (SELECT min({name}) FROM {table} UNION ALL "  # noqa: S608  (our own names)
        f"SELECT (SELECT min({name}) FROM {table} WHERE {name} > found.value) FROM found "
        f"WHERE found.value IS NOT NULL) "
        f"SELECT value FROM found WHERE value IS NOT NULL LIMIT {MOST_VALUES}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [row[0] for row in cursor.fetchall() if row[0]]


class ListFilter(SimpleListFilter):
    """What is chosen comes from an address that anybody can write."""

    def value(self) -> str | None:
        """None for what no database has, and PostgreSQL refuses to be asked."""
        value: str | None = super().value()
        return None if value and "\0" in value else value


class StatusFilter(ListFilter):
    title, parameter_name = _("status"), "status"

    def lookups(self, request: Any, model_admin: Any) -> Any:
        return [("open", _("Open (all)")), *Status.choices]

    def queryset(self, request: Any, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        if self.value() == "open":
            return queryset.filter(status__in=OPEN)
        return queryset.filter(status=self.value()) if self.value() in Status.values else queryset


class StuckFilter(ListFilter):
    """Open, and nobody moved it for a while."""

    title, parameter_name = _("no progress for"), "stuck"

    def lookups(self, request: Any, model_admin: Any) -> Any:
        return STUCK

    def queryset(self, request: Any, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        value = self.value() or ""
        if not value.isdecimal() or len(value) > 6:
            return queryset
        return queryset.filter(status__in=OPEN, updated_at__lt=timezone.now() - timedelta(minutes=int(value)))


class PeriodFilter(ListFilter):
    title, parameter_name = _("period"), "period"

    def lookups(self, request: Any, model_admin: Any) -> Any:
        return [(name, words) for name, words, _hours in PERIODS]

    def queryset(self, request: Any, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        hours = {name: hours for name, _words, hours in PERIODS}.get(self.value() or "")
        return queryset.filter(created_at__gte=timezone.now() - timedelta(hours=hours)) if hours else queryset


class ValueFilter(ListFilter):
    """One of the values that an indexed column has now. One that it no longer has is still a filter, of nobody."""

    words: Callable[[str], str] = staticmethod(str)

    def lookups(self, request: Any, model_admin: Any) -> Iterable[tuple[str, str]]:
        column: str = self.parameter_name  # type: ignore[assignment]
        values, chosen = values_of(column), self.value()
        gone = [chosen] if chosen and chosen not in values else []
        return [(value, type(self).words(value)) for value in (*values, *gone)]

    def queryset(self, request: Any, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class StepFilter(ValueFilter):
    title, parameter_name, words = _("step"), "step", staticmethod(step_words)


class WorkflowFilter(ValueFilter):
    title, parameter_name, words = _("workflow"), "workflow", staticmethod(workflow_words)


class FailureFilter(ValueFilter):
    title, parameter_name, words = _("failure"), "failure", staticmethod(failure_words)


class PolicyFilter(ValueFilter):
    title, parameter_name = _("policy version"), "policy"


FILTERS = (StatusFilter, StuckFilter, StepFilter, WorkflowFilter, FailureFilter, PeriodFilter, PolicyFilter)
PARAMETERS = frozenset(str(f.parameter_name) for f in FILTERS)
