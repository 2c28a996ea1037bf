"""GETs that a page of another site can trigger in any browser consume no rate limit and leave no data."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg import rate_limits
from selfreg.models import RateLimitCounter, Registration
from selfreg.rate_limits import HOUR, Limit
from support.app_client import AppClient
from support.person import SITE, Person

pytestmark = pytest.mark.django_db

IMAGE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
FRAME = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
SCRIPT = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
PREFETCH = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch;prerender"}
SIBLING = IMAGE | {"Sec-Fetch-Site": "same-site"}
OLD_PREFETCH = {"X-Moz": "prefetch"}
PREVIEW = {"X-Purpose": "preview"}
EMBEDDED = [IMAGE, FRAME, SCRIPT, PREFETCH, SIBLING, OLD_PREFETCH, PREVIEW]
REDIRECT = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
CLICK = REDIRECT | {"Sec-Fetch-User": "?1"}
URLS = [
    "/signup/",
    "/signup/?token=junk{n}",
    "/signup/?activationToken=junk{n}",
    "/signup/step/",
    "/signup/done/",
    "/signup/link/",
    "/signup/email/",
    "/signup/verify/?otp=123456&state=x{n}",
    "/signup/verify/?error=1",
    "/signup/api/",
    "/signup/api/step/",
    "/oidc/authenticate/?next=/a{n}",
    "/oidc/callback/?code=x&state=y{n}",
    "/oidc/callback/?interaction_code=x&state=y{n}",
    "/oidc/callback/?error=x&state=y{n}",
]


@pytest.fixture(autouse=True)
def limits_without_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply the limits of a site without DEBUG."""
    strict = {
        name: Limit(limit.max_hits, limit.seconds, relaxed=limit.max_hits) for name, limit in rate_limits.LIMITS.items()
    }
    monkeypatch.setattr(rate_limits, "LIMITS", strict)


@pytest.mark.parametrize("headers", EMBEDDED, ids=range(len(EMBEDDED)))
@pytest.mark.parametrize("url", URLS)
def test_embedded_requests_from_other_sites_are_rejected_without_side_effects(
    org: OrgHandle, headers: dict[str, str], url: str
) -> None:
    cache.clear()
    for n in range(3):
        response = Client().get(url.format(n=n), headers=headers)
        assert response.status_code == (400 if url.startswith("/oidc/callback/") else 403)
    assert not org.calls()
    assert not Session.objects.exists()
    assert not RateLimitCounter.objects.exists()
    assert not Registration.objects.exists()


@pytest.mark.parametrize("headers", [{}, CLICK, REDIRECT], ids=["old browser", "click", "redirect"])
def test_invitation_links_do_not_consume_the_limit_for_starting_a_sign_up(
    org: OrgHandle, headers: dict[str, str]
) -> None:
    for n in range(65):
        Client().get(f"/signup/?token=junk{n}", headers=headers)
    assert len(org.calls("/interact")) <= 20
    assert Person().opens_the_sign_up().submits_profile().path == "/signup/step/"


def test_invitation_opened_by_another_page_requires_a_button_press(
    person: Person, org: OrgHandle, invitation: str
) -> None:
    response = person.browser.get(f"/signup/?token={invitation}", headers=REDIRECT)
    assert not org.calls("/interact")
    assert invitation not in response.content.decode()
    person.browser.defaults |= {"HTTP_SEC_FETCH_SITE": "cross-site"}
    person.opens_the_sign_up(f"?token={invitation}")
    assert person.heading == "Your invitation"
    del person.browser.defaults["HTTP_SEC_FETCH_SITE"]
    assert person.presses("Continue").path == "/signup/step/"


def test_invitation_link_clicked_in_an_email_is_accepted_immediately(org: OrgHandle, invitation: str) -> None:
    for headers in (CLICK, {"Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1"}):
        assert Client().get(f"/signup/?token={invitation}", headers=headers)["Location"] == "/signup/step/"


def test_accepting_an_invitation_counts_as_a_start_and_requires_a_csrf_token(
    person: Person, org: OrgHandle, invitation: str
) -> None:
    person.browser.defaults |= {"HTTP_SEC_FETCH_SITE": "cross-site"}
    for n in range(61):
        person.opens_the_sign_up(f"?token=guess{n}")
        if person.heading == "Your invitation":
            person.presses("Continue")
    assert person.status == 429
    assert (
        Client(enforce_csrf_checks=True).post(f"/signup/?token={invitation}", {"action": "accept"}).status_code == 403
    )


@pytest.fixture
def invitation(org: OrgHandle) -> str:
    headers = {"Authorization": "SSWS local-api-token-not-for-production"}
    profile = {"firstName": "Ida", "lastName": "Rhodes", "email": "ida@example.com", "login": "ida@example.com"}
    created = requests.post(
        f"{org.base}/api/v1/users?activate=false", json={"profile": profile}, headers=headers, timeout=60
    )
    url = f"{org.base}/api/v1/users/{created.json()['id']}/lifecycle/activate?sendEmail=false"
    return str(requests.post(url, headers=headers, timeout=60).json()["activationToken"])


