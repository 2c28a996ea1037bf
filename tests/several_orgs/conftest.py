"""Fixtures: a second local org with another app, and a brand with its own app."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from okta_devorg import OrgHandle, running_org
from support.org_apps import BRAND, PARTNERS, SECRETS, app_at, first_app
from support.person import SITE

Configure = Callable[..., None]


@pytest.fixture(scope="session")
def other_org_of_this_worker() -> Iterator[OrgHandle]:
    with running_org(site=SITE) as org:
        yield org


@pytest.fixture
def partners_org(org: OrgHandle, other_org_of_this_worker: OrgHandle, configure: Configure, settings: Any) -> OrgHandle:
    """Return the partners' org. The org of the site has a second app for the brand."""
    other = other_org_of_this_worker
    other.reset()
    other.patch_policy({"apps": [app_at("/partners/signup/", PARTNERS)]})
    org.patch_policy({"apps": [first_app(org), app_at("/brand/signup/", BRAND)]})
    settings.ROOT_URLCONF = "support.org_urls"
    configure(
        HOOK_SECRET="of-the-site-and-long-enough",
        ORGS={
            "partners": {
                "ISSUER": other.issuer,
                "CLIENT_ID": PARTNERS,
                "CLIENT_SECRET": SECRETS[PARTNERS],
                "SITE_NAME": "Partners",
                "AFTER": "/members/",
                "HOOK_SECRET": "of-the-partners-and-long-enough",
            },
            "brand": {"CLIENT_ID": BRAND, "CLIENT_SECRET": SECRETS[BRAND], "EMAIL_VERIFICATION": "optional"},
        },
    )
    return other
