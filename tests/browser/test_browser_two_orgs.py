"""One site with two orgs in a browser."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from okta_devorg import OrgHandle, running_org
from support.browser.demo_site import ROOT, Site, running_site, url_of
from support.browser.visitor import PASSWORD, Visitor, Window
from support.org_apps import PARTNERS, app_at

pytestmark = pytest.mark.browser


@pytest.fixture
def partners_org() -> Iterator[OrgHandle]:
    with running_org() as org:
        yield org


@pytest.fixture
def two_orgs_site(partners_org: OrgHandle, tmp_path: Path) -> Iterator[tuple[Site, OrgHandle]]:
    """Run the site and its default org."""
    with socket.create_server(("127.0.0.1", 0)) as listening, running_org(site=url_of(listening)) as org:
        listening.set_inheritable(True)
        app = app_at("/partners/signup/", PARTNERS, url_of(listening))
        partners_org.patch_policy({"apps": [app], "trusted_origins": [url_of(listening)]})
        settings = {
            "DJANGO_SETTINGS_MODULE": "support.browser.two_orgs",
            "PARTNERS_ISSUER": partners_org.issuer,
            "PYTHONPATH": str(ROOT / "tests"),
        }
        with running_site(listening, org, tmp_path, **settings) as site:
            yield site, org


def test_one_browser_can_sign_up_and_sign_in_at_two_orgs(
    chromium: Browser, two_orgs_site: tuple[Site, OrgHandle], partners_org: OrgHandle
) -> None:
    site, org = two_orgs_site
    window = Window(chromium.new_context(base_url=site.url, locale="en-US"), site.url)
    grace = Visitor(window, partners_org).opens("/partners/signup/").submits_profile().sees("Check your email")
    expect(grace.page.get_by_role("banner")).to_have_text("Partners")
    assert grace.page.url == f"{site.url}/partners/signup/step/"
    grace.types_the_code().sees("Choose a password").sets_a_password().sees("Members' page")
    grace.opens("/").presses("Sign out")
    ada = Visitor(window, org).goes_to_the_code_page().types_the_code().sees("Choose a password").sets_a_password()
    ada.sees_the_home_page().presses("Sign out")
    grace.opens("/partners/signup/sign-in/").sees("Sign in").field("Email").fill(grace.email)
    grace.presses("Next").sees("Enter your password").field("Password").fill(PASSWORD)
    grace.presses("Sign in").sees("Members' page")
    assert window.violations == []
    rows = site.rows("SELECT email, org, status FROM selfreg_registration ORDER BY created_at")
    assert rows == [(grace.email, "partners", "completed"), (ada.email, "default", "completed")]