@pytest.mark.parametrize("url", ["/signup/verify/?otp=123456&state=x", "/signup/verify/?error=1"])
@pytest.mark.parametrize("method", ["get", "head"])
def test_email_link_creates_no_session(org: OrgHandle, url: str, method: str) -> None:
    for _ in range(5):
        getattr(Client(), method)(url)
    assert not Session.objects.exists()


def test_email_link_cookie_is_encrypted_http_only_and_expires_after_ten_minutes(org: OrgHandle) -> None:
    browser = Client()
    response = browser.get("/signup/verify/?otp=123456&state=canary-state")
    cookie = response.cookies["selfreg_link"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 600)
    assert "123456" not in cookie.value
    assert "canary" not in cookie.value
    assert "We don't recognize this link" in browser.get("/signup/verify/").content.decode()
    with time_machine.travel(timezone.now() + timedelta(seconds=601)):
        assert "This link doesn't work" in browser.get("/signup/verify/").content.decode()


@pytest.mark.parametrize("value", ["", "x", "a" * 4_000, "é"])
def test_forged_email_link_cookie_is_ignored(org: OrgHandle, value: str) -> None:
    browser = Client()
    browser.cookies["selfreg_link"] = value
    assert browser.get("/signup/verify/").status_code == 200
    assert browser.post("/signup/verify/").status_code == 302


def test_session_of_an_unfinished_sign_in_expires_after_an_hour_and_is_purged(org: OrgHandle) -> None:
    for n in range(5):
        Client().get(f"/oidc/authenticate/?next=/{'a' * 900}{n}")
    assert Session.objects.count() == 5
    assert max(Session.objects.values_list("expire_date", flat=True)) <= timezone.now() + timedelta(hours=1)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        call_command("selfreg_purge", verbosity=0)
    assert not Session.objects.exists()


def test_session_created_by_opening_the_form_expires_within_an_hour(org: OrgHandle) -> None:
    Client().get("/signup/")
    (expiry,) = Session.objects.values_list("expire_date", flat=True)
    assert expiry <= timezone.now() + timedelta(hours=1)


def test_session_with_a_registration_lasts_as_long_as_other_sessions(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile()
    assert person.browser.session.get_expiry_age() > 13 * 86_400


def test_session_with_data_of_the_site_keeps_its_expiry(person: Person, org: OrgHandle) -> None:
    session = person.browser.session
    session["cart"] = [1]
    session.save()
    person.browser.cookies["sessionid"] = str(session.session_key)
    person.opens(f"{SITE}/oidc/authenticate/").opens_the_sign_up()
    assert person.browser.session["cart"] == [1]
    assert person.browser.session.get_expiry_age() > 13 * 86_400


def test_fetching_uncached_forms_is_rate_limited(org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "form by ip", Limit(3, HOUR, relaxed=3))
    statuses = []
    for _ in range(5):
        cache.clear()
        statuses.append(Client().get("/signup/").status_code)
    assert statuses == [200, 200, 200, 429, 429]
    assert len(org.calls("/interact")) == 3
    cache.clear()
    api = Client(headers={"Authorization": f"Bearer {token()}"}).get("/signup/api/")
    assert (api.status_code, api.json()["type"].rpartition(":")[2]) == (429, "wait")


def token() -> str:
    app = AppClient(by_token=True)
    return app.headers["Authorization"].removeprefix("Bearer ")


def test_failed_form_fetches_do_not_count_against_the_rate_limit(
    org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "form by ip", Limit(3, HOUR, relaxed=3))
    org.fail("/interact", "status", status=503, times=9)
    assert [Client().get("/signup/").status_code for _ in range(5)] == [503] * 5  # a limit says 429


# ---- the form token and the device cookie that it is bound to


def test_form_token_of_another_browser_is_rejected_even_with_its_csrf_cookie(org: OrgHandle, settings: Any) -> None:
    settings.DEBUG = False
    vic = Person("vic@example.com").opens_the_sign_up()
    token = vic.form.data()["form_token"]
    vic.submits_profile()
    (row,) = Registration.objects.all()
    eve = Person("eve@example.com").opens_the_sign_up()
    eve.browser.cookies["csrftoken"] = vic.browser.cookies["csrftoken"].value
    eve.opens_the_sign_up().fills({"form_token": token}).submits_profile()
    assert str(row.pk) not in eve.browser.session.get("selfreg", [])
    assert eve.heading == "Create your account"


@pytest.mark.parametrize("secure", [True, False])
def test_app_cookies_have_the_host_prefix_if_session_cookies_are_secure(
    org: OrgHandle, settings: Any, configure: Callable[..., None], secure: bool
) -> None:
    settings.SESSION_COOKIE_SECURE = secure
    for url, name in (("/signup/", "selfreg_device"), ("/signup/verify/?otp=123456&state=x", "selfreg_link")):
        cookie = Client().get(url).cookies[f"__Host-{name}" if secure else name]
        assert (bool(cookie["secure"]), cookie["path"], cookie["domain"]) == (secure, "/", "")
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
