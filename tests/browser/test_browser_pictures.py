"""The pictures of the documentation show the pages as they are."""

import json
from collections.abc import Callable

import pytest

from okta_devorg import OrgHandle
from support.browser.documented_pages import DIGESTS, IMAGES, PICTURES, digest_of
from support.browser.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_taken_again_when_its_page_changes(
    opens_window: Callable[..., Visitor], org: OrgHandle, name: str
) -> None:
    """Mended by `make screenshots`, and a look at the new picture."""
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    ada = opens_window(**PICTURES[name].window)
    PICTURES[name].way(ada)
    assert (IMAGES / f"{name}.png").exists()
    assert json.loads(DIGESTS.read_text())[name] == digest_of(ada.page), "the page changed: run `make screenshots`"


def test_a_changed_word_and_a_changed_element_change_the_digest(visitor: Visitor) -> None:
    page = visitor.opens("/signup/").sees("Create your account").page
    before = digest_of(page)
    page.evaluate("document.querySelector('h1').textContent = 'Create an account'")
    with_other_words = digest_of(page)
    page.evaluate("document.querySelector('form').append(document.createElement('hr'))")
    assert len({before, with_other_words, digest_of(page)}) == 3
    assert digest_of(visitor.opens("/signup/").sees("Create your account").page) == before
