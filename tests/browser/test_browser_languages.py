"""Checks of every page in every language: it fits the narrowest phone, has a unique title, keeps its autocomplete
attributes, and is accessible. The journeys are made once; on each page the language is switched.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

from support.browser.every_page import EXCLUDED, JOURNEYS, WCAG
from support.browser.visitor import Visitor

pytestmark = pytest.mark.browser

LANGUAGES = ("ar", "de", "es", "fr", "ja", "pt-br", "en")  # the journey continues in the last one
NARROW = ViewportSize(width=320, height=640)
# A reload would show another page: these depend on a call in progress, or belong to another browser.
NOT_RELOADABLE = {"in another browser", "captcha", "busy", "unreachable"}
FIELDS = "() => [...document.querySelectorAll('[autocomplete]')].map(c => `${c.name} ${c.autocomplete}`).sort()"
SCROLLS = "document.documentElement.scrollWidth"
ALWAYS = ("form", "cancelled", "expired", "failed", "almost there", "waiting for the mail")
NIGHTLY = (
    "every step",
    "links",
    "closed",
    "questions at the end",
    "providers",
    "providers alone",
    "Okta Verify",
    "invited too late",
)


@pytest.mark.parametrize("journey", [*ALWAYS, *(pytest.param(j, marks=pytest.mark.nightly) for j in NIGHTLY)])
def test_every_language_of(visitor: Visitor, journey: str) -> None:
    visitor.org.patch_policy(JOURNEYS[journey].policy)
    titles: dict[str, list[str]] = {code: [] for code in LANGUAGES}
    for name, go_to_page in JOURNEYS[journey].pages.items():
        go_to_page(visitor)
        fields = visitor.page.evaluate(FIELDS)
        for code in LANGUAGES if name not in NOT_RELOADABLE else ():
            switch_language(visitor, code)
            check(visitor.page, f"{name} in {code}", fields)
            titles[code].append(visitor.page.title())
    repeated = {code: len(texts) - len(set(texts)) for code, texts in titles.items()}
    assert set(repeated.values()) == {repeated["en"]}


def switch_language(visitor: Visitor, code: str) -> None:
    """Switch the language like the language menu, without leaving the page."""
    visitor.window.context.add_cookies([{"name": "django_language", "value": code, "url": f"{visitor.window.site}/"}])
    visitor.page.reload()
    visitor.page.wait_for_load_state()


def check(page: Page, name: str, fields: list[str]) -> None:
    page.set_viewport_size(NARROW)
    assert page.evaluate(SCROLLS) == NARROW["width"], name
    assert page.evaluate(FIELDS) == fields, name
    assert page.get_attribute("html", "dir") == ("rtl" if name.endswith(" ar") else "ltr"), name
    found = Axe().run(page, context=EXCLUDED, options={"runOnly": WCAG})
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"
