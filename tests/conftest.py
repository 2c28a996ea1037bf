"""One local org for each worker, reset for each test; a person in front of the site."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import translation
from person import KEYS, SITE, Person

from okta_devorg import OrgHandle, running_org
from selfreg import limits
from selfreg import org as connected_org


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


@pytest.fixture(autouse=True)
def _people_are_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quicker than any real person: more calls of one transaction in five seconds than an org allows."""
    monkeypatch.setattr(limits, "CALLS", 1_000)


@pytest.fixture(autouse=True)
def _nothing_cached() -> Iterator[None]:
    """Neither forms and keys, nor that the org was away a moment ago, nor whose language was spoken last."""
    cache.clear()
    connected_org._transport.cache_clear()
    with translation.override("en"):
        yield
    cache.clear()


@pytest.fixture
def configure(settings: Any) -> Callable[..., None]:
    """Changes keys of SELFREG for one test."""

    def change(**changes: object) -> None:
        settings.SELFREG = settings.SELFREG | changes

    change(
        ISSUER="http://127.0.0.1:1/oauth2/default",
        CLIENT_ID="0oaLocalDemoApp0000",
        CLIENT_SECRET="local-demo-secret-not-for-production",
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
