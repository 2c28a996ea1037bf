"""A call to the browser that gets no answer ends, and the browser can still be used."""

import pytest
from playwright.sync_api import Browser

from support.browser.limits import within

pytestmark = pytest.mark.browser


def test_a_script_that_never_ends_is_interrupted(chromium: Browser) -> None:
    page = chromium.new_page()
    with pytest.raises(TimeoutError, match="no end"), within(1):
        page.evaluate("() => new Promise(() => {})")
    assert page.evaluate("6 * 7") == 42
    page.close()
