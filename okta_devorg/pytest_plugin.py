"""pytest fixtures: every test gets an org as on its first day.

There is one server for each session (each worker under pytest-xdist), on a free port; between tests it is reset, which
takes no time. The org is only imported when a test first asks for it.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

import okta_devorg

if TYPE_CHECKING:
    from okta_devorg.handle import OrgHandle
    from okta_devorg.testing import OktaOrg, SignedUpUser


@pytest.fixture(scope="session")
def okta_org_settings() -> dict[str, Any]:
    """What the org starts with. Override it with `site` (the tested site's origin) and `policy` (changed settings)."""
    return {}


@pytest.fixture(scope="session")
def okta_org_of_this_session(okta_org_settings: dict[str, Any]) -> Iterator["OrgHandle"]:
    """The server of the session."""
    with okta_devorg.running_org(**okta_org_settings) as handle:
        yield handle


@pytest.fixture
def okta_org(okta_org_of_this_session: "OrgHandle") -> "OktaOrg":
    """A local Okta org without users and messages."""
    okta_org_of_this_session.reset()
    org: OktaOrg = import_module("okta_devorg.testing").OktaOrg(okta_org_of_this_session)
    return org


@pytest.fixture
def signed_up_user(okta_org: "OktaOrg") -> "SignedUpUser":
    """Ada, who has signed up: active, with a verified address and a password."""
    return okta_org.sign_up()


@pytest.fixture
def okta_site(okta_org: "OktaOrg", db: None, settings: Any, client: Any) -> Iterator[Any]:
    """A Django test client of a site with `selfreg`, whose settings name the org. Needs pytest-django.

    The site's cache is emptied before and after: it holds the form of the org.
    """
    cache = import_module("django.core.cache").cache
    cache.clear()
    settings.SELFREG = settings.SELFREG | {
        "ISSUER": okta_org.issuer,
        "CLIENT_ID": okta_org.app.client_id,
        "CLIENT_SECRET": okta_org.app.client_secret,
        "API_TOKEN": okta_org.api_token,
        "BASE_URL": "http://testserver",
        "MINIMUM_FILL_SECONDS": 0,
    }
    yield client
    cache.clear()


@pytest.fixture
def signed_in_client(okta_site: Any, okta_org: "OktaOrg", signed_up_user: "SignedUpUser") -> Any:
    """The same, signed in as `signed_up_user`, through the org."""
    okta_org.sign_in(okta_site, signed_up_user)
    return okta_site
