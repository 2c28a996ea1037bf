"""The pictures of the documentation match the current pages."""

import json
from collections.abc import Callable

import pytest

from okta_devorg import OrgHandle
from support.browser.documented_pages import DIGESTS, IMAGES, PICTURES, digest_of
from support.browser.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_match_the_current_pages(opens_window: Callable[..., Visitor], org: OrgHandle, name: str) -> None:
    """To correct a failure, run `make screenshots` and check the new picture."""
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    ada = opens_window(**PICTURES[name].window)
    PICTURES[name].go_to_page(ada)
    assert (IMAGES / f"{name}.png").exists()
    assert json.loads(DIGESTS.read_text())[name] == digest_of(ada.page), "the page changed: run `make screenshots`"


def test_digest_changes_with_text_and_elements(visitor: Visitor) -> None:
    page = visitor.opens("/signup/").sees("Create your account").page
    before = digest_of(page)
    page.evaluate("document.querySelector('h1').textContent = 'Create an account'")
    with_changed_text = digest_of(page)
    page.evaluate("document.querySelector('form').append(document.createElement('hr'))")
    assert len({before, with_changed_text, digest_of(page)}) == 3
    assert digest_of(visitor.opens("/signup/").sees("Create your account").page) == before
