"""Fixtures for the local org and its clients."""

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
    """The org in its initial state."""
    running.reset()
    return running


@pytest.fixture
def journey(org: OrgHandle) -> Iterator[Journey]:
    """A client that makes the calls of a sign-up one by one."""
    client = Journey(org)
    yield client
    client.close()


@pytest.fixture
def browser(org: OrgHandle) -> Iterator[OrgBrowser]:
    """A browser for the pages of the org."""
    client = OrgBrowser(org)
    yield client
    client.http.close()


@pytest.fixture
def api(org: OrgHandle) -> Iterator[ManagementApi]:
    """The Management API with the org's API token."""
    client = ManagementApi(org)
    yield client
    client.http.close()
