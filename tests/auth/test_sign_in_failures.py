"""Failed sign-ins: message, status code and log record depend on the error, and contain no value from the request."""

import logging

import pytest
import requests

from okta_devorg import OrgHandle
from selfreg.models import Registration
from support.person import SITE, Person

CALLBACK = f"{SITE}/oidc/callback/"


def open_callback(person: Person, **query: str) -> Person:
    """Open the callback with the state of a sign-in that this browser started."""
    person.browser.get("/oidc/authenticate/")
    state = next(iter(person.browser.session["oidc_states"]))
    parameters = "&".join(f"{name}={value}" for name, value in query.items())
    return person.opens(f"{CALLBACK}?state={state}&{parameters}")


@pytest.mark.parametrize(
    ("error", "description", "status", "message", "logged", "may_retry"),
    [
        ("access_denied", "User is not assigned to the client application.", 400, "have access", "not assigned", False),
        ("access_denied", "Policy evaluation failed.", 400, "security rules", "access_denied", False),
        ("temporarily_unavailable", "", 503, "can't sign you in right now", "temporarily_unavailable", True),
        ("server_error", "", 503, "can't sign you in right now", "server_error", True),
        ("login_required", "", 400, "wasn't completed", "login_required", True),
        ("made-up-canary", "canary", 400, "Try again", "refused", True),
    ],
)
def test_each_sign_in_error_has_its_message_status_and_log_record(
    person: Person, caplog: pytest.LogCaptureFixture, error: str, description: str, status: int, message: str,
    logged: str, may_retry: bool,
) -> None:  # fmt: skip
    with caplog.at_level(logging.WARNING, "selfreg"):
        open_callback(person, error=error, error_description=description.replace(" ", "+"))
    assert (person.status, message in person.page.text) == (status, True)
    assert ("Retry-After: " in person.seen[-1].headers) == (status == 503)
    assert logged in caplog.text
    assert "canary" not in caplog.text + person.page.html
    assert any("/oidc/authenticate/" in str(dict(a.attributes).get("href")) for a in person.page.all("a")) == may_retry


def test_reopened_callback_redirects_and_redeems_nothing(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    token_calls = len(org.calls("/token"))
    person.opens(f"{CALLBACK}?state=old&code=used")
    assert (person.status, person.path, person.is_signed_in) == (200, "/", True)
    assert len(org.calls("/token")) == token_calls


def test_expired_sign_in_shows_an_error(person: Person) -> None:
    person.opens(f"{CALLBACK}?state=old&code=used")
    assert person.status == 400
    assert "took too long, or it started in another browser" in person.page.text


def sign_up_until_sign_in(person: Person, org: OrgHandle) -> Registration:
    """Sign up where the org sends an activation link, so that only the sign-in is missing."""
    org.patch_policy({"authenticators": {"okta_email": "disabled"}})
    person.opens_the_sign_up().submits_profile().sets_a_password()
    row = Registration.objects.get()
    assert row.status == "awaiting_email"
    return row


def recorded_errors(row: Registration) -> list[str]:
    return [e.outcome for e in row.events.filter(kind="trouble") if e.outcome.startswith("SignInFailed")]


def test_waiting_registration_records_each_sign_in_error_once(person: Person, org: OrgHandle) -> None:
    row = sign_up_until_sign_in(person, org)
    for _ in range(2):
        open_callback(person, error="temporarily_unavailable", error_description="canary")
    open_callback(person, error="made-up-canary")
    assert recorded_errors(row) == ["SignInFailed temporarily_unavailable", "SignInFailed refused"]


def test_unsolicited_callback_is_not_recorded(person: Person, org: OrgHandle) -> None:
    row = sign_up_until_sign_in(person, org)
    person.opens(f"{CALLBACK}?state=old&error=server_error")
    assert recorded_errors(row) == []


def test_rejected_claim_is_named_in_the_log_and_the_events(
    person: Person, org: OrgHandle, caplog: pytest.LogCaptureFixture
) -> None:
    row = sign_up_until_sign_in(person, org)
    requests.get(str(org.messages(person.email)[0].link), allow_redirects=False, timeout=60)
    person.opens(f"{SITE}/oidc/authenticate/")
    session = person.browser.session
    next(iter(session["oidc_states"].values()))["nonce"] = "canary-of-another-sign-in"
    session.save()
    with caplog.at_level(logging.WARNING, "selfreg"):
        person.signs_in_at_the_org()
    assert person.status == 400
    assert recorded_errors(row) == ["SignInFailed nonce"]
    assert "sign-in failed: nonce selfreg.bad_token" in caplog.text
    assert "canary" not in caplog.text
