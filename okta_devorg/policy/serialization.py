"""The settings in JSON: reading them with checks, writing them, merging changes into them."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from okta_devorg.policy.json_names import json_name
from okta_devorg.policy.settings import Policy
from okta_devorg.wire.ion import Json
from okta_devorg.wire.urls import is_http_url

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
    _check_consistency(policy)
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
    return value


def _check_consistency(policy: Policy) -> None:
    """Check what the types alone cannot say."""
    for path, names in (
        ("profile", [attribute.name for attribute in policy.profile]),
        ("apps", [app.client_id for app in policy.apps]),
    ):
        if len(names) != len(set(names)):
            raise PolicyError(f"{path}: a name occurs twice")
    identifying = {"email", "login", *policy.allowed_identifiers}
    if not any(attribute.name in identifying and attribute.required for attribute in policy.profile):
        raise PolicyError("profile: a required attribute named email or login, or an allowed identifier, is needed")
    hook = policy.hooks.registration
    urls = [("hooks.registration", hook.url)] if hook else []
    urls += [(f"hooks.events[{index}]", item.url) for index, item in enumerate(policy.hooks.events)]
    for path, url in urls:
        if not is_http_url(url):
            raise PolicyError(f"{path}.url must begin with http:// or https:// and name a host")
    if not 4 <= policy.email_code.length <= 20:
        raise PolicyError("email_code.length must be from 4 to 20")
    for status, value in vars(policy.statuses).items():
        if not 400 <= value <= 599:
            raise PolicyError(f"statuses.{status} must be from 400 to 599")
    for index, attribute in enumerate(policy.profile):
        has_choices = bool(attribute.options or attribute.format) or attribute.type == "boolean"
        if attribute.display in ("select", "radio") and not has_choices:
            raise PolicyError(f"profile[{index}].options: a {attribute.display} needs choices")
