"""Waiting for a response, a device or a countdown: pages show it, and no control moves."""

import re
from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from okta_devorg import OrgHandle
from support.browser.every_page import OPTIONAL, choose_another_authenticator, only
from support.browser.visitor import PHONE, Visitor

pytestmark = pytest.mark.browser

Open = Callable[..., Visitor]
# Name and position of every control.
PLACES = """() => [...document.querySelectorAll("button, a[href], summary, select, input")]
    .filter((element) => element.checkVisibility())
    .map((element) => [element.name || element.textContent.trim(), element.getBoundingClientRect().toJSON()])"""
PRESS = """(button) => {
    const place = () => JSON.stringify(button.getBoundingClientRect());
    const before = place();
    button.click();
    const spinner = getComputedStyle(button, "::after").animationName;
    return [button.getAttribute("aria-busy"), spinner, place() !== before];
}"""
NEVER_RESOLVE = "() => { navigator.credentials.create = () => new Promise(() => {}); }"


def control_positions(page: Page) -> list[list[object]]:
    """Wait for the scripts first: one of them shows a hint above the button."""
    page.wait_for_load_state()
    page.mouse.move(0, 0)
    positions: list[list[object]] = page.evaluate(PLACES)
    assert len(positions) > 3
    return positions


@pytest.mark.parametrize("width", [1280, 900, 390, 320])
def test_end_of_the_resend_countdown_moves_no_control(opens_window: Open, width: int) -> None:
    ada = opens_window(viewport={"width": width, "height": 900})
    ada.window.context.clock.install()
    timer = ada.goes_to_the_code_page().page.get_by_role("timer")
    expect(timer).to_be_visible()
    before = control_positions(ada.page)
    ada.page.clock.fast_forward(40_000)
    expect(timer).to_have_count(0)
    assert control_positions(ada.page) == before


@pytest.mark.parametrize("width", [1280, 390])
def test_end_of_the_rate_limit_moves_no_control(opens_window: Open, org: OrgHandle, width: int) -> None:
    org.patch_policy({"limits": {"wrong_codes_per_5_minutes": 1}, "lifetimes": {"with_user": 3600}})
    ada = opens_window(viewport={"width": width, "height": 900})
    ada.window.context.clock.install()
    ada.goes_to_the_code_page().types_the_code("000000").sees_a_problem().types_the_code("000001")
    wait = ada.page.locator("[data-holds]")
    expect(wait).to_be_visible()
    before = control_positions(ada.page)
    ada.page.clock.fast_forward(600_000)
    expect(wait).to_be_hidden()
    assert control_positions(ada.page) == before


@pytest.mark.parametrize("page", ["code", "password"])
def test_scripts_move_no_control_when_they_load(opens_window: Open, page: str) -> None:
    ada = opens_window(**PHONE)
    ada.goes_to_the_code_page() if page == "code" else ada.goes_to_the_password_page()
    with_scripts = control_positions(ada.page)
    ada.window.context.route("**/*.js", lambda route: route.fulfill(content_type="text/javascript", body=""))
    ada.page.reload()
    before_scripts = control_positions(ada.page)
    names = {control[0] for control in before_scripts}
    assert [control for control in with_scripts if control[0] in names] == before_scripts


def test_hints_about_scripts_are_hidden_without_scripts(opens_window: Open) -> None:
    ada = opens_window(java_script_enabled=False).goes_to_the_code_page()
    expect(ada.page.locator("#submits_itself")).to_be_hidden()


@pytest.mark.parametrize(("motion", "spinner"), [("no-preference", "turn"), ("reduce", "none")])
def test_pressed_button_shows_a_spinner(
    visitor: Visitor, motion: Literal["no-preference", "reduce"], spinner: str
) -> None:
    visitor.page.emulate_media(reduced_motion=motion)
    visitor.opens("/signup/").fills(First_name="Ada", Last_name="Lovelace", Email=visitor.email)
    busy, animation, has_moved = visitor.button("Sign up").evaluate(PRESS)
    assert (busy, animation, has_moved) == ("true", spinner, False)
    visitor.sees("Check your email")


def test_button_is_not_busy_after_going_back(visitor: Visitor) -> None:
    visitor.goes_to_the_code_page().page.go_back()
    visitor.sees("Create your account")
    expect(visitor.button("Sign up")).to_be_enabled()
    expect(visitor.page.locator("[aria-busy]")).to_have_count(0)


def test_page_shows_that_the_browser_waits_for_the_device(visitor: Visitor) -> None:
    visitor.org.patch_policy(only("okta_email", "webauthn"))
    visitor.goes_to_the_code_page().types_the_code().sees("Create a passkey")
    waiting = visitor.page.get_by_role("status").get_by_text("Waiting for your device.")
    expect(waiting).to_be_hidden()
    visitor.page.evaluate(NEVER_RESOLVE)
    visitor.presses("Create passkey")
    expect(waiting).to_be_visible()
    expect(visitor.button("Create passkey")).to_be_disabled()


def go_to_authenticator_app(visitor: Visitor) -> Visitor:
    visitor.org.patch_policy(OPTIONAL)
    visitor.goes_to_the_password_page().sets_a_password().sees("Secure your account").chooses("Phone").sees(
        "Add your phone"
    )
    choose_another_authenticator(visitor, "Google", "Set up your authenticator app")
    return visitor


def test_authenticator_app_key_is_copied_without_spaces(visitor: Visitor) -> None:
    visitor.window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    animation = go_to_authenticator_app(visitor).page.locator("#key").inner_text()
    assert re.fullmatch(r"([A-Z2-7]{4} ?)+", animation)
    visitor.presses("Copy key")
    expect(visitor.button("Copied")).to_be_visible()
    assert visitor.page.evaluate("navigator.clipboard.readText()") == animation.replace(" ", "")


def test_link_to_the_authenticator_app_is_shown_only_on_phones(opens_window: Open) -> None:
    link_text = "Open in authenticator app"
    link = go_to_authenticator_app(opens_window(**PHONE)).page.get_by_role("link", name=link_text)
    expect(link).to_be_visible()
    expect(link).to_have_attribute("href", re.compile("^otpauth://totp/.*secret="))
    expect(go_to_authenticator_app(opens_window()).page.get_by_role("link", name=link_text)).to_have_count(0)
