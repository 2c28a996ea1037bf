"""One local org for each worker, reset for each test; a person in front of the site."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import override_settings
from django.utils import translation
from hypothesis import HealthCheck, settings

from okta_devorg import OrgHandle, running_org
from selfreg import cache as app_cache
from selfreg import rate_limits
from selfreg.okta_api.client import reset_connections
from selfreg.registration import policy
from support.person import KEYS, SITE, Person

pytest_plugins = ["support.browser.chromium", "support.provider.fixtures", "support.sites.fixtures"]

# Playwright leaves the thread with an event loop that counts as running; whichever tests come next in this worker use
# their database all the same.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# A normal run tries the same 200 examples of each property; `make fuzz` tries 20,000 new ones.
UNHURRIED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("suite", max_examples=200, deadline=None, derandomize=True, suppress_health_check=UNHURRIED)
settings.register_profile("long", settings.get_profile("suite"), max_examples=20_000, derandomize=False)
settings.load_profile("suite")

SITE_FIXTURES = {"db", "transactional_db", "configure", "settings"}


def uses_a_site(request: pytest.FixtureRequest) -> bool:
    """Whether a test has a database or settings of a site; the others are about code that knows neither."""
    return bool(SITE_FIXTURES & set(request.fixturenames) or request.node.get_closest_marker("django_db"))


@pytest.fixture(scope="session")
def org_of_this_worker() -> Iterator[OrgHandle]:
    with running_org(site=SITE) as org:
        yield org


@pytest.fixture
def org(org_of_this_worker: OrgHandle, configure: Callable[..., None]) -> OrgHandle:
    """The org as it is on the first day, with the site connected to it."""
    org_of_this_worker.reset()
    configure(ISSUER=org_of_this_worker.issuer)
    return org_of_this_worker


@pytest.fixture(autouse=True, scope="session")
def _quick_password_hashes() -> Iterator[None]:
    """The default hash of Django takes half a second, which is its purpose, and no test is about it."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True)
def _fresh_site(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A site that remembers nothing of the test before: no forms and keys, no org that was away, no language.

    Its visitors may be quicker than an org allows any real person. Tests of code without a site go without it.
    """
    if not uses_a_site(request):
        yield
        return
    monkeypatch.setattr(rate_limits, "CALLS", 1_000)
    cache.clear()
    app_cache.forget_failures()
    policy.reset_connections()
    reset_connections()
    with translation.override("en"):
        yield
    cache.clear()


@pytest.fixture
def configure(settings: Any) -> Callable[..., None]:
    """Changes keys of SELFREG for one test."""

    def change(**changes: object) -> None:
        settings.SELFREG = settings.SELFREG | changes

    settings.SECRET_KEY = "a-secret-key-of-the-tests-0123456789-0123456789-0123456789"
    change(
        ISSUER="http://127.0.0.1:1/oauth2/default",
        CLIENT_ID="0oaLocalDemoApp0000",
        CLIENT_SECRET="local-demo-secret-not-for-production",
        API_TOKEN="",
        BASE_URL=SITE,
        ENCRYPTION_KEYS=KEYS,
        EMAIL_VERIFICATION="mandatory",
        MINIMUM_FILL_SECONDS=0,
    )
    return change


@pytest.fixture
def person(db: None, org: OrgHandle) -> Person:
    """Ada, who has been nowhere yet."""
    return Person()
