"""Fields that belong to one way only: a question of the org's or one's own, a text or a call."""

import pytest
from playwright.sync_api import expect

from support.browser.every_page import at_the_password_at_once, only
from support.browser.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.fixture
def ada(visitor: Visitor) -> Visitor:
    visitor.org.patch_policy(only("okta_password", "security_question", email_verification=False))
    return at_the_password_at_once(visitor).presses("Choose a different method").sees("Set up a security question")


def test_only_the_fields_of_the_chosen_way_show(ada: Visitor) -> None:
    offered, own = (
        ada.page.locator("main").get_by_role("combobox"),
        ada.page.get_by_role("textbox", name="Your question"),
    )
    expect(offered).to_be_visible()
    expect(own).to_be_hidden()
    ada.page.get_by_role("radio", name="Create my own").check()
    expect(offered).to_be_hidden()
    expect(own).to_be_visible()


def test_a_question_of_ones_own_is_kept(ada: Visitor) -> None:
    ada.page.get_by_role("radio", name="Create my own").check()
    ada.page.get_by_role("textbox", name="Your question").fill("Where does the cat sleep?")
    ada.fills(Answer="On the engine").presses("Save answer").sees("Choose a password")


def test_an_extension_is_asked_for_a_call_only(visitor: Visitor) -> None:
    visitor.org.patch_policy(only("okta_password", "phone_number", email_verification=False))
    ada = at_the_password_at_once(visitor).presses("Choose a different method").sees("Add your phone")
    extension = ada.page.get_by_role("textbox", name="Extension")
    expect(extension).to_be_hidden()
    ada.page.get_by_role("radio", name="Voice call").check()
    expect(extension).to_be_visible()
    expect(ada.page.locator(".field", has=extension)).to_contain_text("(optional)")
