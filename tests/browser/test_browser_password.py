"""Choosing a password: what is still missing shows while one types."""

import pytest
from every_page import ATTRIBUTES
from playwright.sync_api import Locator, expect
from visitor import Visitor

pytestmark = pytest.mark.browser

ON_THE_FORM = {"password_on_form": True}


def rule(visitor: Visitor, name: str) -> Locator:
    return visitor.page.locator(f'.rules > li[data-rule^="{name}:"]')


def test_rules_tick_off_while_one_types(visitor: Visitor) -> None:
    visitor.is_at_the_password().field("Enter password").press_sequentially("abc")
    expect(rule(visitor, "lower")).to_have_class("met")
    for name in ("length", "upper", "number"):
        expect(rule(visitor, name)).to_have_class("unmet")
    visitor.types("DEF-567")
    for name in ("length", "lower", "upper", "number", "username"):
        expect(rule(visitor, name)).to_have_class("met")


def test_a_screen_reader_hears_how_many_rules_are_open_and_when_none_is(visitor: Visitor) -> None:
    visitor.is_at_the_password().field("Enter password").press_sequentially("abc")
    status = visitor.page.locator("[data-rules-status]")
    expect(status).to_have_text("Password rules still open: 3")
    visitor.types("DEF-567")
    expect(status).to_have_text("The password meets these rules.")


def test_a_rule_that_this_page_cannot_know_stays_neutral(visitor: Visitor) -> None:
    visitor.is_at_the_password().fills(Enter_password="Correct-horse-7")
    expect(rule(visitor, "upper")).to_have_class("met")
    for name in ("history", "firstName"):
        expect(rule(visitor, name)).not_to_have_class("met")
        expect(rule(visitor, name)).not_to_have_class("unmet")


def test_a_part_of_the_address_is_not_allowed_in_the_password(visitor: Visitor) -> None:
    visitor.is_at_the_password().fills(Enter_password="My-eXample-777")
    expect(rule(visitor, "username")).to_have_class("unmet")


def test_a_name_typed_on_the_same_form_is_not_allowed_in_the_password(visitor: Visitor) -> None:
    visitor.org.patch_policy(ON_THE_FORM)
    visitor.opens("/signup/").fills(First_name="Ada", Enter_Password="Adamant-horse-7")
    expect(rule(visitor, "firstName")).to_have_class("unmet")
    visitor.fills(First_name="Grace")
    expect(rule(visitor, "firstName")).to_have_class("met")


def test_the_password_can_be_looked_at(visitor: Visitor) -> None:
    visitor.is_at_the_password()
    password, show = visitor.field("Enter password"), visitor.button("Show password")
    expect(show).to_have_attribute("aria-pressed", "false")
    show.click()
    expect(show).to_have_attribute("aria-pressed", "true")
    expect(password).to_have_attribute("type", "text")
    show.click()
    expect(password).to_have_attribute("type", "password")


def test_a_password_that_was_looked_at_is_sent_as_a_password(visitor: Visitor) -> None:
    visitor.is_at_the_password().presses("Show password").sets_a_password().is_welcome()


def test_the_time_zone_is_that_of_the_browser(opens_window, org) -> None:  # type: ignore[no-untyped-def]
    zone = {"name": "timezone", "label": "Time zone", "display": "select", "format": "timezone"}
    org.patch_policy({"profile": [*ATTRIBUTES, zone]})
    ada = opens_window(timezone_id="Europe/Paris").opens("/signup/")
    expect(ada.field("Time zone")).to_have_value("Europe/Paris")
