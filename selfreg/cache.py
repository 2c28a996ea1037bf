"""The site's cache, for values that can be computed or fetched again.

While the cache is down every value counts as missing, and visitors do not notice.
"""

import logging
from collections.abc import Callable
from typing import Any

from django.core.cache import cache

logger = logging.getLogger(__name__)


def get(name: str, default: Any = None) -> Any:
    """Returns the cached value; ``default`` when there is none, or the cache is down."""
    return _or_default(lambda: cache.get(name, default), default)


def keep(name: str, value: Any, seconds: float | None) -> None:
    """Caches a value for so many seconds; None caches it without an end."""
    _or_default(lambda: cache.set(name, value, seconds), None)


def claim_once(name: str, seconds: float) -> bool:
    """Returns True if nobody claimed this name within so many seconds, or if the cache is down."""
    return bool(_or_default(lambda: cache.add(name, 1, seconds), True))


def _or_default(call: Callable[[], Any], default: Any) -> Any:
    try:
        return call()
    except Exception as error:  # noqa: BLE001  (backends raise what their client libraries raise, of no common class)
        # Only the class is logged: the text may hold the cache's address with its password.
        logger.warning("The cache is down: %s", type(error).__name__)
        return default
