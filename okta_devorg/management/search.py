"""The expressions of `filter` and `search`: comparisons joined by `and` and `or`, as in SCIM (RFC 7644)."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from okta_devorg.wire.errors import ApiError

COMPARISON = re.compile(r'\s*([\w.]+)\s+(eq|ne|gt|ge|lt|le|sw|co|pr)\b\s*("(?:[^"\\]|\\.)*"|true|false|[\d.]+)?\s*')
OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "sw": lambda value, operand: value.startswith(operand),
    "co": lambda value, operand: operand in value,
    "pr": lambda value, operand: bool(value),
}


def matches(expression: str, item: Mapping[str, Any]) -> bool:
    """Return whether the expression is true of the item; an empty one always is. Case does not matter.

    :raises ApiError: 400, if it is no such expression.
    """
    if not expression:
        return True
    alternatives = re.split(r"\s+or\s+", expression.strip("() "), flags=re.IGNORECASE)
    return any(
        all(_is_true(term, item) for term in re.split(r"\s+and\s+", alternative.strip("() "), flags=re.IGNORECASE))
        for alternative in alternatives
    )


def _is_true(term: str, item: Mapping[str, Any]) -> bool:
    comparison = COMPARISON.fullmatch(term.strip("() "))
    if comparison is None or (comparison[2] != "pr" and comparison[3] is None):
        raise ApiError(400, "E0000031", f"Invalid search criteria: {term}")
    value: Any = item
    for name in comparison[1].split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    text = "" if value is None else str(value).casefold()
    operand = (comparison[3] or "").strip('"').replace('\\"', '"')
    return OPERATORS[comparison[2]](text, operand.casefold())
