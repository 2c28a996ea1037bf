"""The pages of the local org in a browser: accessible in light and dark, fitting, and without CSP violations."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from okta_devorg import OrgHandle, running_org
from okta_devorg.state.mailbox import SIGN_IN_MAIL
from okta_devorg.testing import OktaOrg

pytestmark = pytest.mark.browser

PAGES = ("/", "/phone", "/users", "/policy", "/calls", "/break")
VIEWS = (("light", 1280), ("dark", 390))


@pytest.fixture
def org() -> Iterator[OrgHandle]:
    """Start an org with one account and one pending fault."""
    with running_org() as running:
        OktaOrg(running).sign_up()
        running.fail("/token", "status", status=503)
        yield running


@pytest.fixture
def page(chromium: Browser) -> Page:
    return chromium.new_page(locale="en-US")


def sign_in_page(org: OrgHandle) -> str:
    app = org.policy.apps[0]
    query = f"client_id={app.client_id}&redirect_uri={app.redirect_uris[0]}&response_type=code&scope=openid&state=s"
    return f"{org.issuer}/v1/authorize?{query}"


def test_org_pages_are_accessible_and_fit_the_window(org: OrgHandle, page: Page) -> None:
    console_errors: list[str] = []
    page.on("console", lambda message: console_errors.append(message.text) if message.type == "error" else None)
    page.goto(sign_in_page(org))
    page.get_by_label("Email").fill(org.users[0].login)
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Password", exact=True).wait_for()
    password = page.url
    for colours, width in VIEWS:
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        urls = [org.base + path for path in (*PAGES, f"/users/{org.users[0].id}")]
        for url in (*urls, sign_in_page(org), password):
            page.goto(url)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{url} {colours}: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{url} {width}"
    assert console_errors == []


def test_mailbox_copies_codes_and_refreshes_without_closing_messages(org: OrgHandle, chromium: Browser) -> None:
    """An opened message stays open when a new one arrives."""
    page = chromium.new_page(locale="en-US", permissions=["clipboard-read", "clipboard-write"])
    deliver(org, "one@example.com", "111111")
    page.goto(org.base + "/")
    page.get_by_text("This list refreshes by itself.").wait_for()
    page.get_by_role("button", name="Copy code").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "111111"
    page.get_by_text("Full text").click()
    deliver(org, "two@example.com", "222222")
    page.get_by_text("two@example.com").first.wait_for()
    assert page.locator("details[open]").count() == 1
    page.get_by_label("To, subject or code").fill("one@")
    page.keyboard.press("Enter")
    page.get_by_text("two@example.com").wait_for(state="detached")
    assert page.get_by_role("article").count() == 1


def deliver(org: OrgHandle, to: str, code: str) -> None:
    values = {"name": "x", "app": "x", "minutes": "5"}
    with org.org.lock:
        org.org.mailbox.deliver("email", to, SIGN_IN_MAIL, org.org.clock.now(), code=code, **values)


def test_save_button_of_the_policy_is_always_visible(org: OrgHandle, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(org.base + "/policy")
    box = page.get_by_role("button", name="Save").bounding_box()
    assert box
    assert box["y"] + box["height"] <= 800
    page.get_by_role("button", name="Passwordless").click()
    page.get_by_text("Saved.").wait_for()
    assert org.policy.authenticators.okta_password == "disabled"
