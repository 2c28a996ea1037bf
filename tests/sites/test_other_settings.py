"""Sites with other middleware, URLs, sessions and transactions than the demo, in this process."""

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.db import connection, connections
from django.urls import clear_script_prefix, set_script_prefix
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg import checks
from selfreg.conf import conf
from selfreg.doctor.collect import describe_site
from selfreg.idx.transport import Transport
from selfreg.models import Registration
from selfreg.statuses import Status
from support.person import SITE, Person
from support.sites.extended import EXTENDED

Configure = Callable[..., None]
MIDDLEWARE = list(django_settings.MIDDLEWARE)
AFTER_AUTHENTICATION = MIDDLEWARE.index("django.contrib.auth.middleware.AuthenticationMiddleware") + 1
AUTHENTICATE = f"{SITE}/oidc/authenticate/"


def reported_ids(**changes: Any) -> set[str]:
    """Return the ids of this app's check messages."""
    found = {m.id or "" for m in run_checks()}
    return {i.removeprefix("selfreg.") for i in found if i.startswith("selfreg.")} - {"E003"}


def sign_up_and_sign_in(org: OrgHandle) -> Person:
    """Sign up in one browser, and sign in with another."""
    assert Person().signs_up(org).is_signed_in
    returning_person = Person().opens(AUTHENTICATE).signs_in_at_the_org()
    assert returning_person.is_signed_in
    assert Registration.objects.get().status == Status.COMPLETED
    return returning_person


# ---- middleware


@pytest.fixture
def login_required(settings: Any) -> None:
    """Require a login for every view that does not opt out."""
    settings.MIDDLEWARE = [
        *MIDDLEWARE[:AFTER_AUTHENTICATION],
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
        *MIDDLEWARE[AFTER_AUTHENTICATION:],
    ]


@pytest.mark.usefixtures("login_required")
def test_sign_up_works_with_login_required_middleware(db: None, org: OrgHandle) -> None:
    sign_up_and_sign_in(org)
    assert Person().opens(f"{SITE}/members/").page.url.startswith(org.base)


PUBLIC = (
    "/signup/",
    "/signup/step/",
    "/signup/verify/",
    "/signup/email/",
    "/signup/link/",
    "/signup/done/",
    "/signup/health/live",
    "/signup/health/ready",
    "/signup/hooks/registration/",
    "/signup/hooks/events/",
    "/signup/api/openapi.json",
    "/signup/api/",
    "/oidc/authenticate/",
    "/oidc/callback/",
)


@pytest.mark.usefixtures("login_required", "org")
@pytest.mark.parametrize("path", PUBLIC)
@pytest.mark.parametrize("method", ["get", "post"])
def test_pages_of_the_app_do_not_redirect_to_the_login(db: None, path: str, method: str) -> None:
    answer = getattr(Person().browser, method)(path)
    assert not answer.headers.get("Location", "").startswith("/oidc/authenticate/?next=")


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ("W011", {"MIDDLEWARE": [m for m in MIDDLEWARE if "locale" not in m]}),
        ("E014", {"USE_TZ": False}),
        ("E015", {"MIDDLEWARE": [m for m in MIDDLEWARE if "sessions" not in m]}),
        ("E015", {"MIDDLEWARE": [m for m in MIDDLEWARE if "auth.middleware" not in m]}),
        ("E016", {"MIDDLEWARE": [*MIDDLEWARE, "mozilla_django_oidc.middleware.SessionRefresh"]}),
        ("E016", {"MIDDLEWARE": [*MIDDLEWARE, "support.sites.extended.OwnRefresh"]}),
        ("W012", {"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"}),
        ("W012", {"SESSION_ENGINE": "support.sites.extended"}),
        ("E017", {"TEMPLATES": [{**django_settings.TEMPLATES[0], "APP_DIRS": False}]}),
        ("W004", {"ROOT_URLCONF": "selfreg.urls"}),
        ("W014", {"PREPEND_WWW": True}),
        ("W013", {"MIDDLEWARE": [*MIDDLEWARE, "reversion.middleware.RevisionMiddleware"]}),
    ],
)
@pytest.mark.usefixtures("configure")
def test_system_checks_report_missing_or_harmful_settings(
    db: None, settings: Any, expected: str, changes: dict[str, Any]
) -> None:
    assert reported_ids() == set()
    for name, value in changes.items():
        setattr(settings, name, value)
    assert reported_ids() == {expected}


