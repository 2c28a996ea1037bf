"""Nothing about a person stays in a cache: of the browser, a proxy, or a school's computer room."""

import pytest
from django.test import Client

from okta_devorg import OrgHandle
from support.person import Person

pytestmark = pytest.mark.django_db

PAGES = (
    "/signup/",
    "/signup/?activationToken=x",
    "/signup/step/",
    "/signup/done/",
    "/signup/cancel/",
    "/signup/verify/?otp=123456&state=x",
    "/signup/email/",
    "/signup/link/",
    "/oidc/authenticate/",
    "/oidc/callback/?code=x&state=y",
    "/oidc/callback/?error=access_denied&state=y",
    "/members/",
    "/",
)


def is_kept_nowhere(browser: Client, page: str) -> bool:
    return "no-store" in browser.get(page).get("Cache-Control", "")


@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_kept_in_a_cache(person: Person, org: OrgHandle, page: str) -> None:
    """For strangers, in the middle of a sign-up, and for who is logged in."""
    assert is_kept_nowhere(Client(), page)
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    assert is_kept_nowhere(person.browser, page)
    other = Person("bob@example.com").signs_up(org)
    assert is_kept_nowhere(other.browser, page)
