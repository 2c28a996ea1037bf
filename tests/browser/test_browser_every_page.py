"""Checks of every page: accessible in light and dark, no horizontal scrolling, few bytes, unique title."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

from support.browser.every_page import EXCLUDED, JOURNEYS, WCAG
from support.browser.pictures import keep_picture
from support.browser.visitor import WIDE, Visitor

pytestmark = pytest.mark.browser

# Both color schemes have the same markup.
CHECKS = {"light": {"runOnly": WCAG}, "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}}}
NARROW = ViewportSize(width=320, height=640)
MAX_BYTES = 60_000
BYTES = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .reduce((sum, entry) => sum + entry.encodedBodySize, 0)"""


@pytest.mark.parametrize("journey", JOURNEYS)
def test_every_page_of(visitor: Visitor, journey: str) -> None:
    visitor.org.patch_policy(JOURNEYS[journey].policy)
    titles = {}
    for name, go_to_page in JOURNEYS[journey].pages.items():
        go_to_page(visitor)
        check(visitor.page, name, journey)
        titles[name] = visitor.page.title()
    assert len(set(titles.values())) == len(titles)


def check(page: Page, name: str, journey: str) -> None:
    page.wait_for_load_state()
    for colours, checks in CHECKS.items():
        page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
        keep_picture(page, f"{journey}, {name}, {colours}")
        found = Axe().run(page, context=EXCLUDED, options=checks)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    page.set_viewport_size(NARROW)  # equals 1280 pixels at 400 % zoom
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"], name
    page.set_viewport_size(WIDE)
    assert page.evaluate(BYTES) < MAX_BYTES, name
    has_error = page.locator(".error-summary, .notice.error").filter(visible=True).count() > 0
    assert bool(re.match("Error: ", page.title())) == has_error, name
