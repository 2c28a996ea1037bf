"""Fields that belong to one way only: a question of the org's or one's own, a text or a call."""

import pytest
from playwright.sync_api import expect

from support.browser.every_page import only, signed_up
from support.browser.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.fixture
def ada(visitor: Visitor) -> Visitor:
    visitor.org.patch_policy(only("okta_password", "security_question", email_verification=False))
    return signed_up(visitor).chooses("Security Question").sees("Set up a security question")


def test_only_the_fields_of_the_chosen_way_show(ada: Visitor) -> None:
    offered, own = (
        ada.page.locator("main").get_by_role("combobox"),
        ada.page.get_by_role("textbox", name="Create a security question"),
    )
    expect(offered).to_be_visible()
    expect(own).to_be_hidden()
    ada.page.get_by_role("radio", name="Create my own").check()
    expect(offered).to_be_hidden()
    expect(own).to_be_visible()


def test_a_question_of_ones_own_is_kept(ada: Visitor) -> None:
    ada.page.get_by_role("radio", name="Create my own").check()
    ada.page.get_by_role("textbox", name="Create a security question").fill("Where does the cat sleep?")
    ada.fills(Answer="On the engine").presses("Save answer").sees("Secure your account")
    expect(ada.page.get_by_role("radio", name="Security Question")).to_have_count(0)


def test_an_extension_is_asked_for_a_call_only(visitor: Visitor) -> None:
    visitor.org.patch_policy(only("okta_password", "phone_number", email_verification=False))
    ada = signed_up(visitor).chooses("Phone").sees("Add your phone")
    extension = ada.page.get_by_role("textbox", name="Extension")
    expect(extension).to_be_hidden()
    ada.page.get_by_role("radio", name="Voice call").check()
    expect(extension).to_be_visible()
    expect(ada.page.locator(".field", has=extension)).to_contain_text("(optional)")
