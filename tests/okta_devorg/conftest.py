"""The local org for each test, and three ways to talk to it."""

from collections.abc import Iterator

import pytest

from okta_devorg import OrgHandle, running_org
from support.local_org.management_api import ManagementApi
from support.local_org.org_browser import OrgBrowser
from support.local_org.org_journey import Journey


@pytest.fixture(scope="session")
def running() -> Iterator[OrgHandle]:
    """One org for each worker."""
    with running_org() as org:
        yield org


@pytest.fixture
def org(running: OrgHandle) -> OrgHandle:
    """The org as it is on the first day."""
    running.reset()
    return running


@pytest.fixture
def journey(org: OrgHandle) -> Iterator[Journey]:
    """Somebody's sign-up, call by call of the protocol."""
    started = Journey(org)
    yield started
    started.close()


@pytest.fixture
def browser(org: OrgHandle) -> Iterator[OrgBrowser]:
    """Somebody at the pages that the org hosts."""
    opened = OrgBrowser(org)
    yield opened
    opened.http.close()


@pytest.fixture
def api(org: OrgHandle) -> Iterator[ManagementApi]:
    """The Management API with the org's API token."""
    opened = ManagementApi(org)
    yield opened
    opened.http.close()
