"""Lenient readers for ION, the JSON of the Identity Engine: values of another type count as absent.

Objects are ``dict``, as ``json.loads`` returns them. Checking for that is several times faster than for ``Mapping``.
"""

import html
import re
from datetime import datetime

from selfreg.idx.document import Json, Scalar

MAX_TEXT = 2_000
MAX_NUMBER = 10**9
# Databases and time zones fail with years outside of these.
YEARS = range(2000, 9001)
# Some sentences of orgs contain HTML. Other text in angle brackets is not a tag.
TAG = re.compile(r"</?(a|b|br|code|div|em|i|li|ol|p|small|span|strong|u|ul)(?:\s[^<>]*)?/?>", re.IGNORECASE)
BLOCKS = frozenset({"br", "div", "li", "ol", "p", "ul"})


def read_text(raw: Json, key: str, limit: int = MAX_TEXT) -> str:
    """Return the text under a key, cut to ``limit`` characters; "" if there is none."""
    value = raw.get(key)
    return value[:limit] if isinstance(value, str) else ""


def read_plain(raw: Json, key: str) -> str:
    """Return the text under a key without HTML."""
    return as_text(read_text(raw, key))


def read_number(raw: Json, key: str) -> int | None:
    """Return the whole number under a key, from 0 up to ``MAX_NUMBER``."""
    value = raw.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value < MAX_NUMBER else None


def is_true(raw: Json, key: str) -> bool:
    """Return whether the value under a key is ``true``."""
    return raw.get(key) is True


def is_not_false(raw: Json, key: str) -> bool:
    """Return whether the value under a key is anything but ``false``."""
    return raw.get(key) is not False


def read_scalar(value: object) -> Scalar | None:
    """Return the value itself unless it is an object, a list or null."""
    return value if isinstance(value, str | int | float | bool) else None


def read_moment(value: object) -> datetime | None:
    """Return a time in ISO 8601 with its offset from UTC."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo and parsed.year in YEARS else None


def read_mapping(value: object) -> Json:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def read_objects(raw: Json, key: str) -> list[Json]:
    """Return the objects of the plain list under a key."""
    value = raw.get(key)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def read_array(raw: Json, key: str) -> list[Json]:
    """Return the objects of ``{"type": "array", "value": [...]}`` under a key."""
    return read_objects(read_mapping(raw.get(key)), "value")


def read_unwrapped(raw: Json, key: str) -> Json:
    """Return the object of ``{"type": "object", "value": {...}}`` under a key; an empty one if there is none."""
    return read_mapping(read_mapping(raw.get(key)).get("value"))


def as_text(text: str) -> str:
    """Return the text without HTML. The URLs of links are dropped, because pages only link to this site and to Okta."""
    if not TAG.search(text):
        return text
    words = TAG.sub(lambda tag: " " if tag[1].lower() in BLOCKS else "", text)
    return " ".join(html.unescape(words).split())
