"""The demo site in a process of its own, so that its policy of content security, its threads and its database are the
real ones; the local org in this process; a Chromium, whose windows must stay free of errors and of foreign requests.
"""

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, sync_playwright
from visitor import Visitor, Window

from okta_devorg import OrgHandle, running_org

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]


class Site:
    """The running demo site."""

    def __init__(self, url: str, database: Path, environment: dict[str, str]) -> None:
        self.url, self.database, self.environment = url, database, environment

    def manage(self, *command: str) -> None:
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=self.environment, check=True)

    def rows(self, query: str, *values: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.database)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def registrations(self, email: str) -> list[str]:
        """The status of each registration of this address."""
        return [str(s) for (s,) in self.rows("SELECT status FROM selfreg_registration WHERE email = ?", email)]

    def users(self, email: str) -> int:
        return len(self.rows("SELECT id FROM auth_user WHERE email = ?", email))


@pytest.fixture(scope="session")
def listener() -> Iterator[socket.socket]:
    """A free port, kept from the moment it is known."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        yield listening


def url_of(listener: socket.socket) -> str:
    """By name: browsers make no passkeys for sites that are a mere number."""
    return f"http://localhost:{listener.getsockname()[1]}"


@pytest.fixture(scope="session")
def org_of_the_browser(listener: socket.socket) -> Iterator[OrgHandle]:
    with running_org(site=url_of(listener)) as org:
        yield org


@pytest.fixture
def org(org_of_the_browser: OrgHandle) -> OrgHandle:
    """The org as it is on the first day."""
    org_of_the_browser.reset()
    return org_of_the_browser


@pytest.fixture(scope="session")
def site(
    listener: socket.socket, org_of_the_browser: OrgHandle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    database = tmp_path_factory.mktemp("site") / "db.sqlite3"
    environment = os.environ | {
        "ENV_FILE": os.devnull,
        "DATABASE_URL": f"sqlite:///{database}",
        "CACHE_URL": "dummycache://",
        "BASE_URL": url_of(listener),
        "ORG_PORT": org_of_the_browser.base.rsplit(":", 1)[1],
        "OKTA_ISSUER": "",
    }
    site = Site(url_of(listener), database, environment)
    site.manage("migrate", "-v", "0")
    gunicorn = ["-m", "gunicorn", "project.wsgi", "--bind", f"fd://{listener.fileno()}", "--no-control-socket"]
    gunicorn += ["--worker-class", "gthread", "--threads", "8", "--log-level", "warning", "--graceful-timeout", "1"]
    process = subprocess.Popen(
        [sys.executable, *gunicorn], cwd=ROOT, env=environment, pass_fds=[listener.fileno()], start_new_session=True
    )
    try:
        requests.get(site.url, timeout=60)  # the port is open already: this waits until somebody answers
        yield site
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM:
        reason = "CHROMIUM does not name a Chromium to drive"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opens_window(chromium: Browser, site: Site, org: OrgHandle) -> Iterator[Callable[..., Visitor]]:
    """Opens a browser of its own (no cookies yet) and puts somebody in front of it; options are Playwright's."""
    opened: list[Window] = []

    def open_window(**options: object) -> Visitor:
        context = chromium.new_context(base_url=site.url, locale="en-US", **options)  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        opened.append(Window(context, site.url))
        return Visitor(opened[-1], org)

    yield open_window
    complaints = [complaint for window in opened for complaint in window.complaints]
    for window in opened:
        window.context.close()
    assert complaints == []


@pytest.fixture
def visitor(opens_window: Callable[..., Visitor]) -> Visitor:
    return opens_window()
