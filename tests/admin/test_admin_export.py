"""Export of the list of registrations as CSV."""

import csv
import io
import sys
import unicodedata
import uuid
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg.admin import export
from selfreg.admin.export import csv_lines, safe
from selfreg.models import Registration
from selfreg.statuses import Status
from support.person import Person
from support.staff import LIST

pytestmark = pytest.mark.database

TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def export_rows(browser: Client, query: str = "") -> list[dict[str, str]]:
    response = browser.get(f"{LIST}export/?{query}")
    assert (response.status_code, response.streaming) == (200, True)
    return list(csv.DictReader(io.StringIO(response.getvalue().decode(), newline="")))


def test_export_contains_only_the_filtered_registrations(
    manager: Client, make_registration: Callable[..., Registration]
) -> None:
    make_registration(status=Status.EXPIRED)
    failed = make_registration(status=Status.FAILED, failure="no-way-on")
    assert [row["id"] for row in export_rows(manager, "status=failed")] == [str(failed.pk)]
    assert len(export_rows(manager)) == 2


def test_export_contains_all_pages_of_the_list(manager: Client, make_registration: Callable[..., Registration]) -> None:
    for _ in range(150):
        make_registration()
    assert len(export_rows(manager, "oldest=1")) == 150


def test_export_masks_addresses_without_the_permission_to_reveal_them(
    client: Client, manager: Client, make_registration: Callable[..., Registration]
) -> None:
    make_registration(email="ada@example.com")
    exporter = User.objects.create_user("exporter", is_staff=True)
    exporter.user_permissions.set(Permission.objects.filter(codename__in=["view_registration", "export_registration"]))
    client.force_login(exporter, backend="django.contrib.auth.backends.ModelBackend")
    assert export_rows(client)[0]["email"] == "a•••@example.com"
    assert export_rows(manager)[0]["email"] == "ada@example.com"


def test_export_is_logged_without_the_search_term(
    manager: Client, make_registration: Callable[..., Registration]
) -> None:
    make_registration(email="ada@example.com", email_canonical="ada@example.com")
    export_rows(manager, "q=ada@example.com&status=started")
    entry = LogEntry.objects.get()
    assert "full email addresses" in entry.change_message
    assert "status=started" in entry.change_message
    assert "ada" not in entry.change_message


def test_export_uses_few_queries_and_few_chunks(
    manager: Client, make_registration: Callable[..., Registration], django_assert_num_queries: Any
) -> None:
    for number in range(150):
        make_registration(email=f"person{number}@example.com")
    response = manager.get(f"{LIST}export/")
    with django_assert_num_queries(2):  # the second query finds no more rows
        chunks = list(response.streaming_content)  # type: ignore[attr-defined]
    assert len(chunks) == 2  # the header and the rows
    assert b"".join(chunks).count(b"\r\n") == 151


