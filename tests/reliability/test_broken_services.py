"""Failures of database, network, cache and mail in commands and admin actions: an error message, never a traceback."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
import requests
import urllib3
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import InterfaceError, OperationalError, ProgrammingError, connection, transaction
from django.test import Client
from requests.adapters import HTTPAdapter

from okta_devorg import OrgHandle
from selfreg.admin.actions import ACTIONS
from selfreg.models import Registration
from selfreg.statuses import Status
from support.local_org.management_api import TOKEN
from support.person import Person
from support.staff import LIST

pytestmark = pytest.mark.django_db

Break = Callable[[], Any]


class CacheError(Exception):
    """An error of a cache client. Such errors have no common base class."""


NETWORK = (
    requests.ConnectionError("refused"),
    requests.ReadTimeout("slow"),
    requests.exceptions.SSLError("bad certificate"),
    requests.exceptions.ChunkedEncodingError("cut"),
    requests.exceptions.ContentDecodingError("no gzip"),
    requests.exceptions.InvalidURL("no URL"),
    requests.exceptions.InvalidHeader("no header"),
    urllib3.exceptions.LocationParseError("label too long"),
    urllib3.exceptions.ProtocolError("cut"),
    UnicodeError("label empty or too long"),
    OSError(24, "Too many open files"),
)
DATABASE = (
    OperationalError("server closed the connection unexpectedly"),
    InterfaceError("connection already closed"),
    ProgrammingError('relation "selfreg_registration" does not exist'),
)
MAIL = (SMTPServerDisconnected("gone"), OSError("refused"), ValueError("a library's own"), RuntimeError("quota"))
MOST_CALLS = 80


class Breaker:
    """Allows a number of calls, and raises an error in all later ones."""

    def __init__(self, error: Exception, allowed: int) -> None:
        self.error, self.allowed, self.has_broken = error, allowed, False

    def __call__(self) -> None:
        self.allowed -= 1
        if self.allowed < 0:
            self.has_broken = True
            raise self.error

    def statement(self, execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        if "SAVEPOINT" not in statement:  # of the test's own transaction
            self()
        return execute(statement, *rest)


@contextmanager
def broken_database(breaker: Breaker) -> Iterator[None]:
    try:
        with connection.execute_wrapper(breaker.statement):
            yield
    finally:
        connection.needs_rollback = False


@contextmanager
def broken_network(breaker: Breaker) -> Iterator[None]:
    real = HTTPAdapter.send

    def send(*args: Any, **options: Any) -> Any:
        breaker()
        return real(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPAdapter, "send", send)
        yield


@contextmanager
def broken_cache(breaker: Breaker) -> Iterator[None]:
    def call(*args: Any, **options: Any) -> Any:
        breaker()

    with pytest.MonkeyPatch.context() as patch:
        for name in ("get", "set", "add", "delete", "get_many", "set_many", "incr", "clear"):
            patch.setattr(f"django.core.cache.backends.locmem.LocMemCache.{name}", call)
        yield


FAILURES = [
    *((broken_network, error) for error in NETWORK),
    *((broken_database, error) for error in DATABASE),
    (broken_cache, CacheError("redis://:canary-password@cache")),
]
# Every command and action meets these, and a few meet all the others, too: the same code turns them into a sentence.
TYPICAL = (requests.ConnectionError, OperationalError, CacheError)
FEW = ("selfreg_doctor", "selfreg_recover --accounts report", "selfreg_setup_org --yes", "resend", "examine")
COMMANDS = (
    "selfreg_doctor",
    "selfreg_doctor --json",
    "selfreg_recover --accounts report",
    "selfreg_recover --accounts remove",
    "selfreg_recover --accounts activate",
    "selfreg_recover --dry-run",
    "selfreg_purge",
    "selfreg_purge --dry-run",
    "selfreg_erase ada@example.com --with-sessions",
    "selfreg_erase ada@example.com --with-user",
    "selfreg_erase ada@example.com --with-user --dry-run",
    "selfreg_roles",
    "selfreg_join 00u1a2b3c4D5E6F7g8h9 olda --by root",
    "selfreg_setup_org --dry-run",
    "selfreg_setup_org --yes",
    "selfreg_setup_org --undo --yes",
)


def failure_params(names: Iterable[str], failures: Sequence[tuple[Any, Exception]]) -> list[Any]:
    """Parameters: what breaks, with which error, in which command or action."""
    return [
        pytest.param(
            broken_service,
            error,
            name,
            id=f"{broken_service.__name__.removeprefix('broken_')}-{type(error).__name__}-{name}",
            marks=() if name in FEW or type(error) in TYPICAL else pytest.mark.nightly,
        )
        for name in names
        for broken_service, error in failures
    ]


@pytest.fixture
def rows(person: Person, org: OrgHandle, configure: Callable[..., None], tmp_path: Path) -> Iterator[None]:
    """A site with a registration in doubt, a completed one, and the users that the commands name."""
    configure(API_TOKEN=TOKEN, RESEND_SECONDS=0)
    User.objects.create_user("olda", password="x")
    User.objects.create_superuser("root")
    person.signs_up(org)
    other = Person("bob@example.com")
    other.opens_the_sign_up().submits_profile().chooses("Email")
    Registration.objects.filter(status=Status.ENROLLING).update(unsure=True)
    before = os.getcwd()
    os.chdir(tmp_path)
    yield
    os.chdir(before)


def run(command: str) -> str:
    """The output of a command. Only exceptions that Django prints as a message are caught."""
    out = StringIO()
    try:
        call_command(*command.split(), stdout=out, stderr=out)
    except CommandError as error:
        return f"{out.getvalue()}\n{error}"
    except SystemExit:
        pass
    return out.getvalue()


@pytest.mark.parametrize(("broken_service", "error", "command"), failure_params(COMMANDS, FAILURES))
def test_a_command_reports_a_failure_without_a_traceback(
    rows: None, broken_service: Callable[..., Any], error: Exception, command: str
) -> None:
    for allowed in range(MOST_CALLS):
        breaker = Breaker(error, allowed)
        with broken_service(breaker):
            output = run(command)
        assert "canary" not in output
        if not breaker.has_broken:
            break


def test_the_doctor_prints_its_findings_if_the_database_fails(rows: None) -> None:
    with broken_database(Breaker(DATABASE[0], 0)):
        output = run("selfreg_doctor")
    assert "warnings: " in output
    assert "The database failed (OperationalError)" in output


def test_erase_reports_sessions_that_could_not_be_ended_in_the_cache(rows: None, settings: Any) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
    Person().opens("/oidc/authenticate/").signs_in_at_the_org()
    with broken_cache(Breaker(CacheError("redis://:canary-password@cache"), 0)):
        output = run("selfreg_erase ada@example.com --with-sessions")
    assert "their cache failed (CacheError)" in output
    assert "canary" not in output


# ---- the admin

ADMIN_FAILURES = [broken_service for broken_service in FAILURES if not isinstance(broken_service[1], ProgrammingError)]


@pytest.fixture
def admin(rows: None, configure: Callable[..., None]) -> Client:
    """A browser of the administrator, on a site with approval."""
    configure(APPROVAL=True)
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.get(username="root"), backend="django.contrib.auth.backends.ModelBackend")
    return browser


def is_page_of_site(answer: Any) -> bool:
    """Whether the response is a page with a message, or an outage page that links to the admin."""
    if answer.status_code == 503:
        return 'href="/admin/"' in answer.content.decode() and "Traceback" not in answer.content.decode()
    return bool(answer.status_code == 200 and list(answer.context["messages"]))


@pytest.mark.parametrize(
    ("broken_service", "error", "name"),
    failure_params([*(action.name for action in ACTIONS), "examine"], ADMIN_FAILURES),
)
def test_an_admin_action_reports_a_failure_without_a_traceback(
    admin: Client, broken_service: Callable[..., Any], error: Exception, name: str
) -> None:
    if name in ("approve", "reject"):
        Registration.objects.update(status=Status.AWAITING_APPROVAL, finished_at=None)
    form = {
        "_selected_action": [str(row.pk) for row in Registration.objects.all()],
        "confirmed": "yes",
        "reason": "No.",
    }
    url = "/admin/selfreg/doctorrun/examine/" if name == "examine" else f"{LIST}act/{name}/"
    for allowed in range(MOST_CALLS):
        breaker = Breaker(error, allowed)
        with transaction.atomic(), broken_service(breaker):
            answer = admin.post(url, form)
            connection.needs_rollback = False
            if answer.status_code == 302 and breaker.has_broken and broken_service is not broken_database:
                answer = admin.get(answer.headers["Location"])
            transaction.set_rollback(True)
        assert answer.status_code == 302 or is_page_of_site(answer), (
            allowed,
            answer.status_code,
            answer.content.decode()[:3000],
        )
        if not breaker.has_broken:
            break


@pytest.mark.parametrize("error", MAIL, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("name", ["approve", "reject"])
def test_an_email_that_cannot_be_sent_keeps_the_decision_and_is_reported(
    admin: Client, monkeypatch: pytest.MonkeyPatch, name: str, error: Exception
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr(mail.EmailMessage, "send", fail)
    rows = Registration.objects.filter(status=Status.COMPLETED)
    rows.update(status=Status.AWAITING_APPROVAL, finished_at=None)
    form = {"_selected_action": [str(Registration.objects.get(status=Status.AWAITING_APPROVAL).pk)], "confirmed": "yes"}
    answer = admin.post(f"{LIST}act/{name}/", {**form, "reason": "No."}, follow=True)
    assert "couldn\u2019t be sent" in answer.content.decode() or "couldn&#x27;t be sent" in answer.content.decode()
    assert not Registration.objects.filter(status=Status.AWAITING_APPROVAL).exists()
