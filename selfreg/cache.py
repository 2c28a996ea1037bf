"""The site's cache, for values that can be computed or fetched again.

If the cache is down, every value counts as missing, and visitors do not notice. After a failure, the cache is not used
for ``REST_SECONDS``, and then one call tries it again. The site sets how long this call may take, which a system check
verifies.
"""

import logging
import time
from collections.abc import Callable
from enum import StrEnum
from threading import Lock
from typing import Any

from django.core.cache import DEFAULT_CACHE_ALIAS, cache, caches
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.db import connections, router

from selfreg.conf import DEFAULT

logger = logging.getLogger(__name__)
clock = time.monotonic

# How long this process does not use a cache that failed, and how long it logs no further failure.
REST_SECONDS = 10.0
# How long this process remembers values that every page needs.
MEMORY_SECONDS = 5.0
# The options that limit how long a call of a cache server may take, by its backend.
TIME_LIMITS = {
    "django.core.cache.backends.redis.RedisCache": ("socket_timeout", "socket_connect_timeout"),
    "django_redis.cache.RedisCache": ("SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT"),
    "django.core.cache.backends.memcached.PyMemcacheCache": ("timeout", "connect_timeout"),
}

_memory: dict[str, tuple[float, Any]] = {}


class Trouble(StrEnum):
    """What is wrong with the site's cache. The values are names of the doctor's findings."""

    OF_ONE_PROCESS = "site-cache"
    NO_TABLE = "site-cache-table"
    AWAY = "site-cache-away"


class _Rest:
    """Knows when the cache may be tried again. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._until = self._logged_at = float("-inf")
        self.is_on = False

    def may_try(self) -> bool:
        """Return whether this call may use the cache. After a pause, only the first call may."""
        if not self.is_on:
            return True
        with self._lock:
            is_over = clock() >= self._until
            if is_over:
                self._until = clock() + REST_SECONDS
            return is_over

    def begin(self, error: Exception) -> None:
        """Note that the cache failed."""
        with self._lock:
            now = clock()
            self.is_on, self._until = True, now + REST_SECONDS
            is_news = now - self._logged_at >= REST_SECONDS
            if is_news:
                self._logged_at = now
        if is_news:
            # The text may contain the cache's URL with its password.
            logger.warning("The cache is down: %s", type(error).__name__)

    def end(self) -> None:
        """Note that the cache answered."""
        if self.is_on:
            self.is_on = False
            logger.info("The cache is back")


_rest = _Rest()


def is_down() -> bool:
    """Return whether the last call of this process failed."""
    return _rest.is_on


def get(name: str, default: Any = None) -> Any:
    """Return the cached value; ``default`` if there is none or the cache is down."""
    return _or_default(lambda: cache.get(name, default), default)


def get_lately(name: str, read: Callable[[Any], Any] = lambda value: value) -> Any:
    """Return the cached value, which may be up to ``MEMORY_SECONDS`` old; None if there is none.

    :param read: converts the value; the result is remembered, so nobody may change it
    """
    until, remembered = _memory.get(name, (0.0, None))
    if clock() < until:
        return remembered
    value = get(name)
    if value is None:
        return None
    value = read(value)
    if not isinstance(caches[DEFAULT_CACHE_ALIAS], LocMemCache):  # which is this process's memory
        _memory[name] = (clock() + MEMORY_SECONDS, value)
    return value


def keep(name: str, value: Any, seconds: float | None) -> None:
    """Cache a value for so many seconds; None caches it forever."""
    _memory.pop(name, None)
    _or_default(lambda: cache.set(name, value, seconds), None)


def name_of(name: str, org: str) -> str:
    """Return the name of an org's value: the plain name for the default org."""
    return name if org == DEFAULT else f"{name}:{org}"


def claim_once(name: str, seconds: float) -> bool:
    """Return True if nobody claimed this name within so many seconds, or if the cache is down."""
    return bool(_or_default(lambda: cache.add(name, 1, seconds), True))


def examine() -> tuple[Trouble, str] | None:
    """Store and read a value. Return what is wrong with the cache, and the class of the error or ""; None if it works.

    The text of the error could contain the cache's URL with its password.
    """
    try:
        backend: Any = caches["default"]
        if isinstance(backend, LocMemCache | DummyCache):
            return Trouble.OF_ONE_PROCESS, ""
        if isinstance(backend, DatabaseCache) and not _has_table(backend.cache_model_class):
            return Trouble.NO_TABLE, ""
        backend.set("selfreg:examined", "stored", 10)
        return None if backend.get("selfreg:examined") == "stored" else (Trouble.AWAY, "nothing is stored")
    except Exception as error:  # noqa: BLE001  (see ``_or_default``)
        return Trouble.AWAY, type(error).__name__


def _has_table(model: Any) -> bool:
    connection = connections[router.db_for_write(model)]
    return model._meta.db_table in connection.introspection.table_names()


def forget_failures() -> None:
    """Let the next call try the cache, whatever happened before: for tests."""
    global _rest
    _rest = _Rest()
    _memory.clear()


def _or_default(call: Callable[[], Any], default: Any) -> Any:
    if not _rest.may_try():
        return default
    try:
        value = call()
    except Exception as error:  # noqa: BLE001  (backends raise what their client libraries raise, of no common class)
        _rest.begin(error)
        return default
    _rest.end()
    return value
