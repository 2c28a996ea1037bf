"""Lenient readers for ION, the JSON in which the Identity Engine writes (docs/protocol.md, section 3).

A value of another type than expected reads as if it were absent.
"""

from collections.abc import Mapping
from datetime import datetime

from selfreg.idx.document import Json, Scalar

MAX_TEXT = 2_000
MAX_NUMBER = 10**9
# Databases and time zones fail at either end of the calendar.
YEARS = range(2000, 9001)


def text(raw: Json, key: str, limit: int = MAX_TEXT) -> str:
    """The text under a key, cut to ``limit`` characters; "" if there is none."""
    value = raw.get(key)
    return value[:limit] if isinstance(value, str) else ""


def number(raw: Json, key: str) -> int | None:
    """The whole number under a key, from 0 up to ``MAX_NUMBER``."""
    value = raw.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value < MAX_NUMBER else None


def scalar(value: object) -> Scalar | None:
    """The value itself unless it is an object, a list or null."""
    return value if isinstance(value, str | int | float | bool) else None


def moment(value: object) -> datetime | None:
    """A time in ISO 8601 with its offset from UTC."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo and parsed.year in YEARS else None


def mapping(value: object) -> Json:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def objects(raw: Json, key: str) -> list[Json]:
    """The objects of the plain list under a key."""
    value = raw.get(key)
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def array(raw: Json, key: str) -> list[Json]:
    """The objects of ``{"type": "array", "value": [...]}`` under a key."""
    return objects(mapping(raw.get(key)), "value")


def unwrapped(raw: Json, key: str) -> Json:
    """The object of ``{"type": "object", "value": {...}}`` under a key; an empty one if there is none."""
    return mapping(mapping(raw.get(key)).get("value"))
