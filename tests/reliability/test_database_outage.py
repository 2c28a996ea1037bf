"""A restart or failover of the database: visitors get a page with a retry, and no registration is lost."""

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
    """Queries that start with one of these words fail as on a closed connection; "" means every query."""
    left = [times]

    def refuse(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        if left[0] and statement.lstrip().startswith(kinds):
            left[0] -= 1
            raise OperationalError("terminating connection due to administrator command")
        return execute(statement, *rest)

    with connection.execute_wrapper(refuse):
        yield


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_connections, "PAUSES", (0.0, 0.0, 0.01))


def cut_connections() -> None:
    """Closes all connections, like a restart of PostgreSQL."""
    configured = connection.settings_dict
    login = {
        "host": configured["HOST"],
        "port": configured["PORT"],
        "user": configured["USER"],
        "password": configured["PASSWORD"],
    }
    with psycopg.connect(dbname="postgres", autocommit=True, **{k: v for k, v in login.items() if v}) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [configured["NAME"]]
        )


@pytest.mark.parametrize("page", ["/signup/", "/signup/step/", "/signup/done/", "/signup/verify/?otp=123456&state=x"])
def test_every_sign_up_page_links_back_to_the_step_during_an_outage(person: Person, org: OrgHandle, page: str) -> None:
    person.opens_the_sign_up().submits_profile()
    with queries_fail("SELECT"):
        person.opens(page)
    assert (person.status, person.heading) == (503, "That didn't work just now")
    assert "Retry-After: " in person.seen[-1].headers
    assert "123456" not in person.seen[-1].body
    assert person.follows("Try again").heading == "Check your email"


