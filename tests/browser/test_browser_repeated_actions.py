"""Double clicks, going back, reloading and a second tab create one registration and one account."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from okta_devorg import OrgHandle
from support.browser.demo_site import Site
from support.browser.visitor import PASSWORD, Visitor

pytestmark = pytest.mark.browser

ENROLL = "/idp/idx/enroll/new"


def answer_polls(route: Route) -> None:
    """Answer polls, so that the page does not continue by itself during the test."""
    is_poll = "action=poll" in (route.request.post_data or "")
    route.fulfill(json={"wait": 60_000}) if is_poll else route.continue_()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_double_click_starts_one_registration(
    opens_window: Callable[..., Visitor], org: OrgHandle, site: Site, scripts: bool
) -> None:
    ada = opens_window(java_script_enabled=scripts).opens("/signup/")
    ada.fills(First_name="Ada", Last_name="Lovelace", Email=ada.email).button("Sign up").dblclick()
    ada.sees("Check your email")
    assert len(site.registrations(ada.email)) == 1
    assert len(org.calls(ENROLL)) == 1
    assert len(org.users) == 1


def test_double_click_on_the_last_step_creates_one_user(visitor: Visitor, site: Site) -> None:
    visitor.goes_to_the_password_page().password_field.fill(PASSWORD)
    visitor.button("Continue").dblclick()
    visitor.sees_the_home_page()
    assert site.registrations(visitor.email) == ["completed"]
    assert site.users(visitor.email) == 1


def test_resubmitting_the_first_form_continues_the_same_registration(
    visitor: Visitor, org: OrgHandle, site: Site
) -> None:
    visitor.opens("/signup/").submits_profile().sees("Check your email")
    visitor.page.go_back()
    visitor.sees("Create your account")
    expect(visitor.button("Sign up")).to_be_enabled()
    visitor.submits_profile().sees("Check your email")
    assert site.registrations(visitor.email) == ["enrolling"]
    assert len(org.users) == 1


def test_reloading_a_step_makes_no_call(visitor: Visitor, org: OrgHandle) -> None:
    visitor.goes_to_the_code_page().page.route("**/signup/step/", answer_polls)
    calls = len(org.calls())
    visitor.page.reload()
    visitor.sees("Check your email")
    assert len(org.calls()) == calls
    visitor.types_the_code().sees("Choose a password")


def test_stale_tab_shows_that_the_step_is_already_done(visitor: Visitor) -> None:
    first = visitor.goes_to_the_code_page().page
    first.route("**/signup/step/", answer_polls)
    visitor.opens_another_tab().opens("/signup/step/").sees("Check your email")
    first_field = first.get_by_label("Enter code")
    first_field.press_sequentially(visitor.code[:5])
    visitor.types_the_code().sees("Choose a password")
    first_field.press_sequentially(visitor.code[5:])
    expect(first.get_by_role("status").first).to_contain_text("already done that step")
