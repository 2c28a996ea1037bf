"""Fields that belong to one option: a predefined or custom question, a text or a call."""

import pytest
from playwright.sync_api import expect

from support.browser.every_page import go_to_password_directly, only
from support.browser.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.fixture
def ada(visitor: Visitor) -> Visitor:
    visitor.org.patch_policy(only("okta_password", "security_question", email_verification=False))
    return go_to_password_directly(visitor).presses("Choose a different method").sees("Set up a security question")


def test_only_fields_of_the_selected_option_are_visible(ada: Visitor) -> None:
    predefined, custom = (
        ada.page.locator("main").get_by_role("combobox"),
        ada.page.get_by_role("textbox", name="Your question"),
    )
    expect(predefined).to_be_visible()
    expect(custom).to_be_hidden()
    ada.page.get_by_role("radio", name="Create my own").check()
    expect(predefined).to_be_hidden()
    expect(custom).to_be_visible()


def test_custom_security_question_can_be_saved(ada: Visitor) -> None:
    ada.page.get_by_role("radio", name="Create my own").check()
    ada.page.get_by_role("textbox", name="Your question").fill("Where does the cat sleep?")
    ada.fills(Answer="On the engine").presses("Save answer").sees("Choose a password")


def test_extension_field_is_visible_only_for_voice_calls(visitor: Visitor) -> None:
    visitor.org.patch_policy(only("okta_password", "phone_number", email_verification=False))
    ada = go_to_password_directly(visitor).presses("Choose a different method").sees("Add your phone")
    extension = ada.page.get_by_role("textbox", name="Extension")
    expect(extension).to_be_hidden()
    ada.page.get_by_role("radio", name="Voice call").check()
    expect(extension).to_be_visible()
    expect(ada.page.locator(".field", has=extension)).to_contain_text("(optional)")
