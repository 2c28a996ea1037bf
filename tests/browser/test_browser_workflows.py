"""Both email workflows in a browser, from the form to a verified address."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from okta_devorg import OrgHandle
from support.browser.demo_site import Site, another_site
from support.browser.visitor import PASSWORD, Visitor, Window

pytestmark = pytest.mark.browser
WITHOUT_EMAIL_CODE = {"okta_email": "disabled", "okta_password": "required"}


def sign_in_at_the_org(ada: Visitor) -> Visitor:
    ada.sees("Sign in").field("Email").fill(ada.email)
    ada.presses("Next").sees("Enter your password").field("Password").fill(PASSWORD)
    return ada.presses("Sign in")


def test_mandatory_activation_link_completes_the_sign_up(
    opens_window: Callable[..., Visitor], site: Site, org: OrgHandle
) -> None:
    org.patch_policy({"email_verification": True, "authenticators": WITHOUT_EMAIL_CODE})
    ada = opens_window().opens("/signup/?next=/members/").submits_profile().sees("Choose a password")
    ada.sets_a_password().sees("Check your email")
    expect(ada.page.get_by_text("The link works for 7 days.")).to_be_visible()
    assert (site.registrations(ada.email), site.users(ada.email)) == (["awaiting_email"], 0)
    ada.opens(ada.link)
    sign_in_at_the_org(ada).sees("Members' page")
    assert (site.registrations(ada.email), site.users(ada.email)) == (["completed"], 1)


def test_mandatory_resent_activation_link_completes_the_sign_up(
    opens_window: Callable[..., Visitor], site: Site, org: OrgHandle
) -> None:
    org.patch_policy({"email_verification": True, "authenticators": WITHOUT_EMAIL_CODE})
    ada = opens_window().opens("/signup/").submits_profile().sees("Choose a password")
    ada.sees("Choose a password").sets_a_password().sees("Check your email").presses("Resend email")
    expect(ada.page.get_by_text("Only the newest link works.")).to_be_visible()
    ada.opens(ada.link).sees("Choose a password").sets_a_password()
    ada.sees_the_home_page()
    assert (site.registrations(ada.email), site.users(ada.email)) == (["cancelled"], 1)


@pytest.fixture
def optional_site(org: OrgHandle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run a site with the optional workflow."""
    with another_site(org, tmp_path_factory.mktemp("optional"), EMAIL_VERIFICATION="optional") as site:
        org.patch_policy({"email_verification": False})
        yield site


def test_optional_user_is_logged_in_at_once_and_verifies_later(
    chromium: Browser, optional_site: Site, org: OrgHandle
) -> None:
    org.patch_policy({"authenticators": {"okta_email": "optional", "phone_number": "disabled"}})
    window = Window(chromium.new_context(base_url=optional_site.url, locale="en-US"), optional_site.url)
    ada = Visitor(window, org).opens("/signup/").submits_profile().sees("Choose a password")
    ada.sets_a_password().sees("Secure your account").presses("Skip for now").sees_the_home_page()
    expect(ada.page.get_by_text("Not verified yet")).to_be_visible()
    ada.presses("Resend email").sees("Check your email").field("Enter code").fill(ada.code)
    ada.presses("Confirm").sees_the_home_page()
    expect(ada.page.get_by_text("Verified", exact=True)).to_be_visible()
    expect(ada.page.get_by_role("button", name="Resend email")).to_have_count(0)
    assert window.violations == []
