"""Error reporters other than Django's: signal receivers connected earlier, WSGI wrappers, and log handlers."""

import logging
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jwt
import pydantic
import pytest
import requests
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import got_request_exception
from django.http import HttpRequest
from django.test import Client, RequestFactory

from okta_devorg import OrgHandle
from selfreg import error_reports
from support.person import Person

pytestmark = pytest.mark.django_db

CODE, TYPED, COOKIE = "canary-code-1", "canary-typed-2", "canary-cookie-3"
SECRETS = {CODE, TYPED, COOKIE}
URLS = ("/signup/verify/?otp={0}&state={0}", "/signup/?activationToken={0}", "/signup/step/?x={0}")
# Middleware of the demo that runs before or after the view.
AROUND_THE_VIEW = (
    "django.contrib.sessions.middleware.SessionMiddleware.process_response",
    "django.middleware.csrf.CsrfViewMiddleware.process_response",
    "django.middleware.csrf.CsrfViewMiddleware.process_view",
    "django.middleware.locale.LocaleMiddleware.process_request",
    "csp.middleware.CSPMiddleware.process_response",
)


class Reporter:
    """Record everything about a request and an exception that is accessible."""

    def __init__(self) -> None:
        self.records: list[str] = []
        self.calls = 0

    def on_signal(self, request: HttpRequest, **_: Any) -> None:
        self.calls += 1
        self.request(request)
        self.error(sys.exc_info()[1])

    def request(self, request: HttpRequest) -> None:
        self.records.append(repr(request) + repr(request.META) + repr(request.headers) + repr(request.COOKIES))
        self.records.append(repr(request.GET) + repr(request.POST) + repr(request.body) + request.get_full_path())

    def error(self, error: BaseException | None) -> None:
        while error:
            self.records.append(repr(error) + str(error) + repr(vars(error)))
            traceback = error.__traceback__
            while traceback:
                module = traceback.tb_frame.f_globals.get("__name__", "")
                if not module.startswith(("tests.", "threats", "support", "django.test")):
                    self.records.append(repr(traceback.tb_frame.f_locals))
                traceback = traceback.tb_next
            error = error.__cause__ or error.__context__

    def shown(self) -> set[str]:
        """Return the recorded secrets with the text around them."""
        lines = [(secret, line, line.find(secret)) for secret in SECRETS for line in self.records]
        return {line[max(0, at - 80) : at + 40] for _secret, line, at in lines if at >= 0}


class LogReporter(logging.Handler):
    """Record log records and the request that Django attaches to them, as log integrations do."""

    def __init__(self, reporter: Reporter) -> None:
        super().__init__(logging.DEBUG)
        self.reporter = reporter

    def emit(self, record: logging.LogRecord) -> None:
        self.reporter.calls += 1
        self.reporter.records.append(record.getMessage())
        if request := getattr(record, "request", None):
            self.reporter.request(request)
        self.reporter.error(record.exc_info[1] if record.exc_info else None)


@pytest.fixture
def reporter() -> Iterator[Reporter]:
    """Return a reporter that was connected before the app's own receiver."""
    reporter = Reporter()
    got_request_exception.disconnect(dispatch_uid=error_reports.UID)
    before = list(got_request_exception.receivers)
    got_request_exception.receivers.clear()
    got_request_exception.connect(reporter.on_signal)
    got_request_exception.receivers.extend(before)
    error_reports.install()
    handler, logger = LogReporter(reporter), logging.getLogger("django")
    logger.addHandler(handler)
    yield reporter
    logger.removeHandler(handler)
    got_request_exception.disconnect(reporter.on_signal)


def raise_with_request_data(kind: type[Exception]) -> Callable[..., Any]:
    """Return a function that raises an exception with the request data in its message."""

    def fail(*args: Any, **__: Any) -> Any:
        request = next(value for value in args if isinstance(value, HttpRequest))
        raise kind(f"found {request.GET.dict()} and {request.POST.dict()} in {request.get_full_path()}")

    return fail


