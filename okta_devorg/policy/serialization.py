"""The settings in JSON: reading them with checks, writing them, merging changes into them."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from okta_devorg.policy.consistency import problem_of
from okta_devorg.policy.json_names import json_name
from okta_devorg.policy.settings import Policy
from okta_devorg.wire.ion import Json

LARGEST_NUMBER = 10**9
TYPE_NAMES = {bool: "true or false", str: "text", int: "a whole number"}


class PolicyError(ValueError):
    """Settings that this org does not understand. The text names the key."""


def policy_to_json(policy: Policy) -> Json:
    """Return the settings as JSON."""
    return dict(to_json(policy))


def policy_from_json(data: object) -> Policy:
    """Return the settings in `data`; what it leaves out has its default.

    :raises PolicyError: for an unknown key or a wrong value.
    """
    policy: Policy = from_json(Policy, data, "")
    problem = problem_of(policy)
    if problem:
        raise PolicyError(problem)
    return policy


def patched(policy: Policy, patch: object) -> Policy:
    """Return the settings with `patch` merged into them.

    :raises PolicyError: if the result makes no sense.
    """
    return policy_from_json(_merged(policy_to_json(policy), patch))


def merged(base: Mapping[str, Any], patch: Mapping[str, Any]) -> Json:
    """Return `base` with `patch` merged into it: objects merge, lists and scalars are replaced."""
    return {**base, **{key: _merged(base.get(key), value) for key, value in patch.items()}}


def _merged(base: object, patch: object) -> object:
    if isinstance(base, Mapping) and isinstance(patch, Mapping):
        return merged(base, patch)
    return patch


def to_json(value: Any) -> Any:
    """Return a setting as JSON: a dataclass as an object, a tuple as a list."""
    if is_dataclass(value) and not isinstance(value, type):
        return {json_name(item): to_json(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    return value


def from_json(kind: Any, value: object, path: str) -> Any:
    """Return the JSON value as a value of the type `kind`; `path` names it in errors.

    `kind` may be a dataclass, an optional type, a tuple of one type, a Literal, bool, str or int.

    :raises PolicyError: for an unknown key or a wrong value.
    """
    if is_dataclass(kind):
        return _object_from_json(kind, value, path)
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        actual_kind = next(item for item in get_args(kind) if item is not NoneType)
        return None if value is None else from_json(actual_kind, value, path)
    if origin is tuple:
        return _tuple_from_json(get_args(kind)[0], value, path)
    if origin is Literal:
        if value not in get_args(kind) or isinstance(value, bool):
            raise PolicyError(f"{path} must be one of {', '.join(get_args(kind))}")
        return value
    return _scalar_from_json(kind, value, path)


_type_hints = cache(get_type_hints)


def _object_from_json(kind: Any, value: object, path: str) -> Any:
    if not isinstance(value, Mapping):
        raise PolicyError(f"{path or 'the policy'} must be an object")
    members = {json_name(item): item for item in fields(kind)}
    prefix = path + "." if path else ""
    for key in value:
        if key not in members:
            raise PolicyError(f"unknown key {prefix}{key}")
    for key, item in members.items():
        if item.default is MISSING and item.default_factory is MISSING and key not in value:
            raise PolicyError(f"{prefix}{key} is missing")
    types = _type_hints(kind)
    return kind(
        **{members[key].name: from_json(types[members[key].name], item, prefix + key) for key, item in value.items()}
    )


def _tuple_from_json(kind: Any, value: object, path: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise PolicyError(f"{path} must be a list")
    return tuple(from_json(kind, item, f"{path}[{index}]") for index, item in enumerate(value))


def _scalar_from_json(kind: Any, value: object, path: str) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise PolicyError(f"{path} must be {TYPE_NAMES[kind]}")
    if kind is int and isinstance(value, int) and not 0 <= value <= LARGEST_NUMBER:
        raise PolicyError(f"{path} must be from 0 to {LARGEST_NUMBER}")
    if isinstance(value, str) and not _can_be_encoded(value):
        raise PolicyError(f"{path} must be text that can be encoded")
    return value


def _can_be_encoded(text: str) -> bool:
    """Return whether no half of a surrogate pair, which JSON can escape, stands alone in the text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
