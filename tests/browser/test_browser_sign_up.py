"""The complete sign-up in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from okta_devorg import OrgHandle
from support.browser.demo_site import Site
from support.browser.visitor import PASSWORD, PHONE, WIDE, Visitor

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("screen", [{"viewport": WIDE}, PHONE], ids=["wide", "phone"])
def test_sign_up_works_in_a_browser(
    opens_window: Callable[..., Visitor], site: Site, screen: dict[str, int], colours: str
) -> None:
    ada = opens_window(color_scheme=colours, **screen)
    ada.goes_to_the_password_page().sets_a_password().sees_the_home_page()
    assert site.registrations(ada.email) == ["completed"]
    assert site.users(ada.email) == 1


def test_sign_up_works_without_javascript(opens_window: Callable[..., Visitor], site: Site) -> None:
    ada = opens_window(java_script_enabled=False)
    ada.goes_to_the_code_page().types_the_code().presses("Confirm")
    ada.sees("Choose a password")
    expect(ada.page.get_by_role("button", name="Show password")).to_be_hidden()
    ada.sets_a_password().sees_the_home_page()
    assert site.registrations(ada.email) == ["completed"]


def test_sign_up_works_by_keyboard_only(visitor: Visitor) -> None:
    """The first field of each page has the focus."""
    ada = visitor.opens("/signup/").sees("Create your account")
    ada.types("Ada").tabs_to(ada.field("Last name")).types("Lovelace")
    ada.tabs_to(ada.field("Email")).types(ada.email, then="Enter").sees("Check your email")
    ada.types("000000").sees_a_problem()
    ada.types(ada.code).sees("Choose a password")
    ada.types("short", then="Enter").sees_a_problem()
    ada.types(PASSWORD, then="Enter").sees_the_home_page()


def test_skip_link_moves_the_focus_to_the_content(visitor: Visitor) -> None:
    visitor.opens("/signup/verify/?otp=123456&state=unknown").types("", then="Tab")
    visitor.types("", then="Enter")
    expect(visitor.page.locator("main")).to_be_focused()


def test_captcha_is_solved_while_typing(visitor: Visitor, org: OrgHandle) -> None:
    org.patch_policy({"captcha": {"type": "ALTCHA"}})
    visitor.opens("/signup/").submits_profile().sees("Check your email")
    assert len(org.calls("/api/v1/altcha")) == 1
