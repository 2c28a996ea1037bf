"""Fixtures for Okta's clients against the local org. Missing programs skip tests, and fail them under CI."""

import shutil
from collections.abc import Iterator

import pytest

from okta_devorg import OrgHandle, running_org
from support.clients import CLIENT, CLIENTS, missing

pytest_plugins = ["support.browser.chromium"]


@pytest.fixture(scope="session")
def node() -> str:
    path = shutil.which("node")
    if not path or not (CLIENTS / "node_modules").exists():
        missing("node or tests/clients/node_modules is not here (make test-clients installs the latter)")
    return str(path)


@pytest.fixture(scope="session")
def running() -> Iterator[OrgHandle]:
    with running_org(policy={"apps": [CLIENT]}) as org:
        yield org


@pytest.fixture
def org(running: OrgHandle) -> OrgHandle:
    running.reset()
    return running
