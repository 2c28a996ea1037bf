"""Scenario B33: an app without an email callback URI. Links in emails lead to the org, and the first tab polls."""

from collections.abc import Callable
from dataclasses import asdict
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from okta_devorg import OrgHandle
from selfreg.models import Registration
from support.person import Person


@pytest.fixture
def waiting(person: Person, org: OrgHandle, configure: Callable[..., None]) -> Person:
    """A visitor at the code page; the link in the email leads to a confirmation page of the org."""
    configure(RESEND_SECONDS=0)
    apps = [asdict(app) | {"email_callback_uri": None} for app in org.policy.apps]
    org.patch_policy({"email_link_page": "return_to_tab", "apps": apps})
    return person.opens_the_sign_up().submits_profile().chooses("Email")


def answers_the_org(person: Person, org: OrgHandle, consent: str) -> None:
    """Answers the confirmation page of the org, on any device."""
    link = str(org.messages(person.email)[0].link)
    token = parse_qs(urlsplit(link).query)["token"][0]
    requests.post(link, data={"token": token, "consent": consent}, allow_redirects=False, timeout=60)


def polls(person: Person) -> dict[str, object]:
    """Polls like the script of the page, and returns the JSON."""
    data = person.form.data() | {"action": "poll"}
    answer: dict[str, object] = person.browser.post("/signup/step/", data).json()
    return answer


def test_the_page_polls_at_the_interval_of_the_org(waiting: Person, org: OrgHandle) -> None:
    assert 'data-poll="4000"' in waiting.page.html
    assert polls(waiting) == {"wait": 4000}
    assert len(org.calls("/challenge/poll")) == 1


def test_an_error_stays_on_the_page_while_it_polls(waiting: Person) -> None:
    error = "That code isn't right. Check the newest one and try again."
    times = waiting.fills_and_presses({"credentials.passcode": "000000"}).page.text.count(error)
    polls(waiting)
    polls(waiting)
    assert waiting.opens("/signup/step/").page.text.count(error) == times > 0


def test_confirming_at_the_org_continues_the_sign_up_in_the_first_tab(waiting: Person, org: OrgHandle) -> None:
    answers_the_org(waiting, org, "true")
    assert polls(waiting) == {"go": "/signup/step/"}
    assert waiting.opens("/signup/step/").heading == "Choose a password"
    assert Registration.objects.get().email_verified_at is not None
    assert waiting.chooses("Password").sets_a_password().is_signed_in


def test_refusing_at_the_org_ends_the_sign_up_and_the_first_tab_shows_it(waiting: Person, org: OrgHandle) -> None:
    answers_the_org(waiting, org, "false")
    assert "go" in polls(waiting)
    assert waiting.opens("/signup/step/").heading == "We couldn't finish your sign-up"
    assert "Operation cancelled on other device." in waiting.page.text


def test_the_first_tab_explains_that_the_sign_up_continued_in_another_tab(waiting: Person, org: OrgHandle) -> None:
    org.patch_policy({"email_link_page": "continue_here"})
    answers_the_org(waiting, org, "true")
    assert "go" in polls(waiting)
    assert "You continued signing up in another tab." in waiting.opens("/signup/step/").page.text


def test_polling_pauses_for_a_minute_after_status_429(waiting: Person, org: OrgHandle) -> None:
    org.fail("/challenge/poll", "status", status=429)
    assert int(str(polls(waiting)["wait"])) > 50_000
    polls_before = len(org.calls("/challenge/poll"))
    polls(waiting)
    assert len(org.calls("/challenge/poll")) == polls_before


def test_polling_stops_when_the_transaction_has_expired(waiting: Person, org: OrgHandle) -> None:
    org.advance(10_000)
    assert "go" in polls(waiting)
    assert waiting.opens("/signup/step/").heading == "Your session timed out"
    assert waiting.follows("Start again").page.typed("First name") == "Ada"


@pytest.mark.parametrize("press", ["", "Resend code"])
def test_any_button_continues_after_the_link_was_confirmed_without_javascript(
    waiting: Person, org: OrgHandle, press: str
) -> None:
    waiting.opens("/signup/step/")
    answers_the_org(waiting, org, "true")
    waiting.fills({"credentials.passcode": "123456"}).presses(press)
    assert waiting.heading == "Secure your account"
    assert "You've already done that step. This is the next one." in waiting.page.notices()
    assert waiting.chooses("Password").sets_a_password().is_signed_in
