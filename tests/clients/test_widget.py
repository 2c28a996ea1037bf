"""The Okta Sign-In Widget, both generations of the package, in Chromium: from its Sign up link to tokens."""

import contextlib
import functools
import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CLIENT, HERE, missing
from org_journey import ADA, PASSWORD
from playwright.sync_api import Locator, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from okta_devorg import OrgHandle

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]
GENERATIONS = {"2": "okta-sign-in.min.js", "3": "okta-sign-in.next.js"}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Widget</title>
<link rel="stylesheet" href="/css/okta-sign-in.min.css"><div id="widget"></div><script src="/js/%s"></script>
<script>
const widget = new OktaSignIn(%s);
widget.showSignInToGetTokens({el: "#widget"}).then((tokens) => {
  document.title = JSON.stringify(tokens.idToken.claims);
}).catch((error) => { document.title = "failed: " + error; });
</script></html>"""


class Files(http.server.SimpleHTTPRequestHandler):
    pages: dict[str, str] = {}

    def do_GET(self) -> None:
        if self.path not in self.pages:
            return super().do_GET()
        payload = self.pages[self.path].encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The widget's own files, and a page that shows it."""
    dist = HERE / "node_modules/@okta/okta-signin-widget/dist"
    if not dist.exists():
        missing("tests/clients/node_modules is not here (make test-clients installs it)")
    handler = functools.partial(Files, directory=str(dist))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    path = os.environ.get("CHROMIUM", "")
    if not Path(path).is_file():
        missing("CHROMIUM does not name a Chromium to drive")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Page]:
    context = chromium.new_context(locale="en-US")
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    yield opened
    context.close()


def retype(page: Page, code: str, what_follows: Locator) -> None:
    """The widget draws its form anew after an error and after a poll, and forgets what was typed meanwhile."""
    for _ in range(3):
        page.get_by_label("Enter Code").fill(code)
        page.get_by_role("button", name="Verify").click()
        with contextlib.suppress(PlaywrightTimeoutError):
            what_follows.wait_for(timeout=5_000)
            return


@pytest.mark.parametrize("generation", GENERATIONS)
def test_from_its_sign_up_link_to_tokens(org: OrgHandle, site: str, page: Page, generation: str) -> None:
    org.patch_policy({"apps": [{**CLIENT, "redirect_uris": [site + "/callback"]}]})
    options = {
        "issuer": org.issuer,
        "baseUrl": org.base,
        "clientId": CLIENT["client_id"],
        "redirectUri": site + "/callback",
        "scopes": ["openid", "profile", "email"],
        "authScheme": "OAUTH2",
        "language": "en",
        "assets": {"baseUrl": site},
    }
    Files.pages["/widget"] = PAGE % (GENERATIONS[generation], json.dumps(options))
    page.goto(site + "/widget")
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("First name").fill(ADA["firstName"])
    page.get_by_label("Last name").fill(ADA["lastName"])
    page.get_by_label("Email").fill(ADA["email"])
    page.get_by_role("button", name="Sign Up").click()
    page.get_by_role("link", name="Set up Email").or_(page.get_by_role("button", name="Set up Email")).first.click()
    page.get_by_text("Enter a verification code instead").click()
    page.get_by_label("Enter Code").fill("000000")
    page.get_by_role("button", name="Verify").click()
    page.get_by_text("Invalid code. Try again.").first.wait_for()
    choose = page.get_by_role("link", name="Set up Password").or_(page.get_by_role("button", name="Set up Password"))
    retype(page, org.code(ADA["email"]), choose.first)
    choose.first.click()
    page.get_by_label("Enter password", exact=True).fill(PASSWORD)
    page.get_by_label("Re-enter password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Next").click()
    page.wait_for_function("document.title.startsWith('{') || document.title.startsWith('failed')")
    assert not page.title().startswith("failed"), page.title()
    assert json.loads(page.title())["sub"] == org.users[0].id
    assert org.users[0].status == "ACTIVE"
