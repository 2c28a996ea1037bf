"""A cache that hangs or refuses connections: visitors do not wait for it, logins work, and one line is logged."""

import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from okta_devorg import OrgHandle
from project.settings import with_time_limits
from selfreg import cache, checks
from support.person import Person


@pytest.fixture
def hanging_cache(settings: Any) -> Iterator[socket.socket]:
    """A Redis that accepts connections and never answers, like a process stopped by SIGSTOP."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        port = server.getsockname()[1]
        backend = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": f"redis://127.0.0.1:{port}/0"}
        settings.CACHES = {"default": with_time_limits(backend)}
        yield server


@pytest.fixture
def refusing_cache(settings: Any) -> None:
    backend = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": with_time_limits(backend)}


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "selfreg.cache" and r.levelno >= logging.WARNING]


def connection_attempts(server: socket.socket) -> int:
    """The number of connections to a cache that hangs; each one cost its time limit."""
    server.setblocking(False)
    for number in range(100):
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return number
    return 100


@pytest.mark.parametrize("fault", ["hanging_cache", "refusing_cache"])
def test_a_sign_up_completes_with_at_most_one_connection_to_a_broken_cache(
    request: pytest.FixtureRequest, person: Person, org: OrgHandle, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch, fault: str,
) -> None:  # fmt: skip
    """The clock is frozen, since a slow machine could exceed the pause of ten seconds."""
    server = request.getfixturevalue(fault)
    monkeypatch.setattr(cache, "clock", lambda: 1000.0)
    with caplog.at_level(logging.WARNING, "selfreg.cache"):
        person.signs_up(org)
    assert person.is_signed_in
    assert len(lines(caplog)) == 1
    assert server is None or connection_attempts(server) == 1


def test_a_hanging_cache_is_tried_once_per_pause(hanging_cache: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(cache, "clock", lambda: now[0])
    for _ in range(100):
        assert cache.get("name", "default") == "default"
    assert connection_attempts(hanging_cache) == 1
    now[0] += cache.REST_SECONDS + 1
    cache.keep("name", 1, 60)
    assert connection_attempts(hanging_cache) == 1, "after the pause it must be tried again"


def test_a_recovered_cache_is_used_again_after_the_pause(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(cache, "clock", lambda: now[0])
    working = settings.CACHES
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    assert cache.get("name") is None
    assert cache.is_down()
    settings.CACHES = working
    cache.keep("name", "value", 60)
    assert cache.get("name") is None, "it must not be used during the pause"
    now[0] += cache.REST_SECONDS + 1
    cache.keep("name", "value", 60)
    assert cache.get("name") == "value"
    assert not cache.is_down()


@pytest.mark.parametrize(
    ("backend", "options", "expected"),
    [
        ("django.core.cache.backends.redis.RedisCache", {}, ["selfreg.W030"]),
        ("django.core.cache.backends.redis.RedisCache", {"socket_timeout": 0.5}, ["selfreg.W030"]),
        ("django.core.cache.backends.redis.RedisCache", {"socket_timeout": 1, "socket_connect_timeout": 1}, []),
        ("django_redis.cache.RedisCache", {}, ["selfreg.W030"]),
        ("django_redis.cache.RedisCache", {"SOCKET_TIMEOUT": 1, "SOCKET_CONNECT_TIMEOUT": 1}, []),
        ("support.sites.extended.OwnRedis", {}, ["selfreg.W030"]),
        ("support.sites.extended.OwnDjangoRedis", {"SOCKET_TIMEOUT": 1}, ["selfreg.W030"]),
        ("support.sites.extended.OwnDjangoRedis", {"SOCKET_TIMEOUT": 1, "SOCKET_CONNECT_TIMEOUT": 1}, []),
        ("django.core.cache.backends.memcached.PyMemcacheCache", {"timeout": 1}, ["selfreg.W030"]),
        ("django.core.cache.backends.memcached.PyMemcacheCache", {"timeout": 1, "connect_timeout": 1}, []),
        ("django.core.cache.backends.locmem.LocMemCache", {}, []),
        ("django.core.cache.backends.db.DatabaseCache", {}, []),
    ],
)
def test_a_check_reports_a_cache_without_timeouts(
    settings: Any,
    configure: Callable[..., None],
    backend: str,
    options: dict[str, Any],
    expected: list[str],
) -> None:
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "x", "OPTIONS": options}}
    assert [m.id for m in checks.operations.check_cache()] == expected


@pytest.mark.parametrize(
    "backend",
    [
        "django.core.cache.backends.redis.RedisCache",
        "django_redis.cache.RedisCache",
        "django.core.cache.backends.memcached.PyMemcacheCache",
    ],
)
def test_the_demo_sets_timeouts_for_every_cache_server(
    settings: Any, configure: Callable[..., None], backend: str
) -> None:
    settings.CACHES = {"default": with_time_limits({"BACKEND": backend, "LOCATION": "x"})}
    assert checks.operations.check_cache() == []


@pytest.mark.parametrize(
    ("backend", "location", "expected"),
    [
        ("django.core.cache.backends.locmem.LocMemCache", "", "W035"),
        ("support.sites.extended.OwnMemory", "", "W035"),
        ("django.core.cache.backends.dummy.DummyCache", "", "W035"),
        ("django.core.cache.backends.db.DatabaseCache", "no_such_table", "W036"),
        ("django.core.cache.backends.redis.RedisCache", "redis://127.0.0.1:1/0", "W037"),
        ("django_redis.cache.RedisCache", "redis://127.0.0.1:1/0", "W037"),
    ],
)
def test_a_deployment_check_reports_a_cache_that_is_not_shared_or_not_working(
    db: None, settings: Any, configure: Callable[..., None], backend: str, location: str, expected: str
) -> None:
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": location}}
    settings.DEBUG = True
    assert checks.operations.check_cache_at_work() == []
    settings.DEBUG = False
    (message,) = checks.operations.check_cache_at_work()
    assert message.id == f"selfreg.{expected}"
    assert "limits against abuse hold" in str(message.hint)


def test_a_deployment_check_accepts_a_shared_cache(
    settings: Any, configure: Callable[..., None], tmp_path: Path
) -> None:
    settings.DEBUG = False
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(tmp_path)}}
    assert checks.operations.check_cache_at_work() == []
