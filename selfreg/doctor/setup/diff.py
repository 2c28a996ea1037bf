"""Differences between two JSON documents, as lines of text, and how to revert them. Secrets are not printed."""

from collections.abc import Iterator
from typing import Any

SECRETS = frozenset({"client_secret", "value"})
NAMES = ("name", "key", "inlineHookId")


def diff_lines(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Yield ``path: old -> new`` for each value that differs; ``path: + item`` or ``path: - item`` for lists."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            yield from diff_lines(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(after, list) and isinstance(before or [], list):
        yield from _list_lines(before or [], after, path)
    elif before in (None, "") and isinstance(after, dict):
        yield from diff_lines({}, after, path)
    elif before != after:
        secret = _is_secret(path)
        yield f"{path}: {_text(before, secret)} -> {_text(after, secret)}"


def content_lines(document: Any, path: str = "") -> Iterator[str]:
    """Yield ``path: value`` for each value of a new document."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from content_lines(value, f"{path}.{key}" if path else key)
    elif document not in (None, "", []):
        value = ", ".join(_name(item) for item in document) if isinstance(document, list) else document
        yield f"{path}: {_text(value, _is_secret(path))}"


def reverted(current: Any, before: Any, after: Any) -> Any:
    """Return ``current`` without the change from ``before`` to ``after``. Other differences stay.

    Members that were added become None or an empty list, because a PUT may keep members that it does not send.
    """
    if before == after:
        return current
    if isinstance(current, dict) and isinstance(after, dict) and isinstance(before or {}, dict):
        old: dict[str, Any] = before or {}
        return {**current, **{key: reverted(current.get(key), old.get(key), after[key]) for key in after}}
    if isinstance(current, list) and isinstance(after, list) and isinstance(before or [], list):
        return _reverted_list(current, before or [], after)
    return before


def _reverted_list(current: list[Any], before: list[Any], after: list[Any]) -> list[Any]:
    old, new = {_name(item): item for item in before}, {_name(item): item for item in after}
    remaining = [item for item in current if _name(item) in old or _name(item) not in new]
    return [reverted(item, old.get(_name(item)), new.get(_name(item))) for item in remaining]


def _list_lines(before: list[Any], after: list[Any], path: str) -> Iterator[str]:
    old, new = {_name(item): item for item in before}, {_name(item): item for item in after}
    for name, item in new.items():
        if name not in old:
            details = [line for line in diff_lines({}, item) if isinstance(item, dict)]
            yield f"{path}: + {name}" + (f" ({', '.join(details[1:])})" if details[1:] else "")
        elif item != old[name]:
            yield from diff_lines(old[name], item, f"{path}.{name}")
    yield from (f"{path}: - {name}" for name in old if name not in new)


def _is_secret(path: str) -> bool:
    return path.rpartition(".")[2] in SECRETS


def _name(item: Any) -> str:
    """Return what identifies an item of a list."""
    if isinstance(item, dict):
        return next((str(item[name]) for name in NAMES if name in item), str(item))
    return str(item)


def _text(value: Any, secret: bool) -> str:
    if value in (None, "", []):
        return "(nothing)"
    return "(secret)" if secret else str(value).lower() if isinstance(value, bool) else str(value)
