"""``/signup/sessions/`` in a browser: accessible, on a narrow screen, and by keyboard."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ViewportSize, expect

from support.browser.every_page import WCAG
from support.browser.pictures import keep_picture
from support.browser.visitor import Visitor

pytestmark = pytest.mark.browser

BUTTON = "Sign out everywhere else"
NARROW = ViewportSize(width=320, height=640)


def test_other_sessions_can_be_ended_by_keyboard(opens_window: Callable[..., Visitor]) -> None:
    ada = opens_window(viewport=NARROW).goes_to_the_password_page().sets_a_password().sees_the_home_page()
    ada.page.get_by_role("link", name=BUTTON).click()
    check(ada.sees(BUTTON), "the button")
    ada.tabs_to(ada.button(BUTTON)).types("", then="Enter")
    expect(ada.page.get_by_role("status").filter(has_text="You're signed out in all other browsers")).to_be_visible()
    check(ada.sees(BUTTON), "done")
    ada.opens("/").sees_the_home_page()


def check(visitor: Visitor, name: str) -> None:
    for colours in ("light", "dark"):
        visitor.page.emulate_media(color_scheme=colours)
        keep_picture(visitor.page, f"sessions, {name}, {colours}")
        found = Axe().run(visitor.page, options={"runOnly": WCAG})
        assert found.violations_count == 0, found.generate_report()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
