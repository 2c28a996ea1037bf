"""The local org, and what Okta's clients need around it. What is missing is skipped with a line; under CI it fails."""

import shutil
from collections.abc import Iterator

import pytest

from okta_devorg import OrgHandle, running_org
from support.clients import CLIENT, CLIENTS, missing

pytest_plugins = ["support.browser.chromium"]


@pytest.fixture(scope="session")
def node() -> str:
    found = shutil.which("node")
    if not found or not (CLIENTS / "node_modules").exists():
        missing("node or tests/clients/node_modules is not here (make test-clients installs the latter)")
    return str(found)


@pytest.fixture(scope="session")
def running() -> Iterator[OrgHandle]:
    with running_org(policy={"apps": [CLIENT]}) as org:
        yield org


@pytest.fixture
def org(running: OrgHandle) -> OrgHandle:
    running.reset()
    return running
