"""The endpoints `live` and `ready` for load balancers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from okta_devorg import OrgHandle
from selfreg.checks import operations

SECURITY = "django.middleware.security.SecurityMiddleware"

pytestmark = pytest.mark.database


@contextmanager
def database_outage() -> Iterator[None]:
    def refuse(*_: Any) -> None:
        raise OperationalError("away")

    with connection.execute_wrapper(refuse):
        yield


def test_live_is_ok_without_encryption_keys(client: Client, configure: Callable[..., None]) -> None:
    configure(ENCRYPTION_KEYS=())
    answer = client.get("/signup/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_is_ok_with_database_migrations_and_keys(db: None, client: Client) -> None:
    answer = client.get("/signup/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "missing": [], "degraded": []})
    assert "no-store" in answer["Cache-Control"]


def test_ready_fails_without_a_database(db: None, client: Client) -> None:
    with database_outage():
        answer = client.get("/signup/health/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["database"])


@pytest.mark.parametrize("keys", [(), ("not a key",)])
def test_ready_fails_without_valid_encryption_keys(
    db: None, client: Client, configure: Callable[..., None], keys: tuple[str, ...]
) -> None:
    configure(ENCRYPTION_KEYS=keys)
    answer = client.get("/signup/health/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["encryption keys"])


def test_ready_makes_no_call_to_the_org(db: None, client: Client, org: OrgHandle) -> None:
    org.fail("*", "reset", times=9)
    assert client.get("/signup/health/ready").status_code == 200
    assert org.calls() == []


@pytest.mark.parametrize("path", ["live", "ready"])
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "[::1]:8000", "anything.invalid", "no host at all", ""])
def test_probes_work_without_https_and_with_any_host(db: None, settings: Any, path: str, host: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["www.example.com"]
    answer = Client(headers={"host": host}).get(f"/signup/health/{path}")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert Client(headers={"host": "www.example.com"}).get("/signup/").status_code == 301


def test_ready_fails_with_an_unapplied_migration(db: None, client: Client) -> None:
    MigrationRecorder.Migration.objects.filter(app="selfreg").order_by("-id")[:1].get().delete()
    answer = client.get("/signup/health/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["migrations"])


def test_ready_is_ok_with_a_migration_of_a_newer_version(db: None, client: Client) -> None:
    """As during a rollout of a newer version, or after a rollback."""
    MigrationRecorder.Migration.objects.create(app="selfreg", name="0999_from_a_later_version")
    assert client.get("/signup/health/ready").json()["status"] == "ok"


def test_ready_is_degraded_without_a_cache(db: None, client: Client, settings: Any) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    answer = client.get("/signup/health/ready")
    assert (answer.status_code, answer.json()["status"], answer.json()["degraded"]) == (200, "degraded", ["cache"])


def test_ready_is_degraded_while_the_circuit_of_the_org_is_open(db: None, client: Client, org: OrgHandle) -> None:
    org.fail("*", "reset", times=99)
    for _ in range(6):
        client.get("/signup/")
    calls = len(org.calls())
    answer = client.get("/signup/health/ready")
    assert (answer.status_code, answer.json()["degraded"]) == (200, ["org"])
    assert len(org.calls()) == calls


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["selfreg.middleware.OperationsMiddleware", "django.middleware.security.SecurityMiddleware"], []),
        (
            ["django.middleware.security.SecurityMiddleware", "selfreg.middleware.OperationsMiddleware"],
            ["selfreg.W031"],
        ),
        (["django.middleware.security.SecurityMiddleware"], ["selfreg.W031"]),
        ([], ["selfreg.W031"]),
    ],
)
def test_a_check_reports_a_missing_or_misplaced_operations_middleware(
    settings: Any, names: list[str], expected: list[str]
) -> None:
    settings.MIDDLEWARE = names
    assert [m.id for m in operations.check_operations()] == expected


@pytest.mark.parametrize("path", ["live", "ready"])
def test_probes_refuse_post(db: None, client: Client, path: str) -> None:
    assert client.post(f"/signup/health/{path}").status_code == 405
