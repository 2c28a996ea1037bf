"""A Chromium that hangs fails only one test."""

import pytest
from playwright.sync_api import Browser, Error

from support.browser.chromium import Chromium

pytestmark = pytest.mark.browser


def test_hanging_browser_call_is_aborted(chromium: Browser, chromium_of_this_worker: Chromium) -> None:
    page = chromium.new_page()
    with pytest.raises(Error, match="closed"), chromium_of_this_worker.killed_after(1):
        page.evaluate("() => new Promise(() => {})")
    page = chromium_of_this_worker.browser.new_page()
    assert page.evaluate("6 * 7") == 42
    page.context.close()
