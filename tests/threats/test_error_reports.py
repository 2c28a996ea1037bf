"""No secret is in the report of an unexpected exception, wherever it happens and whoever makes the report."""

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

NAMES = re.compile(r'"(stateHandle|interaction_handle|access_token|id_token|interaction_code|passcode)": ?"([^"]{8,})"')
FORM_SECRETS = {"client_secret", "code_verifier", "interaction_code", "code", "client_assertion", "activation_token"}
AES = "cryptography.hazmat.primitives.ciphers.aead"
MOST_PLACES = 60


class Bug(Exception):
    """What nobody expects."""


def sentry(error: BaseException | None, seen: set[int]) -> Iterator[str]:
    """What a reporter collects that walks the frames and their variables, and knows nothing of Django."""
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
    yield from sentry(error.__cause__, seen)
    yield from sentry(error.__context__, seen)


class Watch:
    """Breaks a call of a library, knows what was secret until then, and collects the reports."""

    def __init__(self) -> None:
        self.secrets: set[str] = {PASSWORD, "local-demo-secret-not-for-production"}
        self.reports: list[str] = []
        self.calls = 0
        self.breaks_at = 0

    def learn(self, text: str) -> None:
        self.secrets |= {
            value for _name, value in NAMES.findall(text) if not value.startswith("http") and " " not in value
        }

    def call(self, function: Any) -> Any:
        """The library's function, which breaks at one of its calls."""

        def broken(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls == self.breaks_at:
                raise Bug
            return function(*args, **kwargs)

        return broken

    def report(self, request: HttpRequest | None = None, **_: Any) -> None:
        kind, error, traceback = sys.exc_info()
        assert error
        reporter = ExceptionReporter(request, kind, error, traceback)
        mailed = ExceptionReporter(request, kind, error, traceback, is_email=True)
        self.reports += [reporter.get_traceback_html(), reporter.get_traceback_text(), mailed.get_traceback_text()]
        self.reports.append("\n".join(sentry(error, set())))

    def shown(self) -> set[str]:
        return {secret for secret in self.secrets for report in self.reports if secret in report}


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    watch, real = Watch(), HTTPAdapter.send

    def send(self: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        body = request.body or ""
        text = body.decode() if isinstance(body, bytes) else str(body)
        watch.learn(text)
        watch.secrets |= {value for name, value in parse_qsl(text) if name in FORM_SECRETS and len(value) > 5}
        answer = real(self, request, **options)
        if any(place in str(request.url) for place in ("/oauth2/", "/idp/idx")):
            watch.learn(answer.text)
        return answer

    monkeypatch.setattr(HTTPAdapter, "send", send)
    got_request_exception.connect(watch.report)
    yield watch
    got_request_exception.disconnect(watch.report)


# Where other people's code runs, as (module, name): every call of it breaks once.
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


class Breaker:
    """Breaks one call of a library: the first one from a place of the journey that was not broken yet."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.request = ""
        self.broken: set[tuple[str, ...]] = set()
        self.has_broken = False

    def call(self, name: str, function: Any) -> Any:
        @wraps(function)
        def breaking(*args: Any, **kwargs: Any) -> Any:
            place = (name, self.request, caller())
            if self.request and not self.has_broken and place not in self.broken:
                self.broken.add(place)
                self.has_broken = True
                # As libraries do, which quote what they were given.
                raise Bug(*(value for value in (*args, *kwargs.values()) if isinstance(value, str | bytes)))
            return function(*args, **kwargs)

        return breaking


def caller() -> str:
    """The innermost function of the app that leads to a call."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001
    while frame and ("/selfreg/" not in frame.f_code.co_filename or "error_reports" in frame.f_code.co_filename):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_code.co_name}" if frame else ""


@pytest.fixture
def breaker(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> Breaker:
    """Knows which request is under way, and breaks nothing outside requests of the site."""
    breaker, real = Breaker(watch), Client.request

    def request(self: Client, **environ: Any) -> Any:
        breaker.request = f"{environ.get('REQUEST_METHOD', 'GET')} {environ['PATH_INFO']}"
        try:
            return real(self, **environ)
        finally:
            breaker.request = ""

    monkeypatch.setattr(Client, "request", request)
    return breaker


def journey(org: OrgHandle) -> None:
    """Every kind of step that a library has a part in, to the end, and the sign-in after it."""
    org.patch_policy({"authenticators": {"phone_number": "required", "google_otp": "required"}})
    person = Person().opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org)
    person.chooses("Password").sets_a_password().chooses("Phone")
    person.fills_and_presses({"authenticator.phoneNumber": "+1 415 555 0100"}).types_the_code_from(org, "+14155550100")
    person.chooses("Google Authenticator")


def sign_in(org: OrgHandle) -> None:
    Person().signs_up(org)
    Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()


def by_link(org: OrgHandle) -> None:
    Person("ada@bücher.example").opens_the_sign_up().tells_who_she_is()
    person = Person().opens_the_sign_up().tells_who_she_is().chooses("Email")
    person.opens_the_link_in_the_mail(org).presses()


def by_api(org: OrgHandle) -> None:
    AppClient(by_token=True).signs_up(org)


WALKS = (journey, sign_in, by_link, by_api)


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_no_secret_is_in_a_report_wherever_a_library_breaks(
    org: OrgHandle, watch: Watch, breaker: Breaker, monkeypatch: pytest.MonkeyPatch, settings: Any, library: str
) -> None:
    """Each place of each journey that calls the library is broken once, under DEBUG and without in turn."""
    for name in LIBRARIES[library]:
        monkeypatch.setattr(name, breaker.call(name, resolve_name(name)))
    for walk in WALKS:
        for number in range(MOST_PLACES):
            org.reset()
            settings.DEBUG, breaker.has_broken = bool(number % 2), False
            with suppress(Exception):  # whatever the test's own browser makes of a page that failed
                walk(org)
            if not breaker.has_broken:
                break
    assert breaker.broken
    assert watch.reports or library == "cache"  # the site does without a cache that fails
    assert watch.shown() == set()
    assert len(watch.secrets) > 4


def test_the_watch_itself_sees_what_is_not_hidden(watch: Watch) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        typed = PASSWORD
        raise Bug(len(typed))

    for function, shown in ((view, {PASSWORD}), (without_values(view), set())):
        watch.reports.clear()
        code = "-".join(("canary", "code"))  # the report quotes this line
        request = RequestFactory().get(f"/x/?code={code}")
        watch.secrets.add(code)
        del code
        try:
            function(request)
        except Bug:
            kind, error, traceback = sys.exc_info()
            watch.reports.append(ExceptionReporter(request, kind, error, traceback).get_traceback_html())
        assert watch.shown() == (shown | {"-".join(("canary", "code"))} if shown else set())


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
def test_the_url_and_the_form_are_no_part_of_a_report(
    person: Person,
    org: OrgHandle,
    watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    url: str,
    method: str,
    debug: bool,
) -> None:
    """Whatever the view does first breaks: reading the browser, the row, the cache, the org."""
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    settings.DEBUG = debug
    person.browser.raise_request_exception = False
    watch.secrets |= {"canary-token", "canary-code", "canary1", "canary-state", "canary-passcode"}
    state = stored_state(Registration.objects.get())["transaction"]["state"]
    token = person.browser.cookies["csrftoken"].value
    typed = {"csrfmiddlewaretoken": token, "credentials.passcode": "canary-passcode", "password": "canary-passcode"}
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
            broken = Watch()
            broken.breaks_at = 1
            patch.setattr(place, broken.call(resolve_name(place)))
            sent = typed if method == "post" else {}
            getattr(person.browser, method)(url.format(state=state), sent) if sent else person.browser.get(
                url.format(state=state)
            )
    assert watch.shown() == set()


ACTIONS = ["resend", "cancel", "refresh", "repair", "erase", "expire"]


def test_admin_pages_and_commands_report_no_token(
    person: Person, org: OrgHandle, watch: Watch, monkeypatch: pytest.MonkeyPatch, configure: Callable[..., None]
) -> None:
    configure(API_TOKEN="local-api-token-not-for-production")
    watch.secrets.add("local-api-token-not-for-production")
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    Registration.objects.update(unsure=True)
    row = Registration.objects.get()
    admin = Client(raise_request_exception=False)
    admin.force_login(User.objects.create_superuser("admin"), backend="django.contrib.auth.backends.ModelBackend")
    list_url = "/admin/selfreg/registration/"
    pages = [list_url, f"{list_url}{row.pk}/change/", f"{list_url}form/", f"{list_url}funnel/", f"{list_url}export/"]
    for place in ("requests.adapters.HTTPAdapter.send", "selfreg.encryption.AESGCM.decrypt"):
        with monkeypatch.context() as patch:
            broken = Watch()
            broken.breaks_at = 1
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
                    pass  # the doctor has found something
                except Exception:  # noqa: BLE001
                    watch.report()
    assert watch.shown() == set()
