"""The filters of the list. Each has an index in the order of the list.

Their choices are read without scanning the table.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db import connections, router
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from selfreg import cache
from selfreg.admin.labels import failure_label, step_label, workflow_label
from selfreg.conf import has_several_orgs, orgs
from selfreg.models import Registration, belongs_to
from selfreg.reports.attention import in_status
from selfreg.reports.counts import start_of_last_day
from selfreg.statuses import OPEN, Status

MAX_VALUES = 50
SEPARATOR = "|"
MOMENT = "%Y-%m-%dT%H:%MZ"
FIRST_YEAR, LAST_YEAR = 2000, 3000  # other years can be out of range in some time zones
# How long the values of a column are cached. If there are none, the first ones should appear soon.
CACHE_SECONDS, CACHE_SECONDS_IF_EMPTY = 60, 5
IDLE_MINUTES = (("5", _("5 minutes")), ("15", _("15 minutes")), ("60", _("1 hour")), ("1440", _("1 day")))


def _ago(hours: int) -> Callable[[datetime], datetime]:
    return lambda now: now - timedelta(hours=hours)


def _midnight(now: datetime) -> datetime:
    """Return the start of today, in the administrator's time zone."""
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)


# Value, label, where the period starts.
PERIODS: tuple[tuple[str, str | Promise, Callable[[datetime], datetime]], ...] = (
    ("hour", _("Last hour"), _ago(1)),
    ("hours", _("Last 6 hours"), _ago(6)),
    ("today", _("Today"), _midnight),
    ("day", _("Last 24 hours"), start_of_last_day),
    ("week", _("Last 7 days"), _ago(168)),
    ("month", _("Last 30 days"), _ago(720)),
)


def interval_between(start: datetime, end: datetime) -> str:
    """Return the value of ``PeriodFilter`` for a period between two moments."""
    return "/".join(moment.astimezone(UTC).strftime(MOMENT) for moment in (start, end))


def parse_interval(value: str) -> tuple[datetime, datetime] | None:
    """Read what ``interval_between`` wrote. None for any other text."""
    try:
        start, end = (datetime.strptime(text, MOMENT).replace(tzinfo=UTC) for text in value.split("/"))
    except ValueError:
        return None
    return (start, end) if FIRST_YEAR <= start.year <= end.year < LAST_YEAR else None


def values_of(column: str) -> list[str]:
    """Return the distinct values of an indexed column of registrations, sorted, without the empty one.

    At most ``MAX_VALUES``, up to a minute old.
    """
    name = f"selfreg:values:{column}"
    values: list[str] | None = cache.get(name)
    if values is None:
        values = _distinct_values(column)
        cache.keep(name, values, CACHE_SECONDS if values else CACHE_SECONDS_IF_EMPTY)
    return values


def _distinct_values(column: str) -> list[str]:
    """Jump through the index from value to value, because DISTINCT would read every row."""
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
        """Return the chosen value. None for text with NUL, which no row has and PostgreSQL rejects."""
        value: str | None = super().value()
        return None if value and "\0" in value else value


class StatusFilter(ListFilter):
    """One status, all open registrations, or those of people who are stuck. The tabs above the list use it, too."""

    title, parameter_name = _("status"), "status"

    def lookups(self, request: Any, model_admin: Any) -> Any:
        """Return the choices as pairs of value and label."""
        return [("open", _("Open (all)")), ("stuck", _("Stuck")), *Status.choices]

    def queryset(self, request: Any, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        """Return the rows that match the choice."""
        condition = in_status(self.value() or "")
        return queryset.filter(condition) if condition else queryset


class IdleFilter(ListFilter):
    """Open registrations without a change for so many minutes."""

    title, parameter_name = _("idle time"), "stuck"

    def lookups(self, request: Any, model_admin: Any) -> Any:
        """Return the choices as pairs of value and label."""
        return IDLE_MINUTES

    def queryset(self, request: Any, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        """Return the rows that match the choice."""
        value = self.value() or ""
        if not value.isdecimal() or len(value) > 6:
            return queryset
        return queryset.filter(status__in=OPEN, updated_at__lt=timezone.now() - timedelta(minutes=int(value)))


class PeriodFilter(ListFilter):
    """Registrations that started in a period until now, or between two moments."""

    title, parameter_name = _("start"), "period"

    def lookups(self, request: Any, model_admin: Any) -> Any:
        """Return the choices as pairs of value and label."""
        choices: list[tuple[str, Any]] = [(name, label) for name, label, _start in PERIODS]
        if interval := parse_interval(self.value() or ""):
            choices.append((str(self.value()), " – ".join(f"{timezone.localtime(m):%Y-%m-%d %H:%M}" for m in interval)))
        return choices

    def queryset(self, request: Any, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        """Return the rows that match the choice."""
        if interval := parse_interval(self.value() or ""):
            return queryset.filter(created_at__gte=interval[0], created_at__lt=interval[1])
        start = {name: start for name, _label, start in PERIODS}.get(self.value() or "")
        return queryset.filter(created_at__gte=start(timezone.now())) if start else queryset


class ValueFilter(ListFilter):
    """One of the values of an indexed column. Unknown values in the URL match no row."""

    label_of: Callable[[str], str] = staticmethod(str)

    def lookups(self, request: Any, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the choices as pairs of value and label. A link can choose several values at once."""
        values, chosen = values_of(str(self.parameter_name)), self.value()
        if chosen and chosen not in values:
            values = [*values, chosen]
        return [(value, ", ".join(map(type(self).label_of, value.split(SEPARATOR)))) for value in values]

    def queryset(self, request: Any, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        """Return the rows that match the choice."""
        chosen = (self.value() or "").split(SEPARATOR)[:MAX_VALUES]
        if len(chosen) > 1:
            return queryset.filter(**{f"{self.parameter_name}__in": chosen})
        return queryset.filter(**{str(self.parameter_name): chosen[0]}) if chosen[0] else queryset


class StepFilter(ValueFilter):
    """The current step."""

    title, parameter_name, label_of = _("step"), "step", staticmethod(step_label)


class WorkflowFilter(ValueFilter):
    """Whether the address had to be verified first."""

    title, parameter_name, label_of = _("workflow"), "workflow", staticmethod(workflow_label)


class FailureFilter(ValueFilter):
    """Why registrations failed."""

    title, parameter_name, label_of = _("failure"), "failure", staticmethod(failure_label)


class PolicyFilter(ValueFilter):
    """The version of the org's sign-up form."""

    title, parameter_name = _("policy version"), "policy"


class OrgFilter(ListFilter):
    """One org, on sites with several. Registrations of a removed org belong to the default org."""

    title, parameter_name = _("org"), "org"

    def lookups(self, request: Any, model_admin: Any) -> Any:
        """Return the choices as pairs of value and label. Without choices, Django hides the filter."""
        return [(name, name) for name in orgs()] if has_several_orgs() else []

    def queryset(self, request: Any, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        """Return the rows that match the choice."""
        settings = orgs().get(self.value() or "")
        return queryset.filter(belongs_to(settings)) if settings else queryset


FILTERS = (StepFilter, PeriodFilter, IdleFilter, StatusFilter, FailureFilter, WorkflowFilter, PolicyFilter, OrgFilter)
PARAMETERS = frozenset(str(f.parameter_name) for f in FILTERS)
