"""The database restarts, or another server takes over: a page with a way back instead of an error, and nobody lost."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, ProgrammingError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from okta_devorg import OrgHandle
from selfreg import database_connections
from selfreg.idx.transport import RawReply, Transport
from selfreg.models import Registration
from selfreg.registration import exchange
from selfreg.statuses import Status
from support.app_client import AppClient
from support.database_faults import writes_fail
from support.person import Person

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="cuts connections of PostgreSQL")


@contextmanager
def queries_fail(*kinds: str, times: int = 1_000) -> Iterator[None]:
    """Queries that begin with one of these words fail as those on a connection that was cut; "" means every query."""
    left = [times]

    def refuse(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        if left[0] and statement.lstrip().startswith(kinds):
            left[0] -= 1
            raise OperationalError("terminating connection due to administrator command")
        return execute(statement, *rest)

    with connection.execute_wrapper(refuse):
        yield


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_connections, "PAUSES", (0.0, 0.0, 0.01))


def cut_connections() -> None:
    """As a restart of PostgreSQL does it with each."""
    known = connection.settings_dict
    login = {"host": known["HOST"], "port": known["PORT"], "user": known["USER"], "password": known["PASSWORD"]}
    with psycopg.connect(dbname="postgres", autocommit=True, **{k: v for k, v in login.items() if v}) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [known["NAME"]]
        )


@pytest.mark.parametrize("page", ["/signup/", "/signup/step/", "/signup/done/", "/signup/verify/?otp=123456&state=x"])
def test_every_page_leads_back_to_the_step(person: Person, org: OrgHandle, page: str) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    with queries_fail("SELECT"):
        person.opens(page)
    assert (person.status, person.heading) == (503, "That didn't work just now")
    assert "Retry-After: " in person.seen[-1].headers
    assert "123456" not in person.seen[-1].body
    assert person.follows("Try again").heading == "Check your email"


def test_pages_of_the_site_lead_back_to_themselves(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    with queries_fail("SELECT"):
        person.opens("/members/?secret=1")
    assert person.status == 503
    assert person.follows("Try again").page.url.endswith("/members/")


def test_a_session_that_cannot_be_saved_is_no_error_either(org: OrgHandle, person: Person) -> None:
    person.browser.raise_request_exception = False
    with queries_fail("INSERT", "UPDATE"):
        person.opens("/signup/")
    assert (person.status, person.heading) == (503, "That didn't work just now")
    assert person.opens("/signup/").heading == "Create your account"


def test_apps_get_a_problem(client: Client, org: OrgHandle) -> None:
    client.cookies["sessionid"] = "x" * 32
    with queries_fail("SELECT", "INSERT"):
        answer = client.get("/signup/api/step/")
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (503, "database")
    assert answer["Retry-After"]


def test_a_wrong_query_is_still_an_error(client: Client, org: OrgHandle) -> None:
    """Only outages are a matter of trying again."""
    client.raise_request_exception = False
    client.cookies["sessionid"] = "x" * 32

    def wrong(*_: Any) -> None:
        raise ValueError("a bug")

    with connection.execute_wrapper(wrong):
        assert client.get("/signup/step/").status_code == 500


@pytest.mark.parametrize("path", ["/signup/step/", "/admin/"])
def test_tables_of_a_migration_to_come_are_a_matter_of_trying_again(client: Client, org: OrgHandle, path: str) -> None:
    """As between the start of a new version and `migrate`."""

    def missing(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        if "django_session" in statement:
            raise ProgrammingError('column "of_tomorrow" does not exist')
        return execute(statement, *rest)

    client.raise_request_exception = False
    client.cookies["sessionid"] = "x" * 32
    with connection.execute_wrapper(missing):
        assert client.get(path).status_code == 500
        newest = MigrationRecorder.Migration.objects.filter(app="selfreg").latest("id")
        newest.delete()
        answer = client.get(path)
        newest.save()
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")


@on_postgresql
@pytest.mark.parametrize("path", ["/interact", "/enroll/new", "/credential/enroll", "/challenge/answer", "/token"])
def test_connections_that_are_cut_during_a_call_are_not_felt(
    person: Person, org: OrgHandle, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Person("grace@example.com").opens_the_sign_up()  # the form is cached
    person.opens_the_sign_up()
    cutting = after_each_call(path, monkeypatch)
    person.tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password").sets_a_password()
    assert cutting
    assert person.is_signed_in
    assert Registration.objects.get().status == Status.COMPLETED
    assert User.objects.count() == len(org.users) == 1


@on_postgresql
def test_connections_that_are_cut_during_a_call_whose_answer_is_lost_are_not_felt(
    person: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its limits are refunded first, on the connection that is no more."""
    Person("grace@example.com").opens_the_sign_up()  # the form is cached: a browser that saw it has no session
    person.opens_the_sign_up()
    org.fail("/credential/enroll", "after", times=1)
    monkeypatch.setattr(exchange, "PATIENCE_SECONDS", -1.0)  # as after a long wait: the org is not asked again now
    cutting = after_each_call("/credential/enroll", monkeypatch)
    person.tells_who_she_is()
    assert cutting
    assert [shown.status for shown in person.seen if shown.status >= 400] == []
    person.does_whatever_the_page_asks(org)
    assert person.is_signed_in
    assert User.objects.count() == len(org.users) == 1


