"""Scenario B23: the page everybody lands on, signed out and signed in."""

from okta_devorg import OrgHandle
from support.person import SITE, Person


def test_signed_out_there_are_two_ways_in(person: Person) -> None:
    page = person.opens(SITE).page
    assert page.link("Sign up") == "/signup/"
    assert page.link("Sign in") == "/oidc/authenticate/"


def test_signed_in_there_are_the_claims_and_a_way_out(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    assert "ada@example.com" in person.page.text
    assert org.users[0].id in person.page.text
    assert "Verified" in person.page.text
    person.presses("Sign out")
    assert not person.is_signed_in
    assert person.page.link("Sign up")
    assert person.page.link("Sign in")
