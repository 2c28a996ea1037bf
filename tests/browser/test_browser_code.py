"""The email code in a browser: typed, pasted, wrong, expired; and the email link."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from okta_devorg import OrgHandle
from support.browser.visitor import Visitor

pytestmark = pytest.mark.browser

ANSWER = "/idp/idx/challenge/answer"
POLL = "/idp/idx/challenge/poll"


def test_sixth_digit_submits_the_code_once(visitor: Visitor, org: OrgHandle) -> None:
    visitor.goes_to_the_code_page().types_the_code().sees("Choose a password")
    assert len(org.calls(ANSWER)) == 1


@pytest.mark.parametrize(
    ("separator", "zero"), [(" ", "0"), ("\u200b", "0"), ("-", "0"), ("\ufeff", "０"), ("\u200f", "٠")], ids=ascii
)
def test_pasted_code_with_separators_is_submitted(visitor: Visitor, org: OrgHandle, separator: str, zero: str) -> None:
    visitor.goes_to_the_code_page()
    code = "".join(chr(ord(zero) + int(digit)) for digit in visitor.code)
    visitor.field("Enter code").fill(f"{separator}{code[:3]}{separator}{code[3:]}{separator}")
    visitor.sees("Choose a password")
    assert len(org.calls(ANSWER)) == 1


def test_wrong_code_shows_an_error_linked_to_the_field(visitor: Visitor) -> None:
    visitor.goes_to_the_code_page().types_the_code("000000").sees_a_problem()
    expect(visitor.page).to_have_title(re.compile("^Error: Check your email"))
    visitor.page.get_by_role("link", name="That code isn't right").click()
    expect(visitor.field("Enter code")).to_be_focused()
    expect(visitor.field("Enter code")).to_have_value("")
    visitor.types_the_code().sees("Choose a password")


def test_button_is_disabled_until_the_rate_limit_ends(visitor: Visitor, org: OrgHandle) -> None:
    visitor.window.context.clock.install()
    # The session must last longer than the rate limit.
    org.patch_policy({"limits": {"wrong_codes_per_5_minutes": 1}, "lifetimes": {"with_user": 3600}})
    visitor.goes_to_the_code_page().types_the_code("000000").sees_a_problem()
    visitor.types_the_code("000001")
    expect(visitor.page.locator(".error-summary")).to_be_focused()
    button, timer = visitor.page.get_by_role("button", name="Confirm"), visitor.page.locator("[data-holds]")
    expect(timer).to_have_text(re.compile(r"^You can try again in \d+ (second|minute)s?\.$"))
    expect(button).to_be_disabled()
    visitor.page.clock.fast_forward(600_000)
    expect(visitor.page.locator(".error-summary")).to_be_hidden()
    expect(button).to_be_enabled()


def test_countdown_until_resend_runs_and_disappears(visitor: Visitor) -> None:
    visitor.window.context.clock.install()
    visitor.goes_to_the_code_page()
    seconds = visitor.page.get_by_role("timer")
    expect(seconds).to_have_text(re.compile("^available in 2[0-9] seconds$"))
    visitor.page.clock.fast_forward(30_000)
    expect(seconds).to_have_count(0)


def test_page_warns_before_the_session_expires_and_shows_the_time_out(visitor: Visitor) -> None:
    visitor.window.context.clock.install()
    time_left = visitor.goes_to_the_code_page().page.get_by_text("This page expires in")
    warning = visitor.page.get_by_role("status").get_by_text("If time runs out")
    expect(time_left).to_be_hidden()
    visitor.page.clock.fast_forward(120_000)
    expect(time_left).to_be_hidden()
    visitor.page.clock.fast_forward(90_000)
    expect(warning).to_be_visible()
    expect(time_left).to_be_visible()
    expect(time_left).to_have_text(re.compile(r"^This page expires in \d+ seconds?.$"))
    visitor.org.advance(400)
    visitor.page.clock.fast_forward(120_000)
    visitor.sees("Your session timed out")


def test_page_without_polling_shows_the_time_out_when_the_session_expires(visitor: Visitor, org: OrgHandle) -> None:
    visitor.goes_to_the_code_page()
    org.patch_policy({"lifetimes": {"with_user": 3}})
    visitor.types_the_code().sees("Choose a password")
    visitor.password_field.fill("Correct-horse-7")
    visitor.sees("Your session timed out")
    expect(visitor.page.get_by_text("What you typed on the first page is saved.")).to_be_visible()
    visitor.page.get_by_role("link", name="Start again").click()
    expect(visitor.field("Email")).to_have_value(visitor.email)


def test_back_button_works_after_a_form_with_an_error(visitor: Visitor) -> None:
    """Browsers ask before they show the answer to a form again that they may not keep."""
    visitor.opens("/signup/").presses("Sign up").sees_a_problem()
    visitor.submits_profile().sees("Check your email")
    visitor.page.go_back()
    visitor.sees("Create your account")
    visitor.page.get_by_role("link", name="Continue").click()
    visitor.sees("Check your email")


def test_hidden_tab_does_not_poll(visitor: Visitor, org: OrgHandle) -> None:
    visitor.window.context.clock.install()
    page = visitor.goes_to_the_code_page().page
    page.evaluate("Object.defineProperty(document, 'hidden', {get: () => window.away ?? true, configurable: true})")
    page.evaluate("() => { const send = fetch; window.sent = 0; window.fetch = (...a) => (window.sent++, send(...a)) }")
    page.clock.run_for(30_000)
    assert page.evaluate("window.sent") == 0
    assert org.calls(POLL) == []
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.run_for(100)
    visitor.waits_for_call(POLL)


def test_email_link_works_after_a_slow_poll_of_the_first_tab(visitor: Visitor, org: OrgHandle) -> None:
    visitor.goes_to_the_code_page()
    org.fail(POLL, "slow", seconds=4)
    visitor.waits_for_call(POLL)
    visitor.opens_another_tab().opens(visitor.link).sees("Confirm your email").presses("Confirm and continue")
    visitor.sees("Choose a password")


def test_email_link_confirmed_in_another_tab_advances_the_first_tab(visitor: Visitor) -> None:
    first_tab = visitor.goes_to_the_code_page().page
    visitor.opens_another_tab().opens(visitor.link).sees("Confirm your email")
    visitor.presses("Confirm and continue").sees("Choose a password")
    expect(first_tab.get_by_role("heading", level=1)).to_have_text("Choose a password")


def test_email_link_in_another_browser_shows_the_code_without_using_it(
    visitor: Visitor, opens_window: Callable[..., Visitor], org: OrgHandle
) -> None:
    visitor.goes_to_the_code_page()
    other_browser = opens_window().opens(visitor.link).sees("Your code")
    shown_code = other_browser.page.locator(".code-like").inner_text()
    assert org.calls(ANSWER) == []
    visitor.types_the_code(shown_code).sees("Choose a password")


def test_code_typed_during_a_poll_is_submitted(visitor: Visitor, org: OrgHandle) -> None:
    visitor.window.context.clock.install()
    visitor.goes_to_the_code_page()
    org.fail(POLL, "slow", seconds=2)
    with visitor.page.expect_request(lambda request: "action=poll" in (request.post_data or "")):
        visitor.page.clock.fast_forward(4_000)
    visitor.types_the_code().sees("Choose a password")


def test_page_waiting_for_a_slow_org_continues_automatically(visitor: Visitor, org: OrgHandle) -> None:
    visitor.goes_to_the_code_page()
    org.fail(ANSWER, "slow", seconds=6)
    visitor.types_the_code().waits_for_call(ANSWER).opens_another_tab().opens("/signup/step/").sees("One moment")
    visitor.sees("Choose a password")


def test_last_character_of_a_longer_code_submits_once(visitor: Visitor, org: OrgHandle) -> None:
    org.patch_policy({"email_code": {"length": 10, "alphanumeric": True}})
    visitor.goes_to_the_code_page().types_the_code().sees("Choose a password")
    assert len(org.calls(ANSWER)) == 1
