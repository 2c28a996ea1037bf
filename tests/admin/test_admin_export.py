"""The list as a file."""

import csv
import io
from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from selfreg.admin.export import safe
from selfreg.models import Registration
from selfreg.statuses import Status
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
    assert "full e-mail addresses" in entry.change_message
    assert "status=started" in entry.change_message
    assert "ada" not in entry.change_message


@pytest.mark.parametrize("trigger", TRIGGERS)
@pytest.mark.parametrize("rest", ["cmd|' /C calc'!A0", "1+1", "", '"quoted", and more'])
def test_no_cell_is_a_formula(trigger: str, rest: str) -> None:
    assert not safe(trigger + rest).startswith(TRIGGERS)
    assert not safe(f" {trigger}{rest}").lstrip(" ").startswith(TRIGGERS)


def test_what_people_typed_survives_the_file(manager: Client, registered: Callable[..., Registration]) -> None:
    registered(email='=1+1,"x"@example.com')
    assert exported(manager)[0]["email"] == '\'=1+1,"x"@example.com'


def test_it_never_asks_for_more_than_a_filter(manager: Client, registered: Callable[..., Registration]) -> None:
    registered()
    assert manager.get(f"{LIST}export/?email__startswith=a").status_code == 400
