"""The site's cache, for what can be had again. While it is away nothing is kept, and visitors do not notice."""

import logging
from collections.abc import Callable
from typing import Any

from django.core.cache import cache

logger = logging.getLogger(__name__)


def get(name: str, default: Any = None) -> Any:
    """What is kept under this name; ``default`` when there is nothing."""
    return _while_it_is_there(lambda: cache.get(name, default), default)


def keep(name: str, value: Any, seconds: float | None) -> None:
    """Keeps it for so many seconds, None for as long as the cache likes."""
    _while_it_is_there(lambda: cache.set(name, value, seconds), None)


def first(name: str, seconds: float) -> bool:
    """Whether nobody asked for this name within so many seconds; while the cache is away everybody is the first."""
    return bool(_while_it_is_there(lambda: cache.add(name, 1, seconds), True))


def _while_it_is_there(call: Callable[[], Any], otherwise: Any) -> Any:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 Backends raise what their client libraries raise, of no common class.
        # Its text may hold the address of the cache, and that a password.
        logger.warning("The cache is away: %s", type(error).__name__)
        return otherwise
