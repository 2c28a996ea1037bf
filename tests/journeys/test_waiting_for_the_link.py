"""An app without an address for the links of mails: they lead to the org's own pages, the first tab goes on (B33)."""

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
    """At the code; the link in the mail leads to a question of the org."""
    configure(RESEND_SECONDS=0)
    apps = [asdict(app) | {"email_callback_uri": None} for app in org.policy.apps]
    org.patch_policy({"email_link_page": "return_to_tab", "apps": apps})
    return person.opens_the_sign_up().tells_who_she_is().chooses("Email")


def answers_at_the_org(person: Person, org: OrgHandle, consent: str) -> None:
    """On whatever device the mail was opened."""
    link = str(org.messages(person.email)[0].link)
    token = parse_qs(urlsplit(link).query)["token"][0]
    requests.post(link, data={"token": token, "consent": consent}, allow_redirects=False, timeout=5)


def asks(person: Person) -> dict[str, object]:
    """What the script of the page is told."""
    data = person.form.data() | {"action": "poll"}
    found: dict[str, object] = person.browser.post("/signup/step/", data).json()
    return found


def test_the_page_asks_as_often_as_the_org_states(waiting: Person, org: OrgHandle) -> None:
    assert 'data-poll="4000"' in waiting.page.html
    assert asks(waiting) == {"wait": 4000}
    assert len(org.calls("/challenge/poll")) == 1


def test_what_the_page_said_stays_while_it_waits(waiting: Person) -> None:
    said = "That code isn't right. Check the newest one and try again."
    times = waiting.fills_and_presses({"credentials.passcode": "000000"}).page.text.count(said)
    asks(waiting)
    asks(waiting)
    assert waiting.opens("/signup/step/").page.text.count(said) == times > 0


def test_who_says_yes_at_the_org_goes_on_in_the_first_tab(waiting: Person, org: OrgHandle) -> None:
    answers_at_the_org(waiting, org, "true")
    assert asks(waiting) == {"go": "/signup/step/"}
    assert waiting.opens("/signup/step/").heading == "Choose a password"
    assert Registration.objects.get().email_verified_at is not None
    assert waiting.chooses("Password").sets_a_password().is_signed_in


def test_who_says_no_at_the_org_has_ended_it_and_the_first_tab_says_so(waiting: Person, org: OrgHandle) -> None:
    answers_at_the_org(waiting, org, "false")
    assert "go" in asks(waiting)
    assert waiting.opens("/signup/step/").heading == "We couldn't finish your sign-up"
    assert "Operation cancelled on other device." in waiting.page.text


def test_a_flow_that_went_on_in_another_tab_is_told_in_the_first(waiting: Person, org: OrgHandle) -> None:
    org.patch_policy({"email_link_page": "continue_here"})
    answers_at_the_org(waiting, org, "true")
    assert "go" in asks(waiting)
    assert "You continued signing up in another tab." in waiting.opens("/signup/step/").page.text


def test_an_org_that_is_asked_too_often_is_left_alone_for_a_minute(waiting: Person, org: OrgHandle) -> None:
    org.fail("/challenge/poll", "status", status=429)
    assert int(str(asks(waiting)["wait"])) > 50_000
    asked = len(org.calls("/challenge/poll"))
    asks(waiting)
    assert len(org.calls("/challenge/poll")) == asked


def test_a_transaction_that_ran_out_is_not_asked_about_any_more(waiting: Person, org: OrgHandle) -> None:
    org.advance(10_000)
    assert "go" in asks(waiting)
    assert waiting.opens("/signup/step/").heading == "Your session timed out"
    assert waiting.follows("Start again").page.typed("First name") == "Ada"


@pytest.mark.parametrize("press", ["", "Resend code"])
def test_without_script_whatever_is_pressed_leads_on(waiting: Person, org: OrgHandle, press: str) -> None:
    waiting.opens("/signup/step/")
    answers_at_the_org(waiting, org, "true")
    waiting.fills({"credentials.passcode": "123456"}).presses(press)
    assert waiting.heading == "Secure your account"
    assert "You've already done that step. This is the next one." in waiting.page.notices()
    assert waiting.chooses("Password").sets_a_password().is_signed_in
