"""What scripts add to fields: a search in long lists, and what is wrong said at once."""

import pytest
from playwright.sync_api import expect

from support.browser.every_page import ATTRIBUTES, at_the_password_at_once, only
from support.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_a_country_is_found_by_a_part_of_its_name(visitor: Visitor) -> None:
    visitor.org.patch_policy(only("okta_password", "phone_number", email_verification=False))
    ada = at_the_password_at_once(visitor).presses("Choose a different method").sees("Add your phone")
    country = ada.field("Country")
    search = ada.page.get_by_role("searchbox", name="Search this list")
    for typed, found in (("austr", "AU"), ("austri", "AT"), ("ivoire", "CI"), ("aland", "AX"), ("kingd", "GB")):
        search.fill(typed)
        expect(country).to_have_value(found)
    search.fill("atlantis")
    expect(search).to_have_attribute("aria-invalid", "true")
    expect(country).to_have_value("GB")
    search.fill("german")
    search.press("Enter")
    expect(country).to_be_focused()
    ada.fills(Phone_number="030 123456").sees("Add your phone")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Enter an email address, like name@example.com."),
        ("de", "Geben Sie eine E-Mail-Adresse ein, zum Beispiel name@example.com."),
    ],
)
def test_a_field_that_is_left_wrong_says_so_in_the_pages_language(visitor: Visitor, language: str, said: str) -> None:
    visitor.window.context.add_cookies(
        [{"name": "django_language", "value": language, "url": f"{visitor.window.site}/"}]
    )
    visitor.org.patch_policy({"profile": ATTRIBUTES})
    ada = visitor.opens("/signup/")
    email, last_name = ada.page.locator('[name="userProfile.email"]'), ada.page.locator('[name="userProfile.lastName"]')
    email.fill("ada@")
    last_name.focus()
    expect(email).to_have_accessible_description(said)
    expect(email).to_have_attribute("aria-invalid", "true")
    email.fill("ada@example.com")
    expect(ada.page.get_by_text(said)).to_have_count(0)
    expect(email).to_have_attribute("aria-invalid", "false")


@pytest.mark.parametrize("typed", ["ada＠example.com", "Ada Lovelace <ada@example.com>", "mailto:ada@example.com"])
def test_an_address_that_is_understood_is_not_called_wrong(visitor: Visitor, typed: str) -> None:
    ada = visitor.opens("/signup/").fills(First_name="Ada", Last_name="Lovelace", Email=typed)
    ada.field("Last name").focus()
    expect(ada.page.locator(".field-error")).to_have_count(0)
    ada.presses("Sign up")
    ada.sees("Check your email")
    expect(ada.page.get_by_text("ada@example.com")).to_be_visible()


def test_a_button_is_not_moved_away_from_under_the_pointer(visitor: Visitor) -> None:
    ada = visitor.opens("/signup/").fills(First_name="Ada", Last_name="Lovelace", Email="ada@")
    ada.presses("Sign up").sees_a_problem()
