"""The edge between JSON and the typed policy: read (refusing what is unknown or of the wrong type), write, merge."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from okta_devorg.policy.settings import Policy

Json = dict[str, Any]
LARGEST = 10**9


class PolicyError(ValueError):
    """The settings sent are not ones this org understands. The text names the key."""


def policy_to_json(policy: Policy) -> Json:
    return dict(write(policy))


def policy_from_json(data: object) -> Policy:
    policy: Policy = read(Policy, data, "")
    check(policy)
    return policy


def merge(base: object, patch: object) -> object:
    """Objects merge, lists and scalars replace."""
    if isinstance(base, Mapping) and isinstance(patch, Mapping):
        return {**base, **{key: merge(base.get(key), value) for key, value in patch.items()}}
    return patch


def write(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {json_key(item): write(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, tuple):
        return [write(item) for item in value]
    return value


def json_key(item: Field[Any]) -> str:
    return str(item.metadata.get("json", item.name))


hints = cache(get_type_hints)


def read(kind: Any, value: object, path: str) -> Any:
    if is_dataclass(kind):
        return read_object(kind, value, path)
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return None if value is None else read(next(k for k in get_args(kind) if k is not NoneType), value, path)
    if origin is tuple:
        return read_list(get_args(kind)[0], value, path)
    if origin is Literal:
        if value not in get_args(kind) or isinstance(value, bool):
            raise PolicyError(f"{path} must be one of {', '.join(get_args(kind))}")
        return value
    return read_scalar(kind, value, path)


def read_object(kind: Any, value: object, path: str) -> Any:
    if not isinstance(value, Mapping):
        raise PolicyError(f"{path or 'the policy'} must be an object")
    known = {json_key(item): item for item in fields(kind)}
    prefix = path + "." if path else ""
    for key in value:
        if key not in known:
            raise PolicyError(f"unknown key {prefix}{key}")
    for key, item in known.items():
        if item.default is MISSING and item.default_factory is MISSING and key not in value:
            raise PolicyError(f"{prefix}{key} is missing")
    given = {known[key].name: read(hints(kind)[known[key].name], item, prefix + key) for key, item in value.items()}
    return kind(**given)


def read_list(kind: Any, value: object, path: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise PolicyError(f"{path} must be a list")
    return tuple(read(kind, item, f"{path}[{index}]") for index, item in enumerate(value))


def read_scalar(kind: Any, value: object, path: str) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise PolicyError(f"{path} must be {NAMES[kind]}")
    if kind is int and isinstance(value, int) and not 0 <= value <= LARGEST:
        raise PolicyError(f"{path} must be from 0 to {LARGEST}")
    return value


NAMES = {bool: "true or false", str: "text", int: "a whole number"}


def check(policy: Policy) -> None:
    """What types alone cannot say."""
    for path, names in (
        ("profile", [attribute.name for attribute in policy.profile]),
        ("apps", [app.client_id for app in policy.apps]),
    ):
        if len(names) != len(set(names)):
            raise PolicyError(f"{path}: a name occurs twice")
    if not any(attribute.name == "email" and attribute.required for attribute in policy.profile):
        raise PolicyError("profile: a required attribute named email is needed")
    for status, value in vars(policy.statuses).items():
        if not 400 <= value <= 599:
            raise PolicyError(f"statuses.{status} must be from 400 to 599")
    for index, attribute in enumerate(policy.profile):
        has_choices = bool(attribute.options or attribute.format) or attribute.type == "boolean"
        if attribute.display in ("select", "radio") and not has_choices:
            raise PolicyError(f"profile[{index}].options: a {attribute.display} needs choices")
