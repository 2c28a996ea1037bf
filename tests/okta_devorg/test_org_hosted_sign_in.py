"""Sign-in by redirect to the org's own pages."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
import requests

from okta_devorg import OrgHandle
from okta_devorg.factors.totp import code_at
from support.local_org.org_browser import OrgBrowser
from support.local_org.org_journey import ADA, CLIENT, PASSWORD, Journey, pkce

PHONE = "+14155550100"


@pytest.fixture
def ada(org: OrgHandle) -> Iterator[Journey]:
    journey = Journey(org).signed_up()
    yield journey
    journey.close()


def sign_in(browser: OrgBrowser) -> None:
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)


@pytest.mark.usefixtures("ada")
def test_address_and_password_redirect_with_a_code_that_works_once(browser: OrgBrowser) -> None:
    browser.authorize()
    assert 'href="http://127.0.0.1:8000/signup/"' in browser.page.text
    browser.fill(identifier=ADA["email"].upper())
    browser.fill(password=PASSWORD)
    assert browser.landed["state"] == "abc"
    tokens = browser.token()
    assert tokens.status_code == 200
    assert browser.token().json()["error"] == "invalid_grant"


@pytest.mark.usefixtures("ada")
def test_a_wrong_password_and_an_unknown_user_get_the_same_page(browser: OrgBrowser) -> None:
    pages = []
    for identifier in (ADA["email"], "nobody@example.com"):
        browser.authorize()
        browser.fill(identifier=identifier)
        browser.fill(password="Wrong-horse-7")
        assert "Unable to sign in" in browser.page.text
        pages.append(re.sub(r"/signin/[\w-]+|" + re.escape(identifier), "", browser.page.text))
    assert pages[0] == pages[1]


@pytest.mark.usefixtures("ada")
def test_the_session_of_the_org_signs_in_silently_until_logout(browser: OrgBrowser) -> None:
    browser.authorize(prompt="none")
    assert browser.landed["error"] == "login_required"
    sign_in(browser)
    id_token = browser.token().json()["id_token"]
    browser.authorize(prompt="none")
    assert browser.landed["code"]
    browser.authorize(prompt="login")
    assert browser.page.status_code == 200
    home = "http://127.0.0.1:8000/"
    query = {"id_token_hint": id_token, "post_logout_redirect_uri": home, "state": "s"}
    browser.go("GET", browser.org.issuer + "/v1/logout", params=query)
    assert browser.page.headers["Location"] == home + "?state=s"
    browser.authorize(prompt="none")
    assert browser.landed["error"] == "login_required"


@pytest.mark.usefixtures("ada")
def test_logout_redirects_only_to_registered_urls(browser: OrgBrowser) -> None:
    query = {"client_id": CLIENT, "post_logout_redirect_uri": "https://elsewhere.example/"}
    browser.go("GET", browser.org.issuer + "/v1/logout", params=query)
    assert (browser.page.status_code, browser.page.headers.get("Location")) == (400, None)


def test_a_user_without_a_password_gets_a_code_by_email(org: OrgHandle, browser: OrgBrowser, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"okta_password": "disabled"}})
    journey.registered().answer(org.code(ADA["email"]))
    assert "successWithInteractionCode" in journey.document
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    assert org.messages(ADA["email"])[0].template == "Email Challenge"
    browser.fill(code="wrong")
    assert "Invalid code. Try again." in browser.page.text
    browser.fill(code=org.code(ADA["email"]))
    assert browser.token().status_code == 200


def test_the_second_factor_can_be_email_or_phone(org: OrgHandle, browser: OrgBrowser, journey: Journey) -> None:
    org.patch_policy({"sign_on": "password_and_another", "authenticators": {"phone_number": "required"}})
    journey.signed_up().choose("Phone", methodType="sms", phoneNumber=PHONE)
    journey.answer(org.code(PHONE))
    sign_in(browser)
    assert org.messages(ADA["email"])[0].template == "Email Challenge"
    browser.fill(action="other")
    assert "text message" in browser.page.text
    before = len(org.messages(PHONE))
    browser.fill(action="resend")
    assert len(org.messages(PHONE)) == before + 1
    browser.fill(code=org.code(PHONE))
    assert browser.token().status_code == 200


def test_the_second_factor_can_be_an_authenticator_app_or_a_security_question(
    org: OrgHandle, browser: OrgBrowser, ada: Journey
) -> None:
    org.patch_policy({"authenticators": {"google_otp": "required", "security_question": "required"}})
    ada.sign_in().choose("Google Authenticator")
    secret = ada.document["currentAuthenticator"]["value"]["contextualData"]["sharedSecret"]
    clock = org.org.clock
    ada.answer(code_at(secret, clock.real_time(clock.now())))
    ada.choose("Security Question")
    ada.take("enroll-authenticator", credentials={"questionKey": "disliked_food", "answer": "Beetroot"})
    org.patch_policy({"sign_on": "password_and_another"})
    sign_in(browser)
    browser.fill(action="other")
    assert "Your authenticator app shows the code." in browser.page.text
    browser.fill(code=code_at(secret, clock.real_time(clock.now())))
    assert browser.token().status_code == 200
    browser.authorize(prompt="login")
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    browser.fill(action="other")
    browser.fill(action="other")
    assert "What is the food you least liked as a child?" in browser.page.text
    browser.fill(answer="Chocolate")
    assert "match our records" in unescape(browser.page.text)
    browser.fill(answer="beetroot")
    assert browser.token().status_code == 200


@pytest.mark.usefixtures("ada")
def test_an_expired_password_can_be_changed_on_the_page(org: OrgHandle, browser: OrgBrowser) -> None:
    org.patch_policy({"password": {"age": {"maxAgeDays": 1}}})
    org.advance(86400)
    sign_in(browser)
    browser.fill(password=PASSWORD)
    assert "Password requirements were not met" in browser.page.text
    browser.fill(password="Another-horse-8")
    assert browser.token().status_code == 200


@pytest.mark.usefixtures("ada")
def test_too_many_wrong_passwords_lock_the_account(org: OrgHandle, browser: OrgBrowser) -> None:
    org.patch_policy({"password": {"lockout": {"maxAttempts": 2, "showLockoutFailures": True}}})
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    for _ in range(2):
        browser.fill(password="Wrong-horse-7")
    assert "Your account is locked" in browser.page.text
    browser.fill(password=PASSWORD)
    assert "Your account is locked" in browser.page.text


def test_a_staged_user_cannot_sign_in(org: OrgHandle, browser: OrgBrowser, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"okta_email": "disabled"}})
    journey.registered().set_password()
    assert org.users[0].status == "STAGED"
    sign_in(browser)
    assert "Unable to sign in" in browser.page.text


@pytest.mark.parametrize("changes", [{"redirect_uri": "https://elsewhere.example/"}, {"client_id": "0oaUnknown"}])
def test_an_unknown_redirect_uri_or_app_gets_an_error_page_and_no_redirect(
    browser: OrgBrowser, changes: dict[str, str]
) -> None:
    browser.authorize(**changes)
    assert (browser.page.status_code, browser.page.headers.get("Location")) == (400, None)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "password"}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_mode": "web_message"}, "invalid_request"),
    ],
)
def test_other_request_errors_are_returned_to_the_app(browser: OrgBrowser, changes: dict[str, str], error: str) -> None:
    browser.authorize(**changes)
    assert (browser.landed["error"], browser.landed["state"]) == (error, "abc")


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    ("changes", "error"),
    [({"code_verifier": pkce()[0]}, "invalid_grant"), ({"redirect_uri": "https://x.example/"}, "invalid_grant")],
)
def test_the_code_requires_its_verifier_and_its_redirect_uri(
    browser: OrgBrowser, changes: dict[str, str], error: str
) -> None:
    sign_in(browser)
    assert browser.token(**changes).json()["error"] == error


def test_an_expired_sign_in_page_shows_an_error(org: OrgHandle, browser: OrgBrowser) -> None:
    browser.authorize()
    org.advance(1801)
    browser.fill(identifier=ADA["email"])
    assert browser.page.status_code == 400
    assert "expired" in browser.page.text


def test_the_sign_in_page_has_no_script_and_a_strict_csp(browser: OrgBrowser) -> None:
    browser.authorize()
    assert "<script" not in browser.page.text
    policy = browser.page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    own_name = browser.org.base.replace("127.0.0.1", "localhost")
    assert f"form-action 'self' {own_name} http://127.0.0.1:8000;" in policy


@pytest.mark.usefixtures("ada")
def test_a_password_reset_by_email_does_not_reveal_whether_an_account_exists(
    browser: OrgBrowser, org: OrgHandle
) -> None:
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    assert 'href="/signin/forgot-password"' in browser.page.text
    page = f"{org.base}/signin/forgot-password"
    answers = [
        requests.post(page, {"identifier": identifier}, timeout=60)
        for identifier in (ADA["email"], "nobody@example.com")
    ]
    assert answers[0].text == answers[1].text
    (mail,) = [m for m in org.messages(ADA["email"]) if "/signin/reset-password/" in (m.link or "")]
    assert org.messages("nobody@example.com") == []
    assert requests.post(mail.link or "", {"password": "Another-horse-8"}, timeout=60).status_code == 200
    browser.fill(password="Another-horse-8")
    assert browser.landed["state"] == "abc"


def test_password_reset_is_refused_if_the_policy_disables_it(browser: OrgBrowser, org: OrgHandle) -> None:
    org.patch_policy({"password": {"recovery": {"reset": False}}})
    assert requests.get(f"{org.base}/signin/forgot-password", timeout=60).status_code == 400
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    assert "Forgot password?" not in browser.page.text


def test_a_cross_site_password_reset_is_refused(org: OrgHandle) -> None:
    headers = {"Origin": "https://evil.example"}
    page = f"{org.base}/signin/forgot-password"
    assert requests.post(page, {"identifier": "a@example.com"}, headers=headers, timeout=60).status_code == 403
