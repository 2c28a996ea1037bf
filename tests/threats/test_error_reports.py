"""Reports of unexpected exceptions contain no secret, wherever the exception is raised and whatever tool reports it."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from io import StringIO
from pkgutil import resolve_name
from types import FrameType, TracebackType
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.views.debug import ExceptionReporter
from requests.adapters import HTTPAdapter

from okta_devorg import OrgHandle
from selfreg.error_reports import without_values
from selfreg.models import Registration
from support.app_client import AppClient
from support.person import PASSWORD, SITE, Person
from support.sealed import stored_state

pytestmark = pytest.mark.django_db

SECRET_FIELDS = re.compile(
    r'"(stateHandle|interaction_handle|access_token|id_token|interaction_code|passcode)": ?"([^"]{8,})"'
)
FORM_SECRETS = {"client_secret", "code_verifier", "interaction_code", "code", "client_assertion", "activation_token"}
AES = "cryptography.hazmat.primitives.ciphers.aead"
MAX_PLACES = 60


class UnexpectedError(Exception):
    """An unexpected exception."""


def collect_like_sentry(error: BaseException | None, seen: set[int]) -> Iterator[str]:
    """Collect what an error reporter without Django support collects: the local variables of every frame."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    traceback: TracebackType | None = error.__traceback__
    while traceback:
        if (
            "/selfreg/" in traceback.tb_frame.f_code.co_filename
            or "site-packages" in traceback.tb_frame.f_code.co_filename
        ):
            yield from (f"{name}={value!r}" for name, value in traceback.tb_frame.f_locals.items())
        traceback = traceback.tb_next
    yield repr(error.args)
    yield from collect_like_sentry(error.__cause__, seen)
    yield from collect_like_sentry(error.__context__, seen)


