from collections.abc import Iterator

import pytest
from org_journey import Journey

from okta_devorg import OrgHandle, running_org


@pytest.fixture(scope="session")
def running() -> Iterator[OrgHandle]:
    with running_org() as org:
        yield org


@pytest.fixture
def org(running: OrgHandle) -> OrgHandle:
    running.reset()
    return running


@pytest.fixture
def journey(org: OrgHandle) -> Iterator[Journey]:
    started = Journey(org)
    yield started
    started.close()
