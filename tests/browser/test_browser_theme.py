"""The example theme of the documentation, in a browser."""

import socket

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from okta_devorg import OrgHandle
from support.browser.demo_site import Site, serving, url_of
from support.browser.visitor import Visitor, Window

pytestmark = pytest.mark.browser

ACCENT = "getComputedStyle(document.querySelector('button.primary')).backgroundColor"
THEME_COLOURS = {"light": "rgb(11, 93, 102)", "dark": "rgb(143, 216, 222)"}


def test_example_theme_is_applied_and_accessible(chromium: Browser, site: Site, org: OrgHandle) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        environment = site.environment | {"DJANGO_SETTINGS_MODULE": "docs.example_theme.settings"}
        themed_site = Site(url_of(listener), site.database, environment)
        with serving(themed_site, listener), chromium.new_context(base_url=themed_site.url, locale="en-US") as context:
            window = Window(context, themed_site.url)
            ada = Visitor(window, org).goes_to_the_code_page()
            for scheme, colour in THEME_COLOURS.items():
                ada.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
                assert ada.page.evaluate(ACCENT) == colour
                assert Axe().run(ada.page).violations_count == 0
    assert window.violations == []
