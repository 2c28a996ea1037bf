"""docs/front_end_example: a front end in plain JavaScript, served from another origin than the site."""

import socket
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, expect

from okta_devorg import running_org
from support.browser.demo_site import running_site, url_of
from support.browser.visitor import PASSWORD

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "front_end_example"


class Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def front_end() -> Iterator[str]:
    """Serve the files of the example and return their origin."""
    with ThreadingHTTPServer(("localhost", 0), partial(Files, directory=str(EXAMPLE))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
def test_front_end_on_another_origin_completes_a_sign_up(chromium: Browser, front_end: str, tmp_path: Path) -> None:
    settings = {"DJANGO_SETTINGS_MODULE": "docs.front_end_example.settings", "FRONT_END_ORIGIN": front_end}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        with running_org(site=url_of(listener)) as org, running_site(listener, org, tmp_path, **settings) as site:
            page = chromium.new_page()
            console_errors: list[str] = []
            page.on("console", lambda message: console_errors.append(message.text) if message.type == "error" else None)
            page.goto(f"{front_end}/?api={site.url}/signup/api/")
            page.get_by_label("First name").fill("Ada")
            page.get_by_label("Last name").fill("Lovelace")
            page.get_by_label("Email").fill("ada@example.com")
            page.get_by_role("button", name="Sign up").click()
            heading = page.get_by_role("heading")
            expect(heading).not_to_have_text("Create your account")
            if heading.inner_text() == "Secure your account":
                page.get_by_role("button", name="Continue").click()
            expect(heading).to_contain_text("Check your")
            page.get_by_role("textbox").fill(org.code("ada@example.com"))
            page.get_by_role("button", name="Confirm").click()
            expect(heading).not_to_contain_text("Check your")
            if heading.inner_text() == "Secure your account":
                page.get_by_role("button", name="Continue").click()
            expect(heading).to_have_text("Choose a password")
            for field in page.locator("input[type=password]").all():
                field.fill(PASSWORD)
            page.get_by_role("button", name="Continue").click()
            expect(heading).to_have_text("You're signed in.")
            assert console_errors == []
            page.goto(site.url)
            expect(page.get_by_role("button", name="Sign out")).to_be_visible()
