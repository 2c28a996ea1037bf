"""While somebody waits: for an answer, for a device, for a countdown. Nothing moves under the finger."""

import re
from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from okta_devorg import OrgHandle
from support.browser.every_page import OPTIONAL, chooses_instead, only
from support.browser.visitor import PHONE, Visitor

pytestmark = pytest.mark.browser

Open = Callable[..., Visitor]
# What can be pressed, and where it is.
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
NEVER = "() => { navigator.credentials.create = () => new Promise(() => {}); }"


def places(page: Page) -> list[list[object]]:
    page.mouse.move(0, 0)
    found: list[list[object]] = page.evaluate(PLACES)
    assert len(found) > 3
    return found


@pytest.mark.parametrize("width", [1280, 900, 390, 320])
def test_no_button_moves_when_another_code_can_be_sent(opens_window: Open, width: int) -> None:
    ada = opens_window(viewport={"width": width, "height": 900})
    ada.window.context.clock.install()
    timer = ada.is_at_the_code().page.get_by_role("timer")
    expect(timer).to_be_visible()
    before = places(ada.page)
    ada.page.clock.fast_forward(40_000)
    expect(timer).to_have_count(0)
    assert places(ada.page) == before


@pytest.mark.parametrize("width", [1280, 390])
def test_no_button_moves_when_another_code_can_be_tried(opens_window: Open, org: OrgHandle, width: int) -> None:
    org.patch_policy({"limits": {"wrong_codes_per_5_minutes": 1}, "lifetimes": {"with_user": 3600}})
    ada = opens_window(viewport={"width": width, "height": 900})
    ada.window.context.clock.install()
    ada.is_at_the_code().types_the_code("000000").sees_a_problem().types_the_code("000001")
    wait = ada.page.locator("[data-holds]")
    expect(wait).to_be_visible()
    before = places(ada.page)
    ada.page.clock.fast_forward(600_000)
    expect(wait).to_be_hidden()
    assert places(ada.page) == before


@pytest.mark.parametrize(("motion", "spinner"), [("no-preference", "turn"), ("reduce", "none")])
def test_the_pressed_button_shows_that_its_answer_is_on_the_way(
    visitor: Visitor, motion: Literal["no-preference", "reduce"], spinner: str
) -> None:
    visitor.page.emulate_media(reduced_motion=motion)
    visitor.opens("/signup/").fills(First_name="Ada", Last_name="Lovelace", Email=visitor.email)
    busy, shown, has_moved = visitor.button("Sign up").evaluate(PRESS)
    assert (busy, shown, has_moved) == ("true", spinner, False)
    visitor.sees("Check your email")


def test_a_button_that_is_back_is_not_busy(visitor: Visitor) -> None:
    visitor.is_at_the_code().page.go_back()
    visitor.sees("Create your account")
    expect(visitor.button("Sign up")).to_be_enabled()
    expect(visitor.page.locator("[aria-busy]")).to_have_count(0)


def test_the_page_says_that_the_browser_waits_for_the_device(visitor: Visitor) -> None:
    visitor.org.patch_policy(only("okta_email", "webauthn"))
    visitor.is_at_the_code().types_the_code().sees("Create a passkey")
    waiting = visitor.page.get_by_role("status").get_by_text("Waiting for your device.")
    expect(waiting).to_be_hidden()
    visitor.page.evaluate(NEVER)
    visitor.presses("Create passkey")
    expect(waiting).to_be_visible()
    expect(visitor.button("Create passkey")).to_be_disabled()


def at_the_app(visitor: Visitor) -> Visitor:
    visitor.org.patch_policy(OPTIONAL)
    visitor.is_at_the_password().sets_a_password().sees("Secure your account").chooses("Phone").sees("Add your phone")
    chooses_instead(visitor, "Google", "Set up your authenticator app")
    return visitor


def test_the_key_of_an_authenticator_app_is_copied_without_its_spaces(visitor: Visitor) -> None:
    visitor.window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown = at_the_app(visitor).page.locator("#key").inner_text()
    assert re.fullmatch(r"([A-Z2-7]{4} ?)+", shown)
    visitor.presses("Copy key")
    expect(visitor.button("Copied")).to_be_visible()
    assert visitor.page.evaluate("navigator.clipboard.readText()") == shown.replace(" ", "")


def test_a_phone_offers_to_open_the_app_and_a_computer_does_not(opens_window: Open) -> None:
    words = "Open in authenticator app"
    link = at_the_app(opens_window(**PHONE)).page.get_by_role("link", name=words)
    expect(link).to_be_visible()
    expect(link).to_have_attribute("href", re.compile("^otpauth://totp/.*secret="))
    expect(at_the_app(opens_window()).page.get_by_role("link", name=words)).to_have_count(0)
