"""The local org, and what Okta's clients need around it. What is missing is skipped with a line; under CI it fails."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from okta_devorg import OrgHandle, running_org

HERE = Path(__file__).parent
CLIENT = {"client_id": "0oaClients", "client_secret": None, "redirect_uris": ["http://127.0.0.1:8000/callback"]}


def missing(what: str) -> None:
    reason = f"left out: {what}"
    pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)


@pytest.fixture(scope="session")
def node() -> str:
    found = shutil.which("node")
    if not found or not (HERE / "node_modules").exists():
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
