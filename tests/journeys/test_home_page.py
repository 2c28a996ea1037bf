"""Scenario B23: the home page for a visitor who is signed out or signed in."""

from okta_devorg import OrgHandle
from support.person import SITE, Person


def test_home_page_links_to_sign_up_and_sign_in_when_signed_out(person: Person) -> None:
    page = person.opens(SITE).page
    assert page.link("Sign up") == "/signup/"
    assert page.link("Sign in") == "/oidc/authenticate/"


def test_home_page_shows_the_claims_and_a_working_sign_out_button_when_signed_in(
    person: Person, org: OrgHandle
) -> None:
    person.signs_up(org)
    assert "ada@example.com" in person.page.text
    assert org.users[0].id in person.page.text
    assert "Verified" in person.page.text
    person.presses("Sign out")
    assert not person.is_signed_in
    assert person.page.link("Sign up")
    assert person.page.link("Sign in")
