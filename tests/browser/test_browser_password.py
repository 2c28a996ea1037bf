"""The password step in a browser: rules while typing, show password, and password strength."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from okta_devorg import OrgHandle
from support.browser.every_page import ATTRIBUTES, ZONE
from support.browser.visitor import PASSWORD, Visitor

pytestmark = pytest.mark.browser


@pytest.fixture
def ada(visitor: Visitor) -> Visitor:
    """Return a visitor at a form with profile and password."""
    visitor.org.patch_policy({"password_on_form": True})
    return visitor.opens("/signup/").sees("Create your account")


def rule(visitor: Visitor, name: str) -> Locator:
    return visitor.page.locator(f'.rules > li[data-rule~="{name}:1"], .rules > li[data-rule^="{name}:"]')


def test_password_rules_update_while_typing(ada: Visitor) -> None:
    ada.fills(Email=ada.email).password_field.press_sequentially("abc")
    for name in ("lower", "username"):
        expect(rule(ada, name)).to_have_class("met")
    for name in ("length", "upper", "number"):
        expect(rule(ada, name)).to_have_class("unmet")
    ada.types("DEF-567")
    for name in ("length", "lower", "upper", "number"):
        expect(rule(ada, name)).to_have_class("met")


def test_broken_rules_stay_marked_after_a_rejected_password(visitor: Visitor) -> None:
    visitor.goes_to_the_password_page().sets_a_password("short-one").sees_a_problem()
    expect(rule(visitor, "upper")).to_have_class("unmet")
    expect(visitor.page.locator(".rules")).to_have_class("rules left")
    visitor.page.keyboard.press("Tab")
    expect(rule(visitor, "upper")).to_have_class("unmet")
    visitor.password_field.fill(PASSWORD)
    expect(rule(visitor, "upper")).to_have_class("met")


def test_password_must_not_contain_the_address_of_an_earlier_page(visitor: Visitor) -> None:
    visitor.goes_to_the_password_page().password_field.fill("My-eXample-777")
    expect(rule(visitor, "username")).to_have_class("unmet")
    visitor.password_field.fill(PASSWORD)
    expect(rule(visitor, "username")).to_have_class("met")


def test_password_must_not_contain_names_of_an_earlier_page(visitor: Visitor) -> None:
    visitor.goes_to_the_password_page()
    for password in ("Not-Lovelace-777", "Adamant-horse-7"):
        visitor.password_field.fill(password)
        expect(rule(visitor, "lastName")).to_have_class("unmet")
    visitor.password_field.fill(PASSWORD)
    expect(rule(visitor, "lastName")).to_have_class("met")


def test_screen_readers_are_informed_of_missing_rules(ada: Visitor) -> None:
    ada.password_field.press_sequentially("abc")
    status = ada.page.locator("[data-rules-status]")
    expect(status).to_have_text("Still missing: 3")
    ada.types("DEF-567")
    expect(status).to_have_text("Your password has all of these.")


def test_rule_without_known_values_is_neither_met_nor_unmet(ada: Visitor) -> None:
    ada.password_field.fill(PASSWORD)
    expect(rule(ada, "upper")).to_have_class("met")
    for name in ("username", "firstName"):
        expect(rule(ada, name)).not_to_have_class("met")
        expect(rule(ada, name)).not_to_have_class("unmet")


def test_password_must_not_contain_a_name_of_the_same_form(ada: Visitor) -> None:
    ada.fills(First_name="Ada").password_field.fill("Adamant-horse-7")
    expect(rule(ada, "firstName")).to_have_class("unmet")
    ada.fills(First_name="Grace")
    expect(rule(ada, "firstName")).to_have_class("met")


def test_password_can_be_shown_and_hidden(ada: Visitor) -> None:
    password, show = ada.password_field, ada.button("Show password")
    expect(show).to_have_attribute("aria-pressed", "false")
    show.click()
    expect(show).to_have_attribute("aria-pressed", "true")
    expect(password).to_have_attribute("type", "text")
    show.click()
    expect(password).to_have_attribute("type", "password")


def test_shown_password_is_submitted(ada: Visitor) -> None:
    ada.presses("Show password").password_field.fill(PASSWORD)
    ada.submits_profile().sees("Check your email")


@pytest.mark.parametrize("zone", ["Europe/Paris", "Asia/Kolkata"])
def test_time_zone_field_defaults_to_that_of_the_browser(
    opens_window: Callable[..., Visitor], org: OrgHandle, zone: str
) -> None:
    org.patch_policy({"profile": [*ATTRIBUTES, ZONE]})
    ada = opens_window(timezone_id=zone).opens("/signup/")
    expect(ada.field("Time zone")).to_have_value(zone)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("correct-horse", "Weak password"),
        ("Aaaaaaa1", "Weak password"),
        ("Abcdefgh-12345678", "Weak password"),
        ("Zx3k-9Qw", "Fair password"),
        ("Zx3k-9Qw.Tr", "Good password"),
        ("Zx3k-9Qw.Tr7y-Pm2", "Strong password"),
    ],
)
def test_page_shows_the_password_strength(visitor: Visitor, typed: str, expected: str) -> None:
    field = visitor.goes_to_the_password_page().password_field
    levels = visitor.page.locator("[data-level]")
    expect(levels.filter(visible=True)).to_have_count(0)
    before = visitor.button("Continue").bounding_box()
    field.press_sequentially(typed)
    expect(levels.filter(visible=True)).to_have_text(expected)
    assert visitor.button("Continue").bounding_box() == before