class ReportCollector:
    """Make one call of a library fail, remember the secrets seen so far, and collect the error reports."""

    def __init__(self) -> None:
        self.secrets: set[str] = {PASSWORD, "local-demo-secret-not-for-production"}
        self.reports: list[str] = []
        self.calls = 0
        self.fails_at = 0

    def learn(self, text: str) -> None:
        self.secrets |= {
            value for _name, value in SECRET_FIELDS.findall(text) if not value.startswith("http") and " " not in value
        }

    def call(self, function: Any) -> Any:
        """Wrap a library function so that one of its calls fails."""

        def broken(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls == self.fails_at:
                raise UnexpectedError
            return function(*args, **kwargs)

        return broken

    def report(self, request: HttpRequest | None = None, **_: Any) -> None:
        kind, error, traceback = sys.exc_info()
        assert error
        reporter = ExceptionReporter(request, kind, error, traceback)
        mailed = ExceptionReporter(request, kind, error, traceback, is_email=True)
        self.reports += [reporter.get_traceback_html(), reporter.get_traceback_text(), mailed.get_traceback_text()]
        self.reports.append("\n".join(collect_like_sentry(error, set())))

    def shown(self) -> set[str]:
        return {secret for secret in self.secrets for report in self.reports if secret in report}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReportCollector]:
    collector, real = ReportCollector(), HTTPAdapter.send

    def send(self: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        body = request.body or ""
        text = body.decode() if isinstance(body, bytes) else str(body)
        collector.learn(text)
        collector.secrets |= {value for name, value in parse_qsl(text) if name in FORM_SECRETS and len(value) > 5}
        answer = real(self, request, **options)
        if any(place in str(request.url) for place in ("/oauth2/", "/idp/idx")):
            collector.learn(answer.text)
        return answer

    monkeypatch.setattr(HTTPAdapter, "send", send)
    got_request_exception.connect(collector.report)
    yield collector
    got_request_exception.disconnect(collector.report)


# Third-party code that the app calls. Every call fails once.
LIBRARIES = {
    "requests": ("requests.adapters.HTTPAdapter.send",),
    "jwt": ("jwt.decode_complete", "jwt.get_unverified_header", "jwt.PyJWK.__init__"),
    "cryptography": (f"{AES}.AESGCM.encrypt", f"{AES}.AESGCM.decrypt"),
    "database": ("django.db.models.sql.compiler.SQLCompiler.execute_sql",),
    "templates": ("django.template.base.Template.render",),
    "cache": tuple(f"django.core.cache.backends.locmem.LocMemCache.{name}" for name in ("get", "set", "add")),
    "sessions": tuple(f"django.contrib.sessions.backends.db.SessionStore.{name}" for name in ("load", "save")),
    "middleware": (
        "django.middleware.csrf.CsrfViewMiddleware.process_response",
        "csp.middleware.CSPMiddleware.process_response",
    ),
    "json": ("json.loads", "json.dumps"),
    "phonenumbers": ("phonenumbers.parse", "phonenumbers.format_number"),
    "segno": ("segno.make",),
    "idna": ("idna.encode",),
    "babel": ("selfreg.forms.fields.countries",),
}


class CallBreaker:
    """Make one library call fail: the first one from a place in the journey that has not failed yet."""

    def __init__(self, collector: ReportCollector) -> None:
        self.collector = collector
        self.request = ""
        self.broken: set[tuple[str, ...]] = set()
        self.has_failed = False

    def call(self, name: str, function: Any) -> Any:
        @wraps(function)
        def breaking(*args: Any, **kwargs: Any) -> Any:
            place = (name, self.request, caller())
            if self.request and not self.has_failed and place not in self.broken:
                self.broken.add(place)
                self.has_failed = True
                # Many libraries quote their arguments in exceptions.
                raise UnexpectedError(*(value for value in (*args, *kwargs.values()) if isinstance(value, str | bytes)))
            return function(*args, **kwargs)

        return breaking


def caller() -> str:
    """Return the innermost function of the app on the stack."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001
    while frame and ("/selfreg/" not in frame.f_code.co_filename or "error_reports" in frame.f_code.co_filename):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_code.co_name}" if frame else ""


@pytest.fixture
def breaker(collector: ReportCollector, monkeypatch: pytest.MonkeyPatch) -> CallBreaker:
    """Track the current request. Calls outside a request of the site never fail."""
    breaker, real = CallBreaker(collector), Client.request

    def request(self: Client, **environ: Any) -> Any:
        breaker.request = f"{environ.get('REQUEST_METHOD', 'GET')} {environ['PATH_INFO']}"
        try:
            return real(self, **environ)
        finally:
            breaker.request = ""

    monkeypatch.setattr(Client, "request", request)
    return breaker


def sign_up_with_all_authenticators(org: OrgHandle) -> None:
    """Take every kind of step that involves a library."""
    org.patch_policy({"authenticators": {"phone_number": "required", "google_otp": "required"}})
    person = Person().opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org)
    person.chooses("Password").sets_a_password().chooses("Phone")
    person.fills_and_presses({"authenticator.phoneNumber": "+1 415 555 0100"}).types_the_code_from(org, "+14155550100")
    person.chooses("Google Authenticator")


def sign_in(org: OrgHandle) -> None:
    Person().signs_up(org)
    Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()


def sign_up_by_email_link(org: OrgHandle) -> None:
    Person("ada@bücher.example").opens_the_sign_up().submits_profile()
    person = Person().opens_the_sign_up().submits_profile().chooses("Email")
    person.opens_the_email_link(org).presses()


def sign_up_by_api(org: OrgHandle) -> None:
    AppClient(by_token=True).signs_up(org)


JOURNEYS = (sign_up_with_all_authenticators, sign_in, sign_up_by_email_link, sign_up_by_api)


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_error_reports_contain_no_secret_wherever_a_library_call_fails(
    org: OrgHandle,
    collector: ReportCollector,
    breaker: CallBreaker,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    library: str,
) -> None:
    """Each place that calls the library fails once, alternately with and without DEBUG."""
    for name in LIBRARIES[library]:
        monkeypatch.setattr(name, breaker.call(name, resolve_name(name)))
    for journey in JOURNEYS:
        for number in range(MAX_PLACES):
            org.reset()
            settings.DEBUG, breaker.has_failed = bool(number % 2), False
            with suppress(Exception):  # the test browser may fail on a broken page
                journey(org)
            if not breaker.has_failed:
                break
    assert breaker.broken
    assert collector.reports or library == "cache"  # a failing cache is tolerated
    assert collector.shown() == set()
    assert len(collector.secrets) > 4


def test_report_collector_finds_secrets_that_are_not_removed(collector: ReportCollector) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        typed_data = PASSWORD
        raise UnexpectedError(len(typed_data))

    for function, shown in ((view, {PASSWORD}), (without_values(view), set())):
        collector.reports.clear()
        code = "-".join(("canary", "code"))  # the report quotes this line
        request = RequestFactory().get(f"/x/?code={code}")
        collector.secrets.add(code)
        del code
        try:
            function(request)
        except UnexpectedError:
            kind, error, traceback = sys.exc_info()
            collector.reports.append(ExceptionReporter(request, kind, error, traceback).get_traceback_html())
        assert collector.shown() == (shown | {"-".join(("canary", "code"))} if shown else set())


URLS = [
    "/signup/?activationToken=canary-token",
    "/signup/?token=canary-token",
    "/oidc/callback/?code=canary-code&state={state}",
    "/oidc/callback/?interaction_code=canary-code&state={state}",
    "/signup/verify/?otp=canary1&state=canary-state",
    "/signup/",
    "/signup/step/",
    "/signup/done/",
    "/signup/email/",
    "/signup/link/",
    "/signup/api/",
    "/signup/api/step/",
    "/oidc/authenticate/?next=/x",
]


@pytest.mark.parametrize("debug", [False, True], ids=["production", "debug"])
@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_error_reports_contain_no_query_and_no_form_data(
    person: Person,
    org: OrgHandle,
    collector: ReportCollector,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    url: str,
    method: str,
    debug: bool,
) -> None:
    """Whatever the view does first fails: reading the browser, the row, the cache, the org."""
    person.opens_the_sign_up().submits_profile().chooses("Email")
    settings.DEBUG = debug
    person.browser.raise_request_exception = False
    collector.secrets |= {"canary-token", "canary-code", "canary1", "canary-state", "canary-passcode"}
    state = stored_state(Registration.objects.get())["transaction"]["state"]
    token = person.browser.cookies["csrftoken"].value
    typed_data = {
        "csrfmiddlewaretoken": token,
        "credentials.passcode": "canary-passcode",
        "password": "canary-passcode",
    }
    for place in (
        "selfreg.cache.get",
        "selfreg.web.redirects.safe_path",
        "selfreg.encryption.AESGCM.decrypt",
        "selfreg.encryption.AESGCM.encrypt",
        "requests.adapters.HTTPAdapter.send",
        "selfreg.views.base.render",
        "selfreg.forms.StepForm.__init__",
        "django.db.models.query.QuerySet.filter",
        "django.contrib.sessions.backends.db.SessionStore.load",
    ):
        with monkeypatch.context() as patch:
            broken = ReportCollector()
            broken.fails_at = 1
            patch.setattr(place, broken.call(resolve_name(place)))
            sent = typed_data if method == "post" else {}
            getattr(person.browser, method)(url.format(state=state), sent) if sent else person.browser.get(
                url.format(state=state)
            )
    assert collector.shown() == set()


ACTIONS = ["resend", "cancel", "refresh", "repair", "erase", "expire"]


def test_error_reports_of_admin_pages_and_commands_contain_no_token(
    person: Person,
    org: OrgHandle,
    collector: ReportCollector,
    monkeypatch: pytest.MonkeyPatch,
    configure: Callable[..., None],
) -> None:
    configure(API_TOKEN="local-api-token-not-for-production")
    collector.secrets.add("local-api-token-not-for-production")
    person.opens_the_sign_up().submits_profile().chooses("Email")
    Registration.objects.update(unsure=True)
    row = Registration.objects.get()
    admin = Client(raise_request_exception=False)
    admin.force_login(User.objects.create_superuser("admin"), backend="django.contrib.auth.backends.ModelBackend")
    list_url = "/admin/selfreg/registration/"
    pages = [list_url, f"{list_url}{row.pk}/change/", f"{list_url}form/", f"{list_url}funnel/", f"{list_url}export/"]
    for place in ("requests.adapters.HTTPAdapter.send", "selfreg.encryption.AESGCM.decrypt"):
        with monkeypatch.context() as patch:
            broken = ReportCollector()
            broken.fails_at = 1
            patch.setattr(place, broken.call(resolve_name(place)))
            for url in pages:
                broken.calls = 0
                admin.get(url)
            for name in ACTIONS:
                broken.calls = 0
                admin.post(
                    f"{list_url}act/{name}/", {"_selected_action": str(row.pk), "confirm": "yes", "ids": str(row.pk)}
                )
            broken.calls = 0
            admin.post("/admin/selfreg/doctorrun/examine/")
            for command in (
                ["selfreg_recover"],
                ["selfreg_recover", "--accounts"],
                ["selfreg_doctor"],
                ["selfreg_erase", person.email],
            ):
                broken.calls = 0
                try:
                    call_command(*command, stdout=StringIO(), stderr=StringIO())
                except SystemExit:
                    pass  # the doctor has findings
                except Exception:  # noqa: BLE001
                    collector.report()
    assert collector.shown() == set()