def test_pages_of_the_site_link_to_themselves_during_an_outage(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    with queries_fail("SELECT"):
        person.opens("/members/?secret=1")
    assert person.status == 503
    assert person.follows("Try again").page.url.endswith("/members/")


def test_a_session_that_cannot_be_saved_shows_the_outage_page(org: OrgHandle, person: Person) -> None:
    person.browser.raise_request_exception = False
    with queries_fail("INSERT", "UPDATE"):
        person.opens("/signup/")
    assert (person.status, person.heading) == (503, "That didn't work just now")
    assert person.opens("/signup/").heading == "Create your account"


def test_api_clients_get_a_problem_document_during_an_outage(client: Client, org: OrgHandle) -> None:
    client.cookies["sessionid"] = "x" * 32
    with queries_fail("SELECT", "INSERT"):
        answer = client.get("/signup/api/step/")
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (503, "database")
    assert answer["Retry-After"]


def test_other_errors_in_queries_are_not_handled_as_an_outage(client: Client, org: OrgHandle) -> None:
    """Only an outage has a retry."""
    client.raise_request_exception = False
    client.cookies["sessionid"] = "x" * 32

    def wrong(*_: Any) -> None:
        raise ValueError("a bug")

    with connection.execute_wrapper(wrong):
        assert client.get("/signup/step/").status_code == 500


@pytest.mark.parametrize("path", ["/signup/step/", "/admin/"])
def test_missing_tables_of_an_unapplied_migration_have_status_503(client: Client, org: OrgHandle, path: str) -> None:
    """As between the deployment of a new version and `migrate`."""

    def missing(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        if "django_session" in statement:
            raise ProgrammingError('column "from_a_later_version" does not exist')
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
def test_connections_closed_during_a_call_do_not_interrupt_a_sign_up(
    person: Person, org: OrgHandle, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Person("grace@example.com").opens_the_sign_up()  # the form is cached
    person.opens_the_sign_up()
    cuts = cut_after_each_call(path, monkeypatch)
    person.submits_profile().chooses("Email").types_the_code_from(org).chooses("Password").sets_a_password()
    assert cuts
    assert person.is_signed_in
    assert Registration.objects.get().status == Status.COMPLETED
    assert User.objects.count() == len(org.users) == 1


@on_postgresql
def test_connections_closed_during_a_call_with_a_lost_answer_do_not_interrupt_a_sign_up(
    person: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rate limits of the call are refunded first, on the closed connection."""
    Person("grace@example.com").opens_the_sign_up()  # the form is cached: a browser that saw it has no session
    person.opens_the_sign_up()
    org.fail("/credential/enroll", "after", times=1)
    monkeypatch.setattr(exchange, "PATIENCE_SECONDS", -1.0)  # as after a long wait: the org is not asked again now
    cuts = cut_after_each_call("/credential/enroll", monkeypatch)
    person.submits_profile()
    assert cuts
    assert [shown.status for shown in person.seen if shown.status >= 400] == []
    person.completes_the_sign_up(org)
    assert person.is_signed_in
    assert User.objects.count() == len(org.users) == 1


@on_postgresql
def test_connections_closed_before_a_session_is_saved_do_not_lose_the_session(
    person: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django treats this failure like a deleted session."""
    Person("grace@example.com").opens_the_sign_up()
    person.opens_the_sign_up()
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store["basket"] = "of the site"
    store.create()
    person.browser.cookies[settings.SESSION_COOKIE_NAME] = store.session_key
    cuts = cut_after_each_call("/interact", monkeypatch)
    person.submits_profile()
    assert cuts
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
def test_the_first_submission_is_kept_in_the_session_during_an_outage(
    person: Person, org: OrgHandle, settings: Any, engine: str, table: str, times: float
) -> None:
    """The browser had no session. The outage page sets its cookie if the database has recovered."""
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    Person("grace@example.com").opens_the_sign_up()
    person.opens_the_sign_up()
    assert "sessionid" not in person.browser.cookies
    person.browser.raise_request_exception = False
    with writes_fail(after="/enroll/new", table=table, times=times):
        person.submits_profile()
    assert person.status == 503
    Registration.objects.update(busy_until="2020-01-01T00:00:00Z")
    person.opens("/signup/step/").completes_the_sign_up(org)
    assert person.is_signed_in
    assert User.objects.count() == len(org.users) == 1


@pytest.mark.django_db(transaction=True)
def test_the_first_submission_of_an_api_client_is_kept_in_the_session_during_an_outage(org: OrgHandle) -> None:
    Person("grace@example.com").opens_the_sign_up()
    app = AppClient()
    with writes_fail(after="/enroll/new", table="selfreg_registration"):
        app.begins()
    assert app.problem == "database"
    Registration.objects.update(busy_until="2020-01-01T00:00:00Z")
    app.get("step/").chooses("Email").submits(credentials__passcode=org.code(app.email)).chooses("Password")
    app.sets_a_password()
    assert User.objects.count() == len(org.users) == 1


def cut_after_each_call(path: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Closes all connections after each call to a path. Returns a list that grows each time."""
    real, urls = Transport.fetch, []

    def fetch(self: Transport, method: str, url: str, *rest: Any) -> RawReply:
        try:
            return real(self, method, url, *rest)
        finally:
            if url.endswith(path):
                cut_connections()
                urls.append(url)

    monkeypatch.setattr(Transport, "fetch", fetch)
    return urls


@pytest.mark.parametrize("state", ["busy", "in doubt"])
def test_submitting_the_same_address_again_continues_the_registration(
    person: Person, org: OrgHandle, state: str
) -> None:
    """The org has the account, and its answer could not be stored."""
    person.opens_the_sign_up()
    with writes_fail(after="/enroll/new"):
        person.submits_profile()
    assert person.status == 503
    if state == "in doubt":
        Registration.objects.update(busy_until="2020-01-01T00:00:00Z")
    person.opens("/signup/").submits_profile()
    assert "already exists" not in person.page.text
    Registration.objects.update(busy_until="2020-01-01T00:00:00Z")
    assert person.opens("/signup/step/").heading == "Secure your account"
    assert len(org.users) == Registration.objects.count() == 1
