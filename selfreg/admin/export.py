"""The list as CSV, streamed in constant memory."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from selfreg.addresses import masked
from selfreg.models import Registration

ROWS_PER_QUERY = 2_000
# What a spreadsheet takes for the start of a formula (OWASP ASVS 5, 1.2.10), and the same in full width.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
COLUMNS = (
    "id", "email", "status", "step", "workflow", "email_verified_at", "issuer", "okta_user_id", "policy", "language",
    "country", "failure", "created_at", "updated_at", "expires_at", "finished_at", "erase_asked_at",
)  # fmt: skip


def safe(value: Any) -> str:
    """Returns a value as the text of one cell, which no spreadsheet takes for a formula."""
    text = value.isoformat() if isinstance(value, datetime) else "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def csv_lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yields each row as one line of CSV (RFC 4180), line break included."""
    writer = csv.writer(_Line())
    for row in rows:
        yield writer.writerow([safe(value) for value in row])


class _Line:
    """A file for ``csv.writer`` whose ``write`` returns the line, so that ``writerow`` returns it too."""

    def write(self, line: str) -> str:
        """Returns the line."""
        return line


def registrations_csv(queryset: QuerySet[Registration], *, whole_addresses: bool) -> StreamingHttpResponse:
    """Returns the rows as a file to download, newest first.

    :param whole_addresses: for administrators who may see them; else they are masked
    """
    rows = queryset.order_by("-created_at", "-id").values_list(*COLUMNS).iterator(chunk_size=ROWS_PER_QUERY)
    visible = rows if whole_addresses else ((id_, masked(email), *rest) for id_, email, *rest in rows)
    response = StreamingHttpResponse(_with_header(visible), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="registrations.csv"'
    return response


def _with_header(rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    yield from csv_lines([COLUMNS])
    yield from csv_lines(rows)
