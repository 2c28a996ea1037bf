"""Where people sit: on a train, before a printer, with colours of their own, with scripts that do not arrive."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from support.browser.every_page import only, sees_the_choice
from support.browser.visitor import PHONE, WIDE, Visitor

pytestmark = pytest.mark.browser

# As browsers' own tools name "Slow 3G": 50 kB/s down and up, 400 ms to the server and back.
TRAIN = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}


def test_a_person_signs_up_on_a_slow_network(opens_window: Callable[..., Visitor]) -> None:
    ada = opens_window(**PHONE)
    ada.window.context.new_cdp_session(ada.page).send("Network.emulateNetworkConditions", TRAIN)
    ada.is_at_the_password().sets_a_password().is_welcome()


def test_a_page_is_there_and_works_before_its_scripts_arrive(visitor: Visitor) -> None:
    held: list[Route] = []
    visitor.window.context.route("**/*.js", lambda route: held.append(route))
    visitor.page.goto("/signup/", wait_until="commit")
    visitor.tells_who_she_is()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Check your email")
    assert held
    for route in held:
        route.abort()
    visitor.window.complaints.clear()  # of the scripts that did not come


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_paper_gets_the_text_and_not_the_buttons(opens_window: Callable[..., Visitor], colours: str) -> None:
    ada = opens_window(color_scheme=colours, viewport=WIDE).is_at_the_code()
    ada.page.emulate_media(media="print", color_scheme=colours)  # type: ignore[arg-type]
    expect(ada.page.get_by_role("heading", level=1)).to_be_visible()
    expect(ada.page.get_by_text(ada.email)).to_be_visible()
    for left_out in (ada.button("Confirm"), ada.page.get_by_label("Language"), ada.page.locator("header")):
        expect(left_out).to_be_hidden()
    ink = ada.page.locator("h1").evaluate("e => getComputedStyle(e).color")
    assert ink == "rgb(0, 0, 0)"


def test_what_is_chosen_and_what_is_wrong_shows_in_colours_of_ones_own(opens_window: Callable[..., Visitor]) -> None:
    """In forced colours backgrounds and shadows are gone; borders stay."""
    ada = opens_window(forced_colors="active", viewport=WIDE)
    ada.org.patch_policy(only("okta_email", "okta_password", "phone_number"))
    sees_the_choice(ada.is_at_the_code())
    ada.page.get_by_role("radio", name="Email").check()
    border = "e => getComputedStyle(e.labels[0]).borderInlineStartColor"
    radios = ada.page.get_by_role("radio")
    colours = {radio.evaluate(border) for radio in radios.all()}
    assert len(colours) == 2
    ada.presses("Continue").sees("Check your email").types_the_code("000000").sees_a_problem()
    assert ada.field("Enter code").evaluate("e => getComputedStyle(e).borderInlineStartWidth") == "3px"