@on_postgresql
def test_connections_that_are_cut_before_a_session_is_saved_cost_nobody_the_session(
    person: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django tells no such failure from a session that was deleted."""
    Person("grace@example.com").opens_the_sign_up()
    person.opens_the_sign_up()
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store["basket"] = "of the site"
    store.create()
    person.browser.cookies[settings.SESSION_COOKIE_NAME] = store.session_key
    cutting = after_each_call("/interact", monkeypatch)
    person.tells_who_she_is()
    assert cutting
    assert person.heading == "Check your email"
    assert person.browser.session["basket"] == "of the site"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("engine", "table", "times"),
    [
        ("db", "selfreg_registration", math.inf),
        ("cached_db", "selfreg_registration", math.inf),
        ("signed_cookies", "selfreg_registration", math.inf),
        ("db", "django_session", 1),
        ("cached_db", "django_session", 1),
    ],
)
def test_a_first_form_that_meets_an_outage_is_known_to_its_browser(
    person: Person, org: OrgHandle, settings: Any, engine: str, table: str, times: float
) -> None:
    """The browser had no session. The page of the outage brings it, if the database is back by then."""
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    Person("grace@example.com").opens_the_sign_up()
    person.opens_the_sign_up()
    assert "sessionid" not in person.browser.cookies
    person.browser.raise_request_exception = False
    with writes_fail(after="/enroll/new", table=table, times=times):
        person.tells_who_she_is()
    assert person.status == 503
    Registration.objects.update(busy_until="2020-01-01T00:00:00Z")
    person.opens("/signup/step/").does_whatever_the_page_asks(org)
    assert person.is_signed_in
    assert User.objects.count() == len(org.users) == 1


@pytest.mark.django_db(transaction=True)
def test_an_outage_at_the_first_values_of_the_json_api_leaves_them_to_their_browser(org: OrgHandle) -> None:
    Person("grace@example.com").opens_the_sign_up()
    app = AppClient()
    with writes_fail(after="/enroll/new", table="selfreg_registration"):
        app.begins()
    assert app.problem == "database"
    Registration.objects.update(busy_until="2020-01-01T00:00:00Z")
    app.get("step/").chooses("Email").submits(credentials__passcode=org.code(app.email)).chooses("Password")
    app.sets_a_password()
    assert User.objects.count() == len(org.users) == 1


def after_each_call(path: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Cuts all connections after each call to a path; returns a list that grows with each cut."""
    real, cuts = Transport.fetch, []

    def fetch(self: Transport, method: str, url: str, *rest: Any) -> RawReply:
        try:
            return real(self, method, url, *rest)
        finally:
            if url.endswith(path):
                cut_connections()
                cuts.append(url)

    monkeypatch.setattr(Transport, "fetch", fetch)
    return cuts


@pytest.mark.parametrize("state", ["busy", "in doubt"])
def test_who_starts_again_with_the_same_address_is_led_back(person: Person, org: OrgHandle, state: str) -> None:
    """The org has the account, and its answer could not be written."""
    person.opens_the_sign_up()
    with writes_fail(after="/enroll/new"):
        person.tells_who_she_is()
    assert person.status == 503
    if state == "in doubt":
        Registration.objects.update(busy_until="2020-01-01T00:00:00Z")
    person.opens("/signup/").tells_who_she_is()
    assert "already exists" not in person.page.text
    Registration.objects.update(busy_until="2020-01-01T00:00:00Z")
    assert person.opens("/signup/step/").heading == "Secure your account"
    assert len(org.users) == Registration.objects.count() == 1
