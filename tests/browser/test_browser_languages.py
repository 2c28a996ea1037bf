"""What holds for every page in every language: it fits the narrowest phone, its title tells it from the others, its
fields fill themselves in, and nothing complains. The pages are walked once; in each one the language is switched.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

from support.browser.every_page import JOURNEYS, LEFT_OUT, WCAG
from support.browser.visitor import Visitor

pytestmark = pytest.mark.browser

LANGUAGES = ("ar", "de", "es", "fr", "ja", "pt-br", "en")  # the last one is what the visitor goes on in
NARROW = ViewportSize(width=320, height=640)
# Looked at again these are other pages: they stand while something is under way, or belonged to another browser.
ONCE = {"in another browser", "captcha", "busy", "unreachable"}
FIELDS = "() => [...document.querySelectorAll('[autocomplete]')].map(c => `${c.name} ${c.autocomplete}`).sort()"
SCROLLS = "document.documentElement.scrollWidth"
SHOWN = ("form", "cancelled", "expired", "failed", "almost there", "waiting for the mail")
NOW_AND_THEN = (
    "every step",
    "links",
    "closed",
    "questions at the end",
    "providers",
    "providers alone",
    "Okta Verify",
    "invited too late",
)


@pytest.mark.parametrize("journey", [*SHOWN, *(pytest.param(j, marks=pytest.mark.nightly) for j in NOW_AND_THEN)])
def test_every_language_of(visitor: Visitor, journey: str) -> None:
    visitor.org.patch_policy(JOURNEYS[journey].policy)
    titles: dict[str, list[str]] = {code: [] for code in LANGUAGES}
    for name, way in JOURNEYS[journey].pages.items():
        way(visitor)
        fields = visitor.page.evaluate(FIELDS)
        for code in LANGUAGES if name not in ONCE else ():
            speak(visitor, code)
            check(visitor.page, f"{name} in {code}", fields)
            titles[code].append(visitor.page.title())
    repeated = {code: len(said) - len(set(said)) for code, said in titles.items()}
    assert set(repeated.values()) == {repeated["en"]}


def speak(visitor: Visitor, code: str) -> None:
    """As the language switch does, without leaving the page."""
    visitor.window.context.add_cookies([{"name": "django_language", "value": code, "url": f"{visitor.window.site}/"}])
    visitor.page.reload()
    visitor.page.wait_for_load_state()


def check(page: Page, name: str, fields: list[str]) -> None:
    page.set_viewport_size(NARROW)
    assert page.evaluate(SCROLLS) == NARROW["width"], name
    assert page.evaluate(FIELDS) == fields, name
    assert page.get_attribute("html", "dir") == ("rtl" if name.endswith(" ar") else "ltr"), name
    found = Axe().run(page, context=LEFT_OUT, options={"runOnly": WCAG})
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"
