"""Sessions of logged-in users: idle time-out and ending other sessions."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg.checks.hardening import check_sessions
from selfreg.conf import conf
from selfreg.middleware import IdleSessionMiddleware
from support.person import SITE, Person

pytestmark = pytest.mark.django_db
BUTTON = "Sign out everywhere else"
ENGINES = ["db", "cache", "cached_db", "signed_cookies"]


def is_logged_in(person: Person) -> bool:
    return "Hello" in person.opens("/").page.text


def test_unused_session_expires(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    assert is_logged_in(person)
    seconds = conf().session_idle_seconds
    with time_machine.travel(timezone.now() + timedelta(seconds=seconds - 60), tick=False):
        assert is_logged_in(person)
    with time_machine.travel(timezone.now() + timedelta(seconds=2 * seconds - 180), tick=False):
        assert is_logged_in(person)
    with time_machine.travel(timezone.now() + timedelta(seconds=3 * seconds), tick=False):
        assert not is_logged_in(person)


def test_idle_timeout_can_be_turned_off(person: Person, org: OrgHandle, configure: Any) -> None:
    configure(SESSION_IDLE_SECONDS=0, SESSION_SECONDS=0)
    person.signs_up(org)
    with time_machine.travel(timezone.now() + timedelta(days=7), tick=False):
        assert is_logged_in(person)


@pytest.mark.parametrize(("seconds", "ids"), [(3600, ["selfreg.W038"]), (0, [])])
def test_system_check_warns_if_the_idle_session_middleware_is_missing(
    settings: Any, configure: Any, seconds: int, ids: list[str]
) -> None:
    configure(SESSION_IDLE_SECONDS=seconds)
    assert check_sessions() == []
    settings.MIDDLEWARE = [path for path in settings.MIDDLEWARE if not path.endswith("IdleSessionMiddleware")]
    assert [message.id for message in check_sessions()] == ids


def test_middleware_does_not_access_the_session_of_an_anonymous_visitor() -> None:
    request = RequestFactory().get("/")
    request.session = SessionStore()
    assert IdleSessionMiddleware(lambda _request: HttpResponse("the page"))(request).content == b"the page"
    assert not request.session.accessed


def test_last_use_is_stored_at_most_once_a_minute(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    is_logged_in(person)
    before = person.browser.session["selfreg_seen"]
    is_logged_in(person)
    assert person.browser.session["selfreg_seen"] == before
    with time_machine.travel(timezone.now() + timedelta(seconds=90), tick=False):
        is_logged_in(person)
    assert person.browser.session["selfreg_seen"] > before


@pytest.mark.parametrize("engine", ENGINES)
def test_user_can_end_all_other_sessions(person: Person, org: OrgHandle, settings: Any, engine: str) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    person.signs_up(org)
    second_browser = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    grace = Person("grace@example.com").signs_up(org)
    person.opens("/").follows(BUTTON).presses(BUTTON)
    assert "signed out in all other browsers" in person.page.text
    assert [is_logged_in(p) for p in (person, second_browser, grace)] == [True, False, True]


def test_user_with_a_local_password_is_asked_to_change_it(client: Client) -> None:
    client.force_login(User.objects.create_user("old", password="an-old-password"))
    for response in (client.get("/signup/sessions/"), client.post("/signup/sessions/")):
        assert "Change it to sign out everywhere else" in response.content.decode()
    assert "_auth_user_id" in client.session


def test_other_sessions_are_not_ended_without_login_and_csrf_token(person: Person, org: OrgHandle) -> None:
    """Another site's page has no CSRF token, and an anonymous visitor no login."""
    person.signs_up(org)
    second_browser = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert person.browser.post("/signup/sessions/").status_code == 403
    assert Client().post("/signup/sessions/").status_code == 302
    assert person.browser.get("/signup/sessions/").status_code == 200
    assert is_logged_in(second_browser)


def test_logins_and_logouts_are_logged(person: Person, org: OrgHandle, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="selfreg.events"):
        person.signs_up(org).opens("/").presses("Sign out")
        Client().post("/admin/login/", {"username": "canary-name", "password": "canary-password"})
    events = [(r.getMessage(), getattr(r, "selfreg", {})) for r in caplog.records]
    user = User.objects.get()
    assert ("sign_in.succeeded", {"user": user.pk, "backend": "selfreg.auth.OktaBackend"}) in events
    assert ("sign_out", {"user": user.pk}) in events
    assert "sign_in.refused" in [name for name, _fields in events]
    assert "canary" not in repr(events)
