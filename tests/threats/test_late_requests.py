"""A request with the session cookie from before the login must not overwrite the browser's new session cookie."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from okta_devorg import OrgHandle
from support.app_client import AppClient
from support.person import PASSWORD, SITE, Person

GETS = [
    "/signup/",
    "/signup/step/",
    "/signup/done/",
    "/signup/link/",
    "/signup/email/",
    "/signup/verify/",
    "/signup/api/",
    "/signup/api/step/",
    "/oidc/callback/?code=x&state=y",
    "/oidc/callback/?interaction_code=x&state=y",
    "/signup/callback/?code=x&state=y",
    "/signup/captcha/",
    "/signup/sessions/",
    "/signup/nowhere/",
]
POSTS = [
    "/signup/",
    "/signup/step/",
    "/signup/cancel/",
    "/signup/link/",
    "/signup/verify/",
    "/signup/email/",
    "/signup/done/",
    "/signup/sessions/",
    "/signup/captcha/",
    "/signup/api/",
    "/signup/api/step/",
    "/signup/api/verify/",
    "/signup/api/cancel/",
    "/signup/api/token/",
]


def late_browser(cookies: dict[str, str]) -> Client:
    """Return a browser with the cookies it had when it sent the late request."""
    browser = Client(enforce_csrf_checks=True)
    for name, value in cookies.items():
        browser.cookies[name] = value
    return browser


def sets_the_session_cookie(response: Any) -> bool:
    return "sessionid" in response.cookies


@pytest.fixture(params=["outcome cached", "outcome not cached"])
def cookies(request: pytest.FixtureRequest, person: Person, org: OrgHandle) -> dict[str, str]:
    """Return the cookies of a browser just before its login. The outcome of a sign-up is cached for five minutes."""
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
    cookies_before_login = {name: morsel.value for name, morsel in person.browser.cookies.items()}
    assert person.sets_a_password().is_signed_in
    if request.param == "outcome not cached":
        cache.clear()
    return cookies_before_login


@pytest.mark.parametrize("path", GETS)
def test_late_get_does_not_set_the_session_cookie(cookies: dict[str, str], path: str) -> None:
    assert not sets_the_session_cookie(late_browser(cookies).get(path))


@pytest.mark.parametrize("path", POSTS)
def test_late_post_does_not_set_the_session_cookie(cookies: dict[str, str], path: str) -> None:
    token = cookies["csrftoken"]
    data = {"csrfmiddlewaretoken": token, "credentials.passcode": PASSWORD, "action": ""}
    json: dict[str, Any] = {"content_type": "application/json"} if "/api/" in path else {}
    response = late_browser(cookies).post(path, data, headers={"X-CSRFToken": token}, **json)
    assert not sets_the_session_cookie(response)


def test_late_sign_in_callback_does_not_set_the_session_cookie(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    returning_person = Person()
    returning_person.opens(f"{SITE}/oidc/authenticate/")
    cookies_before_login = {name: morsel.value for name, morsel in returning_person.browser.cookies.items()}
    returning_person.signs_in_at_the_org()
    callback = next(s.url for s in reversed(returning_person.seen) if "/oidc/callback/" in s.url)
    response = late_browser(cookies_before_login).get(callback.removeprefix(SITE))
    assert response.status_code == 400
    assert not sets_the_session_cookie(response)


def test_late_api_request_of_a_browser_app_does_not_set_the_session_cookie(db: None, org: OrgHandle) -> None:
    app = AppClient().goes_to_the_password_page(org)
    cookies_before_login = {name: morsel.value for name, morsel in app.browser.cookies.items()}
    app.sets_a_password()
    assert app.answer["signed_in"]
    response = late_browser(cookies_before_login).get("/signup/api/step/")
    assert (response.status_code, sets_the_session_cookie(response)) == (200, False)
