"""Takes the pictures of the documentation and stores their digests: `make screenshots`. Not part of the tests."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from okta_devorg import OrgHandle
from support.browser.demo_site import Site, another_site, serving, url_of
from support.browser.documented_pages import DIGESTS, IMAGES, PICTURES, SMALL, digest_of
from support.browser.every_page import cancelled, expired
from support.browser.visitor import Visitor, Window

pytestmark = pytest.mark.browser

WIDE = {"viewport": {"width": 1440, "height": 640}}
LOGIN = {"DJANGO_SUPERUSER_USERNAME": "admin", "DJANGO_SUPERUSER_PASSWORD": "admin"}

Open = Callable[..., Visitor]


@pytest.fixture(autouse=True)
def _with_optional_phone(org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    IMAGES.mkdir(parents=True, exist_ok=True)


def window_of(height: int) -> dict[str, Any]:
    """Return the options of a small window of this height."""
    return SMALL | {"viewport": {"width": 720, "height": height}}


def save_screenshot(visitor: Visitor, name: str) -> None:
    visitor.page.mouse.move(0, 0)
    visitor.page.screenshot(path=IMAGES / f"{name}.png", animations="disabled", caret="hide")


@pytest.mark.parametrize("name", PICTURES)
def test_picture_of_a_page(opens_window: Open, name: str) -> None:
    ada = opens_window(**PICTURES[name].window)
    PICTURES[name].go_to_page(ada)
    digests = json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}
    DIGESTS.write_text(json.dumps(digests | {name: digest_of(ada.page)}, indent=2, sort_keys=True) + "\n")
    save_screenshot(ada, name)


def test_pictures_of_the_admin(opens_window: Open, site: Site) -> None:
    for journey in (Visitor.goes_to_the_code_page, Visitor.goes_to_the_password_page, cancelled, expired):
        journey(opens_window())
    opens_window().goes_to_the_password_page().sets_a_password().presses("Skip for now").sees_the_home_page()
    site.environment.update(LOGIN)
    site.manage("createsuperuser", "--noinput", "--email", "admin@example.com")
    admin = opens_window(**WIDE).opens("/admin/selfreg/registration/")
    admin.fills(Username="admin", Password="admin").presses("Log in")
    admin.sees("Registrations")
    save_screenshot(admin, "admin")
    admin.page.get_by_role("link", name="ada").first.click()
    save_screenshot(admin, "registration")
    admin.opens("/admin/selfreg/registration/funnel/").sees("Funnel")
    save_screenshot(admin, "funnel")


def test_pictures_of_the_local_org(opens_window: Open, org: OrgHandle) -> None:
    opens_window().goes_to_the_code_page()
    developer = opens_window(**WIDE).opens(f"{org.base}/")
    save_screenshot(developer, "mailbox")
    developer.opens(f"{org.base}/policy")
    save_screenshot(developer, "policy")


def test_picture_of_the_example_theme(chromium: Browser, site: Site, org: OrgHandle) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        environment = site.environment | {"DJANGO_SETTINGS_MODULE": "docs.example_theme.settings"}
        themed_site = Site(url_of(listener), site.database, environment)
        with serving(themed_site, listener):
            window = Window(
                chromium.new_context(base_url=themed_site.url, locale="en-US", **window_of(760)), themed_site.url
            )
            save_screenshot(Visitor(window, org).goes_to_the_code_page(), "theme")


def test_picture_of_a_sign_up_awaiting_approval(chromium: Browser, org: OrgHandle, tmp_path: Path) -> None:
    org.patch_policy({"authenticators": {"phone_number": "disabled"}})
    with another_site(org, tmp_path, APPROVAL="true") as site:
        window = Window(chromium.new_context(base_url=site.url, locale="en-US", **window_of(480)), site.url)
        save_screenshot(
            Visitor(window, org).goes_to_the_password_page().sets_a_password().sees("Your sign-up is being reviewed"),
            "approval",
        )
