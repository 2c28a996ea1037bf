"""The links to help, terms and privacy that a site names in its settings."""

from collections.abc import Callable

import pytest

from okta_devorg import OrgHandle
from support.page import attribute, text
from support.person import Person


def links(person: Person) -> dict[str, str]:
    return {text(a): attribute(a, "href") or "" for a in person.page.all("a")}


@pytest.mark.parametrize(
    ("support", "href"),
    [
        ("help@example.com", "mailto:help@example.com"),
        ("https://help.example.com/", "https://help.example.com/"),
        ("/help/", "/help/"),
    ],
)
def test_every_page_links_to_the_sites_support_address(
    person: Person, org: OrgHandle, configure: Callable[..., None], support: str, href: str
) -> None:
    configure(SUPPORT=support)
    assert links(person.opens_the_sign_up())["Contact us"] == href
    assert links(person.opens("/signup/verify/"))["Contact us"] == href


@pytest.mark.parametrize("support", ["", "javascript:alert(1)", "call us"])
def test_pages_have_no_support_link_if_the_setting_is_empty_or_unsafe(
    person: Person, org: OrgHandle, configure: Callable[..., None], support: str
) -> None:
    configure(SUPPORT=support)
    assert "ontact us" not in person.opens_the_sign_up().page.html
    assert "javascript" not in person.page.html


def test_the_footer_links_to_terms_and_privacy_policy(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    assert "Privacy policy" not in links(person.opens_the_sign_up())
    configure(TERMS_URL="https://example.com/terms", PRIVACY_URL="/privacy/")
    footer_links = links(person.opens_the_sign_up())
    assert (footer_links["Terms of use"], footer_links["Privacy policy"]) == ("https://example.com/terms", "/privacy/")
