"""The filters of the list. Each one has an index in the order of the list.

The values to choose from are read without scanning the table.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db import connections, router
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from selfreg import cache
from selfreg.admin.labels import failure_label, step_label, workflow_label
from selfreg.models import Registration
from selfreg.statuses import OPEN, Status

MAX_VALUES = 50
# How long the values of a column are cached; shorter while there are none, so that the first ones appear soon.
CACHE_SECONDS, CACHE_SECONDS_IF_EMPTY = 60, 5
IDLE_MINUTES = (("5", _("5 minutes")), ("15", _("15 minutes")), ("60", _("1 hour")), ("1440", _("1 day")))
# Value, label, hours.
PERIODS = (
    ("hour", _("Last hour"), 1),
    ("day", _("Last 24 hours"), 24),
    ("week", _("Last 7 days"), 168),
    ("month", _("Last 30 days"), 720),
)


def values_of(column: str) -> list[str]:
    """Returns the distinct values of an indexed column of registrations, sorted, without the empty one.

    At most ``MAX_VALUES``, up to a minute old.
    """
    name = f"selfreg:values:{column}"
    values: list[str] | None = cache.get(name)
    if values is None:
        values = _distinct_values(column)
        cache.keep(name, values, CACHE_SECONDS if values else CACHE_SECONDS_IF_EMPTY)
    return values


def _distinct_values(column: str) -> list[str]:
    """Jumps through the index from one value to the next: DISTINCT would read every row."""
    connection = connections[router.db_for_read(Registration)]
    name, table = connection.ops.quote_name(column), connection.ops.quote_name(Registration._meta.db_table)
    statement = f"""
        WITH RECURSIVE jump(value) AS (
            SELECT min({name}) FROM {table}
            UNION ALL
            SELECT (SELECT min({name}) FROM {table} WHERE {name} > jump.value) FROM jump WHERE jump.value IS NOT NULL
        )
        SELECT value FROM jump WHERE value IS NOT NULL LIMIT {MAX_VALUES}
    """  # noqa: S608  (nothing but names of our own)
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [value for (value,) in cursor.fetchall() if value]


class ListFilter(SimpleListFilter):
    """A filter with a value from the URL, which may be any text."""

    def value(self) -> str | None:
        """The chosen value. None for text with NUL, which no row has and PostgreSQL rejects."""
        value: str | None = super().value()
        return None if value and "\0" in value else value


class StatusFilter(ListFilter):
    """One status, or all open ones."""

    title, parameter_name = _("status"), "status"

    def lookups(self, request: Any, model_admin: Any) -> Any:
        """Returns the choices as pairs of value and label."""
        return [("open", _("Open (all)")), *Status.choices]

    def queryset(self, request: Any, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        """Returns the rows that match the choice."""
        if self.value() == "open":
            return queryset.filter(status__in=OPEN)
        return queryset.filter(status=self.value()) if self.value() in Status.values else queryset


class StuckFilter(ListFilter):
    """Open registrations that did not change for so many minutes."""

    title, parameter_name = _("no progress for"), "stuck"

    def lookups(self, request: Any, model_admin: Any) -> Any:
        """Returns the choices as pairs of value and label."""
        return IDLE_MINUTES

    def queryset(self, request: Any, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        """Returns the rows that match the choice."""
        value = self.value() or ""
        if not value.isdecimal() or len(value) > 6:
            return queryset
        return queryset.filter(status__in=OPEN, updated_at__lt=timezone.now() - timedelta(minutes=int(value)))


class PeriodFilter(ListFilter):
    """Registrations that started in a period up to now."""

    title, parameter_name = _("period"), "period"

    def lookups(self, request: Any, model_admin: Any) -> Any:
        """Returns the choices as pairs of value and label."""
        return [(name, label) for name, label, _hours in PERIODS]

    def queryset(self, request: Any, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        """Returns the rows that match the choice."""
        hours = {name: hours for name, _label, hours in PERIODS}.get(self.value() or "")
        return queryset.filter(created_at__gte=timezone.now() - timedelta(hours=hours)) if hours else queryset


class ValueFilter(ListFilter):
    """One of the values of an indexed column. A value from the URL that no row has matches no row."""

    label_of: Callable[[str], str] = staticmethod(str)

    def lookups(self, request: Any, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Returns the choices as pairs of value and label."""
        values, chosen = values_of(str(self.parameter_name)), self.value()
        if chosen and chosen not in values:
            values = [*values, chosen]
        return [(value, type(self).label_of(value)) for value in values]

    def queryset(self, request: Any, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        """Returns the rows that match the choice."""
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class StepFilter(ValueFilter):
    """The current step."""

    title, parameter_name, label_of = _("step"), "step", staticmethod(step_label)


class WorkflowFilter(ValueFilter):
    """Whether the address has to be proven first."""

    title, parameter_name, label_of = _("workflow"), "workflow", staticmethod(workflow_label)


class FailureFilter(ValueFilter):
    """Why registrations failed."""

    title, parameter_name, label_of = _("failure"), "failure", staticmethod(failure_label)


class PolicyFilter(ValueFilter):
    """The version of the org's sign-up form."""

    title, parameter_name = _("policy version"), "policy"


FILTERS = (StatusFilter, StuckFilter, StepFilter, WorkflowFilter, FailureFilter, PeriodFilter, PolicyFilter)
PARAMETERS = frozenset(str(f.parameter_name) for f in FILTERS)
