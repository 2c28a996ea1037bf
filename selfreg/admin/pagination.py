"""A change list whose pages cost the same for a table of any size: no COUNT, no OFFSET, no unindexed sorting.

It uses keyset pagination: ``?older=`` and ``?newer=`` have the time and id of the row next to the page, and ``?oldest``
is the last page. One more row than shown is read, to know whether there is another page.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest

from selfreg.admin.columns import add_activity
from selfreg.models import Registration

OLDER, NEWER, OLDEST = "older", "newer", "oldest"
PAGE_PARAMETERS = (OLDER, NEWER, OLDEST)
NEWEST_FIRST, OLDEST_FIRST = ("-created_at", "-id"), ("created_at", "id")


@dataclass(frozen=True, slots=True)
class Border:
    """The row next to a page, by the columns that order the list."""

    created_at: datetime
    id: uuid.UUID

    @classmethod
    def parse(cls, text: str) -> "Border | None":
        """Read what ``serialize`` wrote; None for anything else."""
        moment, _, key = text.rpartition("_")
        try:
            created_at = datetime.fromisoformat(moment)
            return cls(created_at.astimezone(UTC), uuid.UUID(key)) if created_at.tzinfo else None
        except (ValueError, OverflowError):
            return None

    @staticmethod
    def serialize(registration: Registration) -> str:
        """Return the text for a URL that stands for this row."""
        return f"{registration.created_at.isoformat()}_{registration.pk.hex}"

    @property
    def older(self) -> Q:
        """The condition for rows after the border."""
        return Q(created_at__lte=self.created_at) & (Q(created_at__lt=self.created_at) | Q(id__lt=self.id))

    @property
    def newer(self) -> Q:
        """The condition for rows before the border."""
        return Q(created_at__gte=self.created_at) & (Q(created_at__gt=self.created_at) | Q(id__gt=self.id))


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a page, newest first, and whether there are more on either side."""

    rows: list[Registration]
    has_newer: bool
    has_older: bool


class KeysetChangeList(ChangeList):
    """Django's change list with keyset pagination.

    ``queryset`` has all rows that match the filters, on whatever page. The four URLs are for the template, and None if
    there is no such page.
    """

    newest_url: str | None = None
    newer_url: str | None = None
    older_url: str | None = None
    oldest_url: str | None = None

    def get_filters_params(self, params: Any = None) -> Any:
        """Return the parameters of the filters, without those of the page."""
        return {k: v for k, v in super().get_filters_params(params).items() if k not in PAGE_PARAMETERS}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Return the query string with changes. It leads to the first page, unless ``new_params`` have another."""
        return super().get_query_string({**dict.fromkeys(PAGE_PARAMETERS), **(new_params or {})}, remove)

    def get_ordering(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the only possible order, newest first."""
        return list(NEWEST_FIRST)

    def get_results(self, request: HttpRequest) -> None:
        """Set what Django's templates need. The counts are those of the page."""
        page = self._page()
        add_activity(page.rows)
        for parameter in PAGE_PARAMETERS:  # the search form repeats ``params``, and a search starts at the first page
            self.params.pop(parameter, None)
        if page.has_newer:
            self.newest_url, self.newer_url = self.get_query_string(), self._url(NEWER, page.rows[0])
        if page.has_older:
            self.older_url, self.oldest_url = self._url(OLDER, page.rows[-1]), self.get_query_string({OLDEST: 1})
        self.result_list = page.rows
        self.result_count = self.full_result_count = len(page.rows)
        self.show_full_result_count, self.can_show_all, self.multi_page = False, False, False
        self.show_admin_actions = True
        self.paginator = Paginator(page.rows, self.list_per_page)

    def _url(self, parameter: str, row: Registration) -> str:
        return self.get_query_string({parameter: Border.serialize(row)})

    def _page(self) -> Page:
        size, queryset = self.list_per_page, self.queryset
        older, newer = Border.parse(self.params.get(OLDER, "")), Border.parse(self.params.get(NEWER, ""))
        if newer or OLDEST in self.params:
            queryset = queryset.filter(newer.newer) if newer else queryset
            rows = list(queryset.order_by(*OLDEST_FIRST)[: size + 1])
            return Page(rows[:size][::-1], has_newer=len(rows) > size, has_older=bool(newer and rows))
        queryset = queryset.filter(older.older) if older else queryset
        rows = list(queryset[: size + 1])
        return Page(rows[:size], has_newer=bool(older and rows), has_older=len(rows) > size)
