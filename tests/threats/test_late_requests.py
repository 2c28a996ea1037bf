"""A second request with the cookie from before the sign-in: the browser may hold the new one, and has to keep it."""

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


def late(cookies: dict[str, str]) -> Client:
    """The browser as it was when it sent the second request."""
    browser = Client(enforce_csrf_checks=True)
    for name, value in cookies.items():
        browser.cookies[name] = value
    return browser


def touches_the_session(response: Any) -> bool:
    return "sessionid" in response.cookies


@pytest.fixture(params=["remembered", "forgotten"])
def cookies(request: pytest.FixtureRequest, person: Person, org: OrgHandle) -> dict[str, str]:
    """Of a browser just before it was signed in. How the sign-up ended is cached for five minutes."""
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password")
    before = {name: morsel.value for name, morsel in person.browser.cookies.items()}
    assert person.sets_a_password().is_signed_in
    if request.param == "forgotten":
        cache.clear()
    return before


@pytest.mark.parametrize("path", GETS)
def test_a_late_get_leaves_the_session_cookie_alone(cookies: dict[str, str], path: str) -> None:
    assert not touches_the_session(late(cookies).get(path))


@pytest.mark.parametrize("path", POSTS)
def test_a_late_post_leaves_the_session_cookie_alone(cookies: dict[str, str], path: str) -> None:
    token = cookies["csrftoken"]
    sent = {"csrfmiddlewaretoken": token, "credentials.passcode": PASSWORD, "action": ""}
    json: dict[str, Any] = {"content_type": "application/json"} if "/api/" in path else {}
    answer = late(cookies).post(path, sent, headers={"X-CSRFToken": token}, **json)
    assert not touches_the_session(answer)


def test_a_late_callback_of_a_sign_in_leaves_the_session_cookie_alone(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    again = Person()
    again.opens(f"{SITE}/oidc/authenticate/")
    before = {name: morsel.value for name, morsel in again.browser.cookies.items()}
    again.signs_in_at_the_org()
    callback = next(s.url for s in reversed(again.seen) if "/oidc/callback/" in s.url)
    answer = late(before).get(callback.removeprefix(SITE))
    assert answer.status_code == 400
    assert not touches_the_session(answer)


def test_a_late_request_of_an_app_in_the_browser_leaves_the_session_cookie_alone(db: None, org: OrgHandle) -> None:
    ada = AppClient().is_at_the_password(org)
    before = {name: morsel.value for name, morsel in ada.browser.cookies.items()}
    ada.sets_a_password()
    assert ada.answer["signed_in"]
    answer = late(before).get("/signup/api/step/")
    assert (answer.status_code, touches_the_session(answer)) == (200, False)
