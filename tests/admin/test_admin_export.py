"""The list as a file."""

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


def exported(browser: Client, query: str = "") -> list[dict[str, str]]:
    answer = browser.get(f"{LIST}export/?{query}")
    assert (answer.status_code, answer.streaming) == (200, True)
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode(), newline="")))


def test_it_holds_what_the_filter_leaves(manager: Client, registered: Callable[..., Registration]) -> None:
    registered(status=Status.EXPIRED)
    kept = registered(status=Status.FAILED, failure="no-way-on")
    assert [row["id"] for row in exported(manager, "status=failed")] == [str(kept.pk)]
    assert len(exported(manager)) == 2


def test_it_holds_all_of_it_from_whatever_page_it_was_asked_for(
    manager: Client, registered: Callable[..., Registration]
) -> None:
    for _ in range(150):
        registered()
    assert len(exported(manager, "oldest=1")) == 150


def test_addresses_are_masked_for_those_who_may_not_see_them(
    client: Client, manager: Client, registered: Callable[..., Registration]
) -> None:
    registered(email="ada@example.com")
    exporter = User.objects.create_user("exporter", is_staff=True)
    exporter.user_permissions.set(Permission.objects.filter(codename__in=["view_registration", "export_registration"]))
    client.force_login(exporter, backend="django.contrib.auth.backends.ModelBackend")
    assert exported(client)[0]["email"] == "a•••@example.com"
    assert exported(manager)[0]["email"] == "ada@example.com"


def test_an_export_is_written_down_without_what_was_searched_for(
    manager: Client, registered: Callable[..., Registration]
) -> None:
    registered(email="ada@example.com", email_canonical="ada@example.com")
    exported(manager, "q=ada@example.com&status=started")
    entry = LogEntry.objects.get()
    assert "full email addresses" in entry.change_message
    assert "status=started" in entry.change_message
    assert "ada" not in entry.change_message


def test_many_rows_are_few_statements_and_few_pieces(
    manager: Client, registered: Callable[..., Registration], django_assert_num_queries: Any
) -> None:
    for number in range(150):
        registered(email=f"person{number}@example.com")
    answer = manager.get(f"{LIST}export/")
    with django_assert_num_queries(2):  # the second finds no more
        pieces = list(answer.streaming_content)  # type: ignore[attr-defined]
    assert len(pieces) == 2  # the names of the columns, the rows
    assert b"".join(pieces).count(b"\r\n") == 151


@pytest.mark.django_db(transaction=True)
def test_each_batch_may_come_from_another_connection(
    manager: Client, registered: Callable[..., Registration], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from pgbouncer, or after PostgreSQL restarted while a long file was read."""
    monkeypatch.setattr(export, "ROWS_PER_QUERY", 4)
    monkeypatch.setattr(export, "ROWS_PER_PIECE", 4)
    for _ in range(10):
        registered()
    # Many at the same moment, and one before and after it.
    Registration.objects.filter(pk__in=Registration.objects.values("pk")[1:9]).update(created_at=timezone.now())
    answer = manager.get(f"{LIST}export/")
    lines = []
    for piece in answer.streaming_content:  # type: ignore[attr-defined]
        lines.append(piece)
        connection.close()
    exported_ids = [row["id"] for row in csv.DictReader(io.StringIO(b"".join(lines).decode(), newline=""))]
    newest_first = Registration.objects.order_by("-created_at", "-id").values_list("pk", flat=True)
    assert exported_ids == [str(pk) for pk in newest_first]


@pytest.mark.skipif("coverage" in sys.modules, reason="coverage counts function calls, too")
def test_an_ordinary_row_costs_few_function_calls() -> None:
    """A million of them are exported in less than a minute."""
    moment = timezone.now()
    texts = ("ada.lovelace@example.com", "enrolling", "enroll-authenticator okta_email")
    row = (uuid.uuid4(), *texts, None, *[moment] * 5)
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
def test_no_cell_is_a_formula(trigger: str, rest: str) -> None:
    assert not safe(trigger + rest).startswith(TRIGGERS)
    assert not safe(f" {trigger}{rest}").lstrip(" ").startswith(TRIGGERS)


# One of each kind of sign and of space that Unicode has.
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
    """As a program reads the line that takes this character for the separator."""
    return [cell for row in csv.reader(io.StringIO(line, newline=""), delimiter=delimiter) for cell in row]


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet that skips spaces, quotes and what shows nothing may calculate the cell."""
    start = cell.lstrip("".join(SPACES) + '"')[:1]
    return bool(start) and (start in SIGNS or unicodedata.normalize("NFKC", start) in tuple("=+-@|%"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "pipe"])
@pytest.mark.parametrize("sign", SIGNS)
def test_no_cell_is_a_formula_whatever_separates_the_cells(sign: str, delimiter: str) -> None:
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


def test_no_space_of_unicode_hides_a_formula() -> None:
    assert [hex(ord(space)) for space in SPACES if is_formula(safe(f"{space}=1+1"))] == []


def test_an_address_that_is_none_is_no_formula_in_the_masked_export_either(
    client: Client, registered: Callable[..., Registration]
) -> None:
    for email in ("z@q;=1+1;", 'a@b;=HYPERLINK("//evil.test";"Open");', "a@b whole text", "=x@example.com"):
        registered(email=email)
    exporter = User.objects.create_user("exporter", is_staff=True)
    exporter.user_permissions.set(Permission.objects.filter(codename__in=["view_registration", "export_registration"]))
    client.force_login(exporter, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(f"{LIST}export/").getvalue().decode()
    assert [cell for line in answer.splitlines() for cell in cells(line, ";") if is_formula(cell)] == []
    assert "HYPERLINK" not in answer
    assert "whole text" not in answer
    assert sorted(row["email"] for row in exported(client)) == ["'=•••@example.com", "a•••", "a•••", "z•••"]


@pytest.mark.parametrize("typed", ["z@q;=1+1;", "a@b whole text", '"a;b"@example.com', "a,b@example.com"])
def test_an_address_that_is_none_is_not_kept_in_the_row(db: None, org: OrgHandle, typed: str) -> None:
    Person(typed).opens_the_sign_up().tells_who_she_is()
    assert [(row.email, row.email_canonical) for row in Registration.objects.all()] in ([], [("", "")])


def test_what_people_typed_survives_the_file(manager: Client, registered: Callable[..., Registration]) -> None:
    registered(email='=1+1,"x"@example.com')
    assert exported(manager)[0]["email"] == '\'=1+1,"x"@example.com'


def test_it_never_asks_for_more_than_a_filter(manager: Client, registered: Callable[..., Registration]) -> None:
    registered()
    assert manager.get(f"{LIST}export/?email__startswith=a").status_code == 400
