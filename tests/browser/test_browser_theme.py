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
OWN = {"light": "rgb(11, 93, 102)", "dark": "rgb(143, 216, 222)"}


def test_a_themed_site_looks_its_own_and_stays_accessible(chromium: Browser, site: Site, org: OrgHandle) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        themed = site.environment | {"DJANGO_SETTINGS_MODULE": "docs.example_theme.settings"}
        harbour = Site(url_of(listener), site.database, themed)
        with serving(harbour, listener), chromium.new_context(base_url=harbour.url, locale="en-US") as context:
            window = Window(context, harbour.url)
            ada = Visitor(window, org).is_at_the_code()
            for scheme, colour in OWN.items():
                ada.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
                assert ada.page.evaluate(ACCENT) == colour
                assert Axe().run(ada.page).violations_count == 0
    assert window.complaints == []
