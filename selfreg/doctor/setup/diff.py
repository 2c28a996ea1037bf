"""What changes between two documents, line by line, for people, and how it is taken back. Secrets are never shown."""

from collections.abc import Iterator
from typing import Any

SECRETS = frozenset({"client_secret", "value"})
NAMES = ("name", "key", "inlineHookId")


def difference(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """``path: old -> new``, and ``path: + item`` or ``- item`` for lists."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            yield from difference(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(after, list) and isinstance(before or [], list):
        yield from _lists(before or [], after, path)
    elif before in (None, "") and isinstance(after, dict):
        yield from difference({}, after, path)
    elif before != after:
        secret = _is_secret(path)
        yield f"{path}: {_shown(before, secret)} -> {_shown(after, secret)}"


def contents(document: Any, path: str = "") -> Iterator[str]:
    """``path: value`` of everything in a new document."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from contents(value, f"{path}.{key}" if path else key)
    elif document not in (None, "", []):
        value = ", ".join(_name(item) for item in document) if isinstance(document, list) else document
        yield f"{path}: {_shown(value, _is_secret(path))}"


def restored(now: Any, before: Any, after: Any) -> Any:
    """``now`` without what changed from ``before`` to ``after``; what is otherwise different in ``now`` stays.

    What was not there before is given as None or an empty list: what a PUT leaves out may stay.
    """
    if before == after:
        return now
    if isinstance(now, dict) and isinstance(after, dict) and isinstance(before or {}, dict):
        old: dict[str, Any] = before or {}
        changed = {key: restored(now.get(key), old.get(key), after[key]) for key in after}
        return {**now, **changed}
    if isinstance(now, list) and isinstance(after, list) and isinstance(before or [], list):
        return _restored_list(now, before or [], after)
    return before


def _restored_list(now: list[Any], before: list[Any], after: list[Any]) -> list[Any]:
    old, new = {_name(item): item for item in before}, {_name(item): item for item in after}
    added = new.keys() - old.keys()
    return [restored(item, old.get(_name(item)), new.get(_name(item))) for item in now if _name(item) not in added]


def _lists(before: list[Any], after: list[Any], path: str) -> Iterator[str]:
    old, new = {_name(item): item for item in before}, {_name(item): item for item in after}
    for name, item in new.items():
        if name not in old:
            details = [line for line in difference({}, item) if isinstance(item, dict)]
            yield f"{path}: + {name}" + (f" ({', '.join(details[1:])})" if details[1:] else "")
        elif item != old[name]:
            yield from difference(old[name], item, f"{path}.{name}")
    yield from (f"{path}: - {name}" for name in old if name not in new)


def _is_secret(path: str) -> bool:
    return path.rpartition(".")[2] in SECRETS


def _name(item: Any) -> str:
    if isinstance(item, dict):
        return next((str(item[name]) for name in NAMES if name in item), str(item))
    return str(item)


def _shown(value: Any, secret: bool) -> str:
    if value in (None, "", []):
        return "(nothing)"
    return "(secret)" if secret else str(value).lower() if isinstance(value, bool) else str(value)
