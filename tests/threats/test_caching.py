"""No page with personal data may be cached, neither by the browser nor by a proxy."""

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


def is_never_cached(browser: Client, page: str) -> bool:
    return "no-store" in browser.get(page).get("Cache-Control", "")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_cache_control_no_store(person: Person, org: OrgHandle, page: str) -> None:
    """For anonymous visitors, during a sign-up, and when logged in."""
    assert is_never_cached(Client(), page)
    person.opens_the_sign_up().submits_profile().chooses("Email")
    assert is_never_cached(person.browser, page)
    logged_in = Person("bob@example.com").signs_up(org)
    assert is_never_cached(logged_in.browser, page)