@pytest.mark.usefixtures("configure")
def test_site_with_one_language_needs_no_locale_middleware(db: None, settings: Any) -> None:
    settings.LANGUAGES = [("en", "English")]
    settings.MIDDLEWARE = [m for m in MIDDLEWARE if "locale" not in m]
    assert reported_ids() == set()


def test_session_refresh_middleware_logs_new_users_out(db: None, org: OrgHandle, settings: Any) -> None:
    """The reason for the system check: a sign-up leaves no session at the org, so no silent renewal is possible."""
    assert checks.surroundings.check_surroundings() == []
    settings.MIDDLEWARE = [*MIDDLEWARE, "mozilla_django_oidc.middleware.SessionRefresh"]
    settings.OIDC_RP_CLIENT_ID = conf().client_id
    settings.OIDC_OP_AUTHORIZATION_ENDPOINT = f"{org.issuer}/v1/authorize"
    settings.OIDC_USE_PKCE = True
    person = Person()
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
    person.sets_a_password()
    assert any("prompt=none" in page.url for page in person.seen)
    assert not person.is_signed_in


@pytest.mark.usefixtures("configure")
def test_subclasses_of_middleware_are_accepted_by_the_checks(db: None, settings: Any) -> None:
    settings.MIDDLEWARE = [EXTENDED.get(path, path) for path in MIDDLEWARE]
    assert set(EXTENDED.values()) <= set(settings.MIDDLEWARE)
    assert reported_ids() == set()


# ---- sessions and forms


