"""What scripts add to fields: search in long lists, and validation on leaving a field."""

import pytest
from playwright.sync_api import expect

from support.browser.every_page import ATTRIBUTES, go_to_password_directly, only
from support.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_country_search_finds_parts_of_names(visitor: Visitor) -> None:
    visitor.org.patch_policy(only("okta_password", "phone_number", email_verification=False))
    ada = go_to_password_directly(visitor).presses("Choose a different method").sees("Add your phone")
    country = ada.field("Country")
    search = ada.page.get_by_role("searchbox", name="Search this list")
    for typed, expected in (("austr", "AU"), ("austri", "AT"), ("ivoire", "CI"), ("aland", "AX"), ("kingd", "GB")):
        search.fill(typed)
        expect(country).to_have_value(expected)
    search.fill("atlantis")
    expect(search).to_have_attribute("aria-invalid", "true")
    expect(country).to_have_value("GB")
    search.fill("german")
    search.press("Enter")
    expect(country).to_be_focused()
    ada.fills(Phone_number="030 123456").sees("Add your phone")


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("en", "Enter an email address, like name@example.com."),
        ("de", "Geben Sie eine E-Mail-Adresse ein, zum Beispiel name@example.com."),
    ],
)
def test_invalid_field_shows_an_error_in_the_pages_language(visitor: Visitor, language: str, message: str) -> None:
    visitor.window.context.add_cookies(
        [{"name": "django_language", "value": language, "url": f"{visitor.window.site}/"}]
    )
    visitor.org.patch_policy({"profile": ATTRIBUTES})
    ada = visitor.opens("/signup/")
    email, last_name = ada.page.locator('[name="userProfile.email"]'), ada.page.locator('[name="userProfile.lastName"]')
    email.fill("ada@")
    last_name.focus()
    expect(email).to_have_accessible_description(message)
    expect(email).to_have_attribute("aria-invalid", "true")
    email.fill("ada@example.com")
    expect(ada.page.get_by_text(message)).to_have_count(0)
    expect(email).to_have_attribute("aria-invalid", "false")


@pytest.mark.parametrize("typed", ["ada＠example.com", "Ada Lovelace <ada@example.com>", "mailto:ada@example.com"])
def test_pasted_address_formats_show_no_error(visitor: Visitor, typed: str) -> None:
    ada = visitor.opens("/signup/").fills(First_name="Ada", Last_name="Lovelace", Email=typed)
    ada.field("Last name").focus()
    expect(ada.page.locator(".field-error")).to_have_count(0)
    ada.presses("Sign up")
    ada.sees("Check your email")
    expect(ada.page.get_by_text("ada@example.com")).to_be_visible()


def test_validation_on_blur_does_not_move_the_clicked_button(visitor: Visitor) -> None:
    ada = visitor.opens("/signup/").fills(First_name="Ada", Last_name="Lovelace", Email="ada@")
    ada.presses("Sign up").sees_a_problem()
