"""The `filter` and `search` expressions of lists: comparisons joined by `and` and `or`, as SCIM has them."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from okta_devorg.wire.refusals import ApiError

TERM = re.compile(r'\s*([\w.]+)\s+(eq|ne|gt|ge|lt|le|sw|co|pr)\b\s*("(?:[^"\\]|\\.)*"|true|false|[\d.]+)?\s*')
COMPARE: dict[str, Callable[[str, str], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "sw": lambda found, wanted: found.startswith(wanted),
    "co": lambda found, wanted: wanted in found,
    "pr": lambda found, wanted: bool(found),
}


def matches(expression: str, item: Mapping[str, Any]) -> bool:
    """Case does not count. Raises ApiError for what is no such expression."""
    groups = re.split(r"\s+or\s+", expression.strip("() "), flags=re.IGNORECASE)
    return any(
        all(holds(term, item) for term in re.split(r"\s+and\s+", group.strip("() "), flags=re.IGNORECASE))
        for group in groups
    )


def holds(term: str, item: Mapping[str, Any]) -> bool:
    found = TERM.fullmatch(term.strip("() "))
    if found is None or (found[2] != "pr" and found[3] is None):
        raise ApiError(400, "E0000031", f"Invalid search criteria: {term}")
    value: Any = item
    for name in found[1].split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    wanted = (found[3] or "").strip('"').replace('\\"', '"')
    return COMPARE[found[2]](plain(value), wanted.casefold())


def plain(value: object) -> str:
    return "" if value is None else str(value).casefold()