@pytest.mark.django_db(transaction=True)
def test_export_survives_a_new_database_connection_for_each_batch(
    manager: Client, make_registration: Callable[..., Registration], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection can change because of pgbouncer or a restart of PostgreSQL."""
    monkeypatch.setattr(export, "ROWS_PER_QUERY", 4)
    monkeypatch.setattr(export, "ROWS_PER_PIECE", 4)
    for _ in range(10):
        make_registration()
    # Many rows with the same timestamp, and one before and after.
    Registration.objects.filter(pk__in=Registration.objects.values("pk")[1:9]).update(created_at=timezone.now())
    response = manager.get(f"{LIST}export/")
    lines = []
    for chunk in response.streaming_content:  # type: ignore[attr-defined]
        lines.append(chunk)
        connection.close()
    exported_ids = [row["id"] for row in csv.DictReader(io.StringIO(b"".join(lines).decode(), newline=""))]
    newest_first = Registration.objects.order_by("-created_at", "-id").values_list("pk", flat=True)
    assert exported_ids == [str(pk) for pk in newest_first]


@pytest.mark.skipif("coverage" in sys.modules, reason="coverage counts function calls, too")
def test_export_of_a_row_takes_fewer_than_80_function_calls() -> None:
    """A million rows must be exported in less than a minute."""
    now = timezone.now()
    texts = ("ada.lovelace@example.com", "enrolling", "enroll-authenticator okta_email")
    row = (uuid.uuid4(), *texts, None, *[now] * 5)
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        list(csv_lines([row] * 1000))
    finally:
        sys.setprofile(None)
    assert calls < 80 * 1000


@pytest.mark.parametrize("trigger", TRIGGERS)
@pytest.mark.parametrize("rest", ["cmd|' /C calc'!A0", "1+1", "", '"quoted", and more'])
def test_exported_cells_never_start_like_a_formula(trigger: str, rest: str) -> None:
    assert not safe(trigger + rest).startswith(TRIGGERS)
    assert not safe(f" {trigger}{rest}").lstrip(" ").startswith(TRIGGERS)


# One example of each kind of sign, and all spaces and invisible characters of Unicode.
SIGNS = [
    *"=+-@|%",
    "﹦",
    "＝",
    "⁼",
    "₌",
    "⁺",
    "﹢",
    "＋",
    "﬩",
    "−",
    "﹣",
    "－",
    "‐",
    "–",
    "—",
    "﹫",
    "＠",
    "∑",
    "≠",
    "¬",
    "~",
]
SPACES = [chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) in ("Zs", "Zl", "Zp", "Cc", "Cf")]


def cells(line: str, delimiter: str) -> list[str]:
    """Parse the line with this delimiter."""
    return [cell for row in csv.reader(io.StringIO(line, newline=""), delimiter=delimiter) for cell in row]


def is_formula(cell: str) -> bool:
    """Return whether a spreadsheet that skips spaces, quotes and invisible characters may evaluate the cell."""
    start = cell.lstrip("".join(SPACES) + '"')[:1]
    return bool(start) and (start in SIGNS or unicodedata.normalize("NFKC", start) in tuple("=+-@|%"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "pipe"])
@pytest.mark.parametrize("sign", SIGNS)
def test_exported_cells_are_no_formulas_with_any_delimiter(sign: str, delimiter: str) -> None:
    hostile = [
        f"{sign}1+1",
        f"z@q;{sign}1+1;",
        f"a\t{sign}1",
        f"a,{sign}1",
        f'a;"{sign}1+1"',
        f'"{sign}1',
        f"a|{sign}1",
    ]
    hostile += [f"a@b;{space}{sign}1" for space in (" ", "\u00a0", "\u3000", "\ufeff", "\u200b", "\x1f")]
    for value in hostile:
        (line,) = csv_lines([["61d2", value, "started"]])
        assert [cell for cell in cells(line, delimiter) if is_formula(cell)] == [], value
        assert [cell for cell in line.split(delimiter) if is_formula(cell)] == [], value


def test_unicode_spaces_do_not_hide_a_formula() -> None:
    assert [hex(ord(space)) for space in SPACES if is_formula(safe(f"{space}=1+1"))] == []


def test_invalid_addresses_are_no_formulas_in_the_masked_export(
    client: Client, make_registration: Callable[..., Registration]
) -> None:
    for email in ("z@q;=1+1;", 'a@b;=HYPERLINK("//evil.test";"Open");', "a@b whole text", "=x@example.com"):
        make_registration(email=email)
    exporter = User.objects.create_user("exporter", is_staff=True)
    exporter.user_permissions.set(Permission.objects.filter(codename__in=["view_registration", "export_registration"]))
    client.force_login(exporter, backend="django.contrib.auth.backends.ModelBackend")
    response = client.get(f"{LIST}export/").getvalue().decode()
    assert [cell for line in response.splitlines() for cell in cells(line, ";") if is_formula(cell)] == []
    assert "HYPERLINK" not in response
    assert "whole text" not in response
    assert sorted(row["email"] for row in export_rows(client)) == ["'=•••@example.com", "a•••", "a•••", "z•••"]


@pytest.mark.parametrize("typed", ["z@q;=1+1;", "a@b whole text", '"a;b"@example.com', "a,b@example.com"])
def test_invalid_address_is_not_stored(db: None, org: OrgHandle, typed: str) -> None:
    Person(typed).opens_the_sign_up().submits_profile()
    assert [(row.email, row.email_canonical) for row in Registration.objects.all()] in ([], [("", "")])


def test_exported_formula_gets_an_apostrophe(manager: Client, make_registration: Callable[..., Registration]) -> None:
    make_registration(email='=1+1,"x"@example.com')
    assert export_rows(manager)[0]["email"] == '\'=1+1,"x"@example.com'


def test_export_rejects_lookups_other_than_the_filters(
    manager: Client, make_registration: Callable[..., Registration]
) -> None:
    make_registration()
    assert manager.get(f"{LIST}export/?email__startswith=a").status_code == 400