@pytest.mark.parametrize(
    "changes",
    [
        {"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"},
        {"SESSION_ENGINE": "django.contrib.sessions.backends.cached_db"},
        {"CSRF_USE_SESSIONS": True},
    ],
    ids=lambda changes: next(iter(changes.values())) if isinstance(next(iter(changes.values())), str) else "csrf",
)
def test_sign_up_works_with_other_session_engines(
    db: None, org: OrgHandle, settings: Any, changes: dict[str, Any]
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    sign_up_and_sign_in(org)


def test_session_in_a_signed_cookie_stays_below_2000_bytes(db: None, org: OrgHandle, settings: Any) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    person = Person().signs_up(org)
    cookies = [line for page in person.seen for line in page.headers.splitlines() if line.startswith("sessionid=")]
    assert cookies
    assert max(map(len, cookies)) < 2_000  # browsers drop cookies of more than 4,096 bytes


@pytest.mark.parametrize(
    "changes",
    [
        {"CSRF_COOKIE_HTTPONLY": True, "CSRF_FAILURE_VIEW": "support.sites.extended.own_page_for_a_failed_check"},
        {"SESSION_COOKIE_AGE": 2},
        {"SESSION_EXPIRE_AT_BROWSER_CLOSE": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_sign_up_works_with_other_cookie_settings(
    db: None, org: OrgHandle, settings: Any, changes: dict[str, Any]
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    sign_up_and_sign_in(org)


def test_sign_up_works_behind_a_proxy_that_terminates_tls(db: None, org: OrgHandle, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    plain = Person().browser
    assert plain.get("/signup/")["Location"] == "https://testserver/signup/"
    assert plain.get("/signup/health/live").status_code == 200
    person = Person()
    headers = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_HOST": "testserver", "HTTP_ORIGIN": "https://testserver"}
    person.browser.defaults |= headers
    assert person.signs_up(org).is_signed_in
    assert all(cookie["secure"] for cookie in person.browser.cookies.values())


# ---- transactions


@pytest.fixture
def atomic() -> Iterator[None]:
    connections["default"].settings_dict["ATOMIC_REQUESTS"] = True
    yield
    connections["default"].settings_dict["ATOMIC_REQUESTS"] = False


@pytest.mark.usefixtures("atomic")
def test_calls_to_the_org_run_outside_transactions_with_atomic_requests(
    transactional_db: None, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, in_transaction = Transport.fetch, []

    def record_transaction(*arguments: Any, **more: Any) -> Any:
        in_transaction.append(connection.in_atomic_block)
        return original(*arguments, **more)

    monkeypatch.setattr(Transport, "fetch", record_transaction)
    assert not checks.surroundings.check_database()
    sign_up_and_sign_in(org)
    assert len(in_transaction) > 5
    assert not any(in_transaction)


@pytest.mark.usefixtures("atomic", "configure")
def test_system_check_reports_a_view_wrapped_in_a_transaction(settings: Any) -> None:
    settings.ROOT_URLCONF = "support.sites.wrapped_urls"
    (message,) = checks.surroundings.check_database()
    assert (message.id, "in selfreg:start." in message.msg) == ("selfreg.E011", True)


# ---- URLs


@pytest.fixture
def localized(settings: Any) -> None:
    settings.ROOT_URLCONF = "support.sites.localized_urls"
    settings.LANGUAGE_CODE = "en-us"


@pytest.mark.usefixtures("localized", "configure")
def test_urls_registered_at_the_org_do_not_depend_on_the_language(db: None, org: OrgHandle) -> None:
    site = describe_site(conf())
    assert (site.redirect_uri, site.email_callback_uri) == (f"{SITE}/en/oidc/callback/", f"{SITE}/en/signup/verify/")
    uris = {"redirect_uris": [site.redirect_uri], "email_callback_uri": site.email_callback_uri}
    org.patch_policy({"apps": [asdict(app) | uris for app in org.policy.apps]})
    person = Person(language="de").opens(f"{SITE}/de/signup/")
    assert person.heading == "Erstellen Sie Ihr Konto"
    assert reported_ids() == set()


@pytest.mark.usefixtures("localized")
def test_landing_page_with_a_language_prefix_is_accepted(db: None, configure: Configure) -> None:
    assert "W003" not in reported_ids()


@pytest.mark.parametrize("url", [f"{SITE}/shop", f"{SITE}/shop/"])
def test_base_url_with_a_path_is_reported(configure: Configure, url: str) -> None:
    configure(BASE_URL=url)
    assert "selfreg.E013" in {m.id for m in checks.settings.check_settings()}


@pytest.fixture
def script_prefix() -> Iterator[None]:
    """Set a script prefix like a server's SCRIPT_NAME."""
    set_script_prefix("/shop/")
    yield
    clear_script_prefix()


@pytest.mark.usefixtures("script_prefix", "configure")
def test_urls_contain_the_script_prefix(settings: Any) -> None:
    settings.LOGOUT_REDIRECT_URL = None
    site = describe_site(conf())
    assert (site.redirect_uri, site.sign_out_uri) == (f"{SITE}/shop/oidc/callback/", f"{SITE}/shop/")


def test_request_with_another_host_is_logged_once(
    db: None, org: OrgHandle, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    caplog.set_level(logging.WARNING, "selfreg")
    for _visit in range(2):
        assert Person().browser.get("/signup/", headers={"Host": "other.example"}).status_code == 200
    assert [record.getMessage() for record in caplog.records if "other.example" in record.getMessage()] == [
        "A visitor opened this site at other.example, and SELFREG['BASE_URL'] is http://testserver. Mailed links and "
        "the sign-in lead to BASE_URL, where that browser has no session: redirect other hosts there."
    ]


@pytest.mark.usefixtures("script_prefix", "org")
def test_script_name_without_force_script_name_is_logged(db: None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "selfreg")
    assert Person().browser.get("/signup/").status_code == 200
    assert any("FORCE_SCRIPT_NAME" in record.getMessage() for record in caplog.records)


# ---- templates


@pytest.mark.parametrize("name", ["registration", "expires_in", "poll", "wait", "resend_wait", "captcha", "change"])
def test_context_processor_may_use_the_names_of_template_variables(
    db: None, org: OrgHandle, settings: Any, name: str
) -> None:
    (engine,) = settings.TEMPLATES
    processors = [*engine["OPTIONS"]["context_processors"], "support.sites.extended.one_word"]
    settings.TEMPLATES = [engine | {"OPTIONS": engine["OPTIONS"] | {"context_processors": processors}}]
    settings.WORD = name
    assert Person().signs_up(org).is_signed_in


# ---- formats


@pytest.mark.usefixtures("org")
def test_numbers_for_scripts_have_no_thousand_separators(db: None, settings: Any, configure: Configure) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    configure(RESEND_SECONDS=5_000)
    person = Person().opens_the_sign_up().submits_profile()
    Registration.objects.update(expires_at=timezone.now() + timedelta(hours=2))
    person.opens("/signup/step/")
    numbers = dict(re.findall(r'data-(poll|countdown|expires)="([^"]*)"', person.page.html))
    assert set(numbers) == {"poll", "countdown", "expires"}
    assert all(number.isdecimal() and int(number) >= 1_000 for number in numbers.values()), numbers
