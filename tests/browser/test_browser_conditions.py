"""Unusual conditions: slow network, missing scripts, print style, and forced colors."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from support.browser.every_page import only, open_choice_of_authenticators
from support.browser.visitor import PHONE, WIDE, Visitor

pytestmark = pytest.mark.browser

# "Slow 3G" of the browsers' developer tools: 50 kB/s down and up, 400 ms latency.
SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}


def test_sign_up_works_on_a_slow_network(opens_window: Callable[..., Visitor]) -> None:
    ada = opens_window(**PHONE)
    ada.window.context.new_cdp_session(ada.page).send("Network.emulateNetworkConditions", SLOW_3G)
    ada.goes_to_the_password_page().sets_a_password().sees_the_home_page()


def test_form_works_before_its_scripts_are_loaded(visitor: Visitor) -> None:
    held_routes: list[Route] = []
    visitor.window.context.route("**/*.js", lambda route: held_routes.append(route))
    visitor.page.goto("/signup/", wait_until="commit")
    visitor.submits_profile()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Check your email")
    assert held_routes
    for route in held_routes:
        route.abort()
    visitor.window.violations.clear()  # about the blocked scripts


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_print_style_hides_buttons_and_uses_black_text(opens_window: Callable[..., Visitor], colours: str) -> None:
    ada = opens_window(color_scheme=colours, viewport=WIDE).goes_to_the_code_page()
    ada.page.emulate_media(media="print", color_scheme=colours)  # type: ignore[arg-type]
    expect(ada.page.get_by_role("heading", level=1)).to_be_visible()
    expect(ada.page.get_by_text(ada.email)).to_be_visible()
    for hidden in (ada.button("Confirm"), ada.page.get_by_label("Language"), ada.page.locator("header")):
        expect(hidden).to_be_hidden()
    text_color = ada.page.locator("h1").evaluate("e => getComputedStyle(e).color")
    assert text_color == "rgb(0, 0, 0)"


def test_selection_and_errors_are_visible_in_forced_colors(opens_window: Callable[..., Visitor]) -> None:
    """Forced colors remove backgrounds and shadows, but keep borders."""
    ada = opens_window(forced_colors="active", viewport=WIDE)
    ada.org.patch_policy(only("okta_email", "okta_password", "phone_number"))
    open_choice_of_authenticators(ada.goes_to_the_code_page())
    ada.page.get_by_role("radio", name="Email").check()
    border = "e => getComputedStyle(e.labels[0]).borderInlineStartColor"
    radios = ada.page.get_by_role("radio")
    colours = {radio.evaluate(border) for radio in radios.all()}
    assert len(colours) == 2
    ada.presses("Continue").sees("Check your email").types_the_code("000000").sees_a_problem()
    assert ada.field("Enter code").evaluate("e => getComputedStyle(e).borderInlineStartWidth") == "3px"
