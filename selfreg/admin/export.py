"""Exports the list as CSV, streamed with constant memory."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice, takewhile
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from selfreg.conf import has_several_orgs
from selfreg.email_addresses import masked
from selfreg.models import Registration

ROWS_PER_QUERY, ROWS_PER_PIECE = 2_000, 200
# What a formula begins with (OWASP ASVS 5, 1.2.10). Unicode has variants of these signs.
SIGNS = frozenset("=+-@|%")
SIGN_CATEGORIES = ("Sm", "Pd")
# Programs that expect another separator split lines at these, even inside quotes.
SEPARATORS = frozenset(",;|\t\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")
SPLITS = re.compile(f"[{re.escape(''.join(sorted(SEPARATORS)))}]")
COLUMNS = (
    "id", "email", "status", "step", "workflow", "email_verified_at", "issuer", "okta_user_id", "policy", "language",
    "country", "failure", "created_at", "updated_at", "expires_at", "finished_at", "erase_asked_at",
)  # fmt: skip


def safe(value: Any) -> str:
    """Return the text of a cell that no spreadsheet reads as a formula, even if it splits the cell."""
    text = value.isoformat() if isinstance(value, datetime) else "" if value is None else str(value)
    # Nearly every cell: a letter or digit begins it, and nothing splits it.
    if not text or (text.isascii() and text[0].isalnum() and not SPLITS.search(text)):
        return text
    pieces, at_start = [], True
    for character in text:
        if at_start and _is_sign(character):
            pieces.append("'")
        pieces.append(character)
        at_start = character in SEPARATORS or (at_start and _is_blank(character))
    result = "".join(pieces)
    blanks = takewhile(_is_blank, result)
    return f"'{result}" if any(c not in ' "' for c in blanks) else result


def _is_sign(character: str) -> bool:
    plain = unicodedata.normalize("NFKC", character)[:1]
    return plain in SIGNS or unicodedata.category(character) in SIGN_CATEGORIES


def _is_blank(character: str) -> bool:
    """Return whether a program may ignore the character at the start of a cell: white space, invisible, or a quote."""
    return character == '"' or unicodedata.category(character)[0] in "ZC"


def csv_lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield the rows as lines of CSV (RFC 4180), many at a time: a server sends each piece by itself."""
    left = iter(rows)
    while some := list(islice(left, ROWS_PER_PIECE)):
        lines = io.StringIO(newline="")
        csv.writer(lines).writerows([safe(value) for value in row] for row in some)
        yield lines.getvalue()


def columns() -> tuple[str, ...]:
    """Return the columns of the file. Sites with several orgs also get the org."""
    return (*COLUMNS, "org") if has_several_orgs() else COLUMNS


def registrations_csv(queryset: QuerySet[Registration], *, whole_addresses: bool) -> StreamingHttpResponse:
    """Return the rows as a file to download, newest first.

    :param whole_addresses: False masks the addresses
    """
    rows = _rows(queryset)
    visible = rows if whole_addresses else ((id_, masked(email), *rest) for id_, email, *rest in rows)
    response = StreamingHttpResponse(_with_header(visible), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="registrations.csv"'
    return response


def _rows(queryset: QuerySet[Registration]) -> Iterator[tuple[Any, ...]]:
    """Yield all rows in batches: a cursor of the server would not outlive a transaction of pgbouncer."""
    rows = queryset.order_by("-created_at", "-id").values_list(*columns())
    batch = list(rows[:ROWS_PER_QUERY])
    while batch:
        yield from batch
        last, moment = batch[-1][0], batch[-1][COLUMNS.index("created_at")]
        left = rows.filter(created_at__lte=moment).exclude(created_at=moment, id__gte=last)
        batch = list(left[:ROWS_PER_QUERY])


def _with_header(rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    yield from csv_lines([columns()])
    yield from csv_lines(rows)
