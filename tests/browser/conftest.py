"""Fixtures: the running demo site, the local org in this process, and Chromium windows without errors and foreign
requests.
"""

import socket
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from okta_devorg import OrgHandle, running_org
from support.browser.demo_site import Site, running_site, url_of
from support.browser.visitor import Visitor, Window


@pytest.fixture(scope="session")
def listener() -> Iterator[socket.socket]:
    """Return a listening socket on a free port, so that no other program can take the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        yield listening


@pytest.fixture(scope="session")
def org_of_the_browser(listener: socket.socket) -> Iterator[OrgHandle]:
    with running_org(site=url_of(listener)) as org:
        yield org


@pytest.fixture
def org(org_of_the_browser: OrgHandle) -> OrgHandle:
    """Return the org in its initial state."""
    org_of_the_browser.reset()
    return org_of_the_browser


@pytest.fixture(scope="session")
def site(
    listener: socket.socket, org_of_the_browser: OrgHandle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    with running_site(listener, org_of_the_browser, tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def opens_window(chromium: Browser, site: Site, org: OrgHandle) -> Iterator[Callable[..., Visitor]]:
    """Return a function that opens a new browser context for a visitor; options are Playwright's.

    Motion is reduced, because contrast cannot be measured while a colour changes.
    """
    opened: list[Window] = []

    def open_window(**options: object) -> Visitor:
        options = {"base_url": site.url, "locale": "en-US", "reduced_motion": "reduce", **options}
        context = chromium.new_context(**options)  # type: ignore[arg-type]
        opened.append(Window(context, site.url))
        return Visitor(opened[-1], org)

    yield open_window
    assert [violation for window in opened for violation in window.violations] == []


@pytest.fixture
def visitor(opens_window: Callable[..., Visitor]) -> Visitor:
    return opens_window()