def raise_error(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
@pytest.mark.parametrize("error", [RuntimeError, SuspiciousOperation], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("place", AROUND_THE_VIEW)
def test_error_reports_of_middleware_failures_contain_no_request_data(
    person: Person,
    reporter: Reporter,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    place: str,
    error: type[Exception],
    debug: bool,
) -> None:
    person.opens_the_sign_up()
    settings.DEBUG = debug
    person.browser.raise_request_exception = False
    person.browser.cookies["other"] = COOKIE
    typed = {"csrfmiddlewaretoken": person.browser.cookies["csrftoken"].value, "credentials.passcode": TYPED}
    monkeypatch.setattr(place, raise_with_request_data(error))
    for url in (url.format(CODE) for url in URLS):
        for send in (
            partial(person.browser.get, url),
            partial(person.browser.post, url, typed),
            partial(person.browser.post, url, typed, content_type="application/json"),
        ):
            try:
                send()
            except Exception as unhandled:  # noqa: BLE001  (the error page failed in the same way)
                reporter.error(unhandled)
    assert reporter.calls >= 9
    assert reporter.shown() == set()


def test_error_reports_contain_no_form_with_too_many_fields(person: Person, reporter: Reporter, settings: Any) -> None:
    """Django rejects it in middleware, and logs a record that is mailed to administrators by default."""
    person.opens_the_sign_up()
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3
    person.browser.cookies["other"] = COOKIE
    answer = person.browser.post(URLS[2].format(CODE), {f"field{n}": TYPED for n in range(9)})
    assert answer.status_code == 400
    assert reporter.calls
    assert reporter.shown() == set()


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "/signup/step/nowhere/?otp={0}", 404),
        ("BREW", "/signup/step/?otp={0}", 403),
        ("POST", "/signup/step/?otp={0}", 403),
        ("GET", "/signup/hooks/events/?otp={0}", 404),
    ],
)
def test_log_records_of_rejected_requests_contain_no_query_and_no_form_data(
    reporter: Reporter, method: str, url: str, status: int
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies["other"] = COOKIE
    answer = browser.generic(method, url.format(CODE), f"a={TYPED}", "application/x-www-form-urlencoded")
    assert answer.status_code == status
    ours = [line for line in reporter.records if "nowhere" not in line]
    assert not [line for line in ours if any(secret in line for secret in SECRETS)]


def test_wsgi_environ_contains_no_secrets_after_an_exception(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers write the requested URL into ``environ`` under various names."""
    monkeypatch.setattr("selfreg.views.base.browser_of", raise_error(RuntimeError("a bug")))
    person.browser.raise_request_exception = False
    environ_of_server = dict(  # noqa: C408  (as a server names them)
        PATH_INFO="/signup/verify/", QUERY_STRING=f"otp={CODE}", RAW_URI=f"/signup/verify/?otp={CODE}",
        REQUEST_URI=f"/signup/verify/?otp={CODE}", HTTP_X_ORIGINAL_URI=f"/signup/verify/?otp={CODE}",
        HTTP_COOKIE=f"a={COOKIE}", HTTP_AUTHORIZATION=f"Bearer {CODE}", HTTP_REFERER=f"http://testserver/?otp={CODE}",
    )  # fmt: skip
    environ = RequestFactory().get("/signup/verify/").environ | environ_of_server
    statuses: list[str] = []

    def start(status: str, *_: object) -> Callable[[bytes], object]:
        statuses.append(status)
        return len

    list(WSGIHandler()(environ, start))
    assert statuses[0].startswith("500")
    assert not [name for name, value in environ.items() if any(secret in repr(value) for secret in SECRETS)]
    assert environ["RAW_URI"] == environ["PATH_INFO"] == "/signup/verify/"


def test_error_page_keeps_the_csrf_cookie_of_the_browser(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    person.opens_the_sign_up()
    before = person.browser.cookies["csrftoken"].value
    person.browser.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr("selfreg.views.base.browser_of", raise_error(RuntimeError("a bug")))
        assert person.browser.get("/signup/").status_code == 500
    assert person.browser.cookies["csrftoken"].value == before


def exceptions_with(secret: str) -> Iterator[Exception]:
    """Yield exceptions of libraries that contain their input."""
    for make in (
        lambda: secret.encode().decode("ascii") + "é".encode("ascii").decode(),
        lambda: f"{secret}é".encode("ascii"),
        lambda: f"{secret}é".encode().decode("ascii"),
        lambda: dict[str, str]()[secret],
        lambda: __import__("json").loads(f"{secret}{{"),
        lambda: int(secret),
        lambda: requests.Request("GET", "http://x/", headers={"A": f"{secret}\n"}).prepare(),
        lambda: jwt.decode(secret, "key", algorithms=["HS256"]),
    ):
        try:
            make()
        except Exception as error:  # noqa: BLE001
            yield error
    request = requests.Request("POST", "http://x/", headers={"Authorization": secret}, data=secret).prepare()
    yield requests.ConnectionError(secret, request=request)
    # Their messages are not made of their arguments alone.
    yield ValidationError({"code": secret})
    yield FileNotFoundError(2, "no such file", f"/run/{secret}")
    yield ExceptionGroup(secret, [ValueError(secret)])
    noted = ValueError("a note says more")
    noted.add_note(secret)
    yield noted
    yield NotWritable(secret)
    with pytest.raises(pydantic.ValidationError) as invalid:
        pydantic.TypeAdapter(int).validate_python(secret)
    yield invalid.value


class NotWritable(Exception):
    """An exception with attributes that cannot be read or set."""

    @property
    def request(self) -> Any:
        raise RuntimeError(f"not set: {self.args}")

    @property
    def response(self) -> str:
        return "an answer"


@pytest.mark.parametrize("is_cause", [True, False])
@pytest.mark.parametrize("number", range(15))
def test_error_reports_contain_no_secret_from_messages_of_library_exceptions(
    person: Person, reporter: Reporter, monkeypatch: pytest.MonkeyPatch, org: OrgHandle, number: int, is_cause: bool
) -> None:
    errors = list(exceptions_with(CODE))
    assert len(errors) == 15
    person.browser.raise_request_exception = False
    outer: BaseException = errors[number]
    if is_cause:
        outer = RuntimeError("outer")
        outer.__cause__ = errors[number]
    monkeypatch.setattr("selfreg.views.base.browser_of", raise_error(outer))
    person.browser.get(URLS[0].format(CODE))
    assert reporter.calls
    expected = "RuntimeError('outer')" if is_cause else type(outer).__name__
    assert any(expected in line for line in reporter.records)
    assert reporter.shown() == set()
