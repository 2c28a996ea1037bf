"""The Chromium of a test process, which is restarted when it hangs.

Playwright waits thirty seconds for a page or an element, but without limit for most other calls: a new page, a
script, a count, a close. If such a call takes too long, Chromium is killed, which ends the call.
"""

import contextlib
import os
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Playwright, expect, sync_playwright

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]

# Limits for a test with its fixtures. On a busy machine, the slowest takes half of it.
SECONDS, SECONDS_IF_SLOW = 240, 600
# Closing a window takes a tenth of a second, but rarely hangs. The test has ended by then.
SECONDS_TO_CLOSE = 30


class Chromium:
    """A browser that is restarted after a failure, without its open windows."""

    def __init__(self, playwright: Playwright, path: str) -> None:
        self._playwright, self._path = playwright, path
        self._mark = f"--selfreg-tests={uuid.uuid4()}"
        self._browser = self._launch()

    @property
    def browser(self) -> Browser:
        if not self._browser.is_connected():
            self._browser = self._launch()
        return self._browser

    def close(self, window: BrowserContext) -> None:
        """Close a window. If that hangs, the browser is killed without an error, because no test depends on it."""
        with self.killed_after(SECONDS_TO_CLOSE), contextlib.suppress(Error):
            window.close()

    @contextmanager
    def killed_after(self, seconds: float) -> Iterator[None]:
        """Kill the browser if the block takes longer.

        :raises playwright.sync_api.Error: in the call that waits for the browser, because it was closed
        """
        timer = threading.Timer(seconds, self._kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _launch(self) -> Browser:
        return self._playwright.chromium.launch(executable_path=self._path, args=[*FLAGS, self._mark])

    def _kill(self) -> None:
        """Playwright has no API for the process id. Chromium ignores unknown flags."""
        subprocess.run(["pkill", "-KILL", "-f", "--", self._mark], check=False)


@pytest.fixture(scope="session")
def chromium_of_this_worker() -> Iterator[Chromium]:
    """Return the Chromium of this process. Playwright cannot run twice in a process."""
    path = os.environ.get("CHROMIUM", "")
    if not path:
        reason = "CHROMIUM is not set to the path of a Chromium"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    expect.set_options(timeout=30_000)  # as for a button; a first start from a cold disk is slow
    with sync_playwright() as playwright:
        chromium = Chromium(playwright, path)
        yield chromium
        chromium.browser.close()


@pytest.fixture
def chromium(request: pytest.FixtureRequest, chromium_of_this_worker: Chromium) -> Iterator[Browser]:
    """Return a browser whose windows are closed after the test, and which is killed if the test hangs."""
    is_slow = request.node.get_closest_marker("slow") or request.node.get_closest_marker("nightly")
    with chromium_of_this_worker.killed_after(SECONDS_IF_SLOW if is_slow else SECONDS):
        browser = chromium_of_this_worker.browser
        yield browser
        for window in browser.contexts:
            chromium_of_this_worker.close(window)
