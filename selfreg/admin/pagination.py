"""A list that costs the same whatever it is a list of: no count, no offset, no sorting that lacks an index.

Pages are found by their border (keyset pagination): ``?older=`` and ``?newer=`` carry the moment and id of the row next
to them, ``?oldest`` is the last page. One row more than shown tells whether there is a next page.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Count, Max, Q
from django.http import HttpRequest

from selfreg.models import Registration, RegistrationEvent

OLDER, NEWER, OLDEST = "older", "newer", "oldest"
BORDERS = (OLDER, NEWER, OLDEST)
NEWEST_FIRST, OLDEST_FIRST = ("-created_at", "-id"), ("created_at", "id")


@dataclass(frozen=True, slots=True)
class Border:
    """The row beside a page."""

    created_at: datetime
    id: uuid.UUID

    @classmethod
    def read(cls, text: str) -> "Border | None":
        """From an address; None for what no page of ours wrote."""
        moment, _, key = text.rpartition("_")
        try:
            created_at = datetime.fromisoformat(moment)
            return cls(created_at.astimezone(UTC), uuid.UUID(key)) if created_at.tzinfo else None
        except (ValueError, OverflowError):
            return None

    @staticmethod
    def write(registration: Registration) -> str:
        return f"{registration.created_at.isoformat()}_{registration.pk.hex}"

    @property
    def older(self) -> Q:
        return Q(created_at__lte=self.created_at) & (Q(created_at__lt=self.created_at) | Q(id__lt=self.id))

    @property
    def newer(self) -> Q:
        return Q(created_at__gte=self.created_at) & (Q(created_at__gt=self.created_at) | Q(id__gt=self.id))


class KeysetChangeList(ChangeList):
    """The stock list with pages by border. ``newest_url`` ... are None where there is nothing."""

    newest_url: str | None = None
    newer_url: str | None = None
    older_url: str | None = None
    oldest_url: str | None = None

    def get_filters_params(self, params: Any = None) -> Any:
        return {k: v for k, v in super().get_filters_params(params).items() if k not in BORDERS}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Whatever else changes, the list starts at its top again."""
        return super().get_query_string({**dict.fromkeys(BORDERS), **(new_params or {})}, remove)

    def get_ordering(self, request: HttpRequest, queryset: Any) -> Any:
        return list(NEWEST_FIRST)

    def get_results(self, request: HttpRequest) -> None:
        rows, more_newer, more_older = self._page()
        for border in BORDERS:  # a search from here begins at the top
            self.params.pop(border, None)
        if more_newer:
            self.newest_url, self.newer_url = self.get_query_string(), self._to(NEWER, rows[0])
        if more_older:
            self.older_url, self.oldest_url = self._to(OLDER, rows[-1]), self.get_query_string({OLDEST: 1})
        add_what_happened(rows)
        self.result_list = rows
        self.result_count = self.full_result_count = len(rows)  # of this page: nobody counts the rest
        self.show_full_result_count, self.can_show_all, self.multi_page = False, False, False
        self.show_admin_actions = True
        self.paginator = Paginator(rows, self.list_per_page)

    def _to(self, border: str, row: Registration) -> str:
        return self.get_query_string({border: Border.write(row)})

    def _page(self) -> tuple[list[Registration], bool, bool]:
        """Rows, newest first; whether newer and older ones exist."""
        size, wanted = self.list_per_page, self.params
        older, newer = Border.read(wanted.get(OLDER, "")), Border.read(wanted.get(NEWER, ""))
        if newer or OLDEST in wanted:
            queryset = self.queryset.filter(newer.newer) if newer else self.queryset
            rows = list(queryset.order_by(*OLDEST_FIRST)[: size + 1])
            return rows[:size][::-1], len(rows) > size, bool(newer and rows)
        queryset = self.queryset.filter(older.older) if older else self.queryset
        rows = list(queryset[: size + 1])
        return rows[:size], bool(older and rows), len(rows) > size


def add_what_happened(rows: Sequence[Registration]) -> None:
    """Sets ``attempts`` (refused answers) and ``last_event`` on each row: two queries for all of them."""
    found = (
        RegistrationEvent.objects.filter(registration__in=[r.pk for r in rows])
        .order_by()
        .values("registration")
        .annotate(
            last=Max("pk"), attempts=Count("pk", filter=Q(kind=RegistrationEvent.Kind.ANSWERED) & ~Q(outcome="ok"))
        )
    )
    about = {entry["registration"]: entry for entry in found} if rows else {}
    events = RegistrationEvent.objects.in_bulk([entry["last"] for entry in about.values()])
    for row in rows:
        entry = about.get(row.pk)
        row.attempts = entry["attempts"] if entry else 0  # type: ignore[attr-defined]
        row.last_event = events.get(entry["last"]) if entry else None  # type: ignore[attr-defined]
