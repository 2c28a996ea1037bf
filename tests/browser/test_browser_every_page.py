"""What holds for every page: accessible in light and dark, no scrolling sideways, light, with a title of its own."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from every_page import EVERY_PAGE
from visitor import Visitor

pytestmark = pytest.mark.browser

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# The other scheme has the same markup. Options are drawn by the system, and there are hundreds of them.
CHECKS = {"light": {"runOnly": WCAG}, "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}}}
LEFT_OUT = {"exclude": [["option"]]}
MOST_BYTES = 60_000
BYTES = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .reduce((sum, entry) => sum + entry.encodedBodySize, 0)"""


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_page(visitor: Visitor, name: str) -> None:
    visitor.org.patch_policy(EVERY_PAGE[name].policy)
    EVERY_PAGE[name].way(visitor)
    page = visitor.page
    page.wait_for_load_state()
    for colours, checks in CHECKS.items():
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")  # type: ignore[arg-type]
        found = Axe().run(page, context=LEFT_OUT, options=checks)
        assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert page.evaluate(BYTES) < MOST_BYTES
    trouble = page.locator(".error-summary, .notice.error").filter(visible=True).count() > 0
    assert bool(re.match("Error: ", page.title())) == trouble
