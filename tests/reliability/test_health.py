"""What a load balancer is told, by `live` and `ready`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from okta_devorg import OrgHandle

pytestmark = pytest.mark.database


@contextmanager
def database_away() -> Iterator[None]:
    def refuse(*_: Any) -> None:
        raise OperationalError("away")

    with connection.execute_wrapper(refuse):
        yield


def test_a_process_that_answers_is_live_whatever_else_is_away(client: Client, configure: Callable[..., None]) -> None:
    configure(ENCRYPTION_KEYS=())
    answer = client.get("/signup/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_means_database_and_keys(db: None, client: Client) -> None:
    answer = client.get("/signup/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "missing": []})
    assert "no-store" in answer["Cache-Control"]


def test_without_its_database_a_server_is_not_ready(db: None, client: Client) -> None:
    with database_away():
        answer = client.get("/signup/health/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["database"])


@pytest.mark.parametrize("keys", [(), ("not a key",)])
def test_without_keys_a_server_is_not_ready(
    db: None, client: Client, configure: Callable[..., None], keys: tuple[str, ...]
) -> None:
    configure(ENCRYPTION_KEYS=keys)
    answer = client.get("/signup/health/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["encryption keys"])


def test_the_org_is_not_asked_and_may_be_away(db: None, client: Client, org: OrgHandle) -> None:
    org.fail("*", "reset", times=9)
    assert client.get("/signup/health/ready").status_code == 200
    assert org.calls() == []


@pytest.mark.parametrize("path", ["live", "ready"])
def test_nothing_can_be_posted_there(db: None, client: Client, path: str) -> None:
    assert client.post(f"/signup/health/{path}").status_code == 405
