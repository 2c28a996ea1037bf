"""Inline hooks and event hooks.

Event hooks are those of the org's settings. An inline hook that was made here waits until the rule of a profile
enrollment policy names it; then it becomes the registration hook of the settings.
"""

from dataclasses import replace
from typing import Any

from flask import Request, Response

from okta_devorg.management.json_api import (
    api_body,
    is_activation,
    list_at,
    list_reply,
    no_content,
    not_found,
    object_at,
    required_name,
    validation_error,
)
from okta_devorg.policy.serialization import to_json
from okta_devorg.policy.settings import EventHook
from okta_devorg.state.hook_calls import verify_event_hook
from okta_devorg.state.org import Org
from okta_devorg.wire.errors import ApiError
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

REGISTRATION_HOOK_TYPE = "com.okta.user.pre-registration"


def _channel_json(url: str, header_names: list[str]) -> Json:
    """Return where a hook is called. The values of its headers are secret."""
    headers = [{"key": name, "value": None} for name in header_names]
    config = {"uri": url, "headers": headers, "method": "POST", "authScheme": None}
    return {"type": "HTTP", "version": "1.0.0", "config": config}


def _read_channel(body: Json) -> tuple[str, list[Json]]:
    """Return the URL of a hook and every header to send, including that of the authentication scheme."""
    config = object_at(body, "channel", "config")
    url = config.get("uri")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise validation_error("channel.config.uri: The field must be a URL")
    headers = [header for header in list_at(config, "headers") if isinstance(header, dict)]
    scheme = config.get("authScheme")
    if isinstance(scheme, dict) and scheme.get("type") == "HEADER":
        headers.append(scheme)
    return url, [{"key": str(header.get("key")), "value": str(header.get("value"))} for header in headers]


# ---- inline hooks


def list_inline_hooks(org: Org, request: Request) -> Response:
    """GET inlineHooks."""
    return list_reply(org, request, [_inline_hook_json(org, hook_id) for hook_id in _inline_hooks(org)])


def get_inline_hook(org: Org, request: Request, hook_id: str) -> Response:
    """GET inlineHooks/{id}.

    :raises ApiError: 404, if there is none.
    """
    return json_reply(_inline_hook_json(org, hook_id))


def create_inline_hook(org: Org, request: Request) -> Response:
    """POST inlineHooks.

    :raises ApiError: 400, if it is another type of hook, or name or URL are missing.
    """
    return _store_inline_hook(org, request, new_id("cal"))


def replace_inline_hook(org: Org, request: Request, hook_id: str) -> Response:
    """PUT inlineHooks/{id}. If it is the registration hook of the settings, that changes too.

    :raises ApiError: 404; 400 as for a new one.
    """
    _find_inline_hook(org, hook_id)
    reply = _store_inline_hook(org, request, hook_id)
    if _is_in_use(org, hook_id):
        hook = org.inline_hooks[hook_id]
        org.patch_policy({"hooks": {"registration": {"url": hook["url"], "headers": hook["headers"]}}})
    return reply


def set_inline_hook_active(org: Org, request: Request, hook_id: str, change: str) -> Response:
    """POST inlineHooks/{id}/lifecycle/activate and deactivate.

    :raises ApiError: 404, if there is no such hook or change.
    """
    _find_inline_hook(org, hook_id)
    active = is_activation(change)
    if hook_id in org.inline_hooks:
        org.inline_hooks[hook_id]["active"] = active
    return get_inline_hook(org, request, hook_id)


def delete_inline_hook(org: Org, request: Request, hook_id: str) -> Response:
    """DELETE inlineHooks/{id}.

    :raises ApiError: 404; 403, if a rule names it.
    """
    _find_inline_hook(org, hook_id)
    if _is_in_use(org, hook_id):
        raise ApiError(403, "E0000038", "This hook is used by a rule of a profile enrollment policy")
    del org.inline_hooks[hook_id]
    return no_content()


def registration_hook_setting(org: Org, hook_id: str) -> Json:
    """Return the inline hook with this id in the form of `hooks.registration` of the settings.

    :raises ApiError: 404, if there is none.
    """
    hook = _find_inline_hook(org, hook_id)
    if _is_in_use(org, hook_id):
        return dict(to_json(org.policy.hooks.registration))
    return {"id": hook_id, "url": hook["url"], "headers": hook["headers"]}


def _inline_hooks(org: Org) -> dict[str, Json]:
    """Return all inline hooks by id, each with `name`, `url`, `headers` and `active`."""
    hooks = dict(org.inline_hooks)
    used = org.policy.hooks.registration
    if used and used.id not in hooks:
        headers = to_json(used.headers)
        hooks[used.id] = {"name": "Registration hook", "url": used.url, "headers": headers, "active": True}
    return hooks


def _find_inline_hook(org: Org, hook_id: str) -> Json:
    hook = _inline_hooks(org).get(hook_id)
    if hook is None:
        raise not_found(hook_id, "CallbackV1")
    return hook


def _is_in_use(org: Org, hook_id: str) -> bool:
    used = org.policy.hooks.registration
    return used is not None and used.id == hook_id


def _store_inline_hook(org: Org, request: Request, hook_id: str) -> Response:
    body = api_body(request)
    if body.get("type") != REGISTRATION_HOOK_TYPE:
        raise validation_error("type: This org calls registration hooks only")
    url, headers = _read_channel(body)
    org.inline_hooks[hook_id] = {"name": required_name(body), "url": url, "headers": headers, "active": True}
    return json_reply(_inline_hook_json(org, hook_id))


def _inline_hook_json(org: Org, hook_id: str) -> Json:
    hook = _find_inline_hook(org, hook_id)
    at, href = org.clock.iso(org.started), f"{org.base}/api/v1/inlineHooks/{hook_id}"
    return {
        "id": hook_id,
        "status": "ACTIVE" if hook["active"] else "INACTIVE",
        "name": hook["name"],
        "type": REGISTRATION_HOOK_TYPE,
        "version": "1.0.0",
        "channel": _channel_json(hook["url"], [header["key"] for header in hook["headers"]]),
        "created": at,
        "lastUpdated": at,
        "_links": {"self": {"href": href}},
    }


# ---- event hooks


def list_event_hooks(org: Org, request: Request) -> Response:
    """GET eventHooks."""
    return list_reply(org, request, [_event_hook_json(org, hook_id, hook) for hook_id, hook in _event_hooks(org)])


def get_event_hook(org: Org, request: Request, hook_id: str) -> Response:
    """GET eventHooks/{id}.

    :raises ApiError: 404, if there is none.
    """
    return json_reply(_event_hook_json(org, hook_id, _find_event_hook(org, hook_id)))


def create_event_hook(org: Org, request: Request) -> Response:
    """POST eventHooks: a hook that has yet to be verified.

    :raises ApiError: 400, if name or URL are missing.
    :raises PolicyError: if a value is wrong.
    """
    hook_id = new_id("who")
    hooks = [to_json(hook) for hook in org.policy.hooks.events]
    org.patch_policy({"hooks": {"events": [*hooks, {"id": hook_id, **_read_event_hook(request)}]}})
    return get_event_hook(org, request, hook_id)


def replace_event_hook(org: Org, request: Request, hook_id: str) -> Response:
    """PUT eventHooks/{id}. With another URL it must be verified again.

    :raises ApiError: 404; 400, if name or URL are missing.
    :raises PolicyError: if a value is wrong.
    """
    old, values = _find_event_hook(org, hook_id), _read_event_hook(request)
    new = {**to_json(old), **values, "verified": old.verified and old.url == values["url"]}
    hooks = [new if hook is old else to_json(hook) for hook in org.policy.hooks.events]
    org.patch_policy({"hooks": {"events": hooks}})
    return get_event_hook(org, request, hook_id)


def delete_event_hook(org: Org, request: Request, hook_id: str) -> Response:
    """DELETE eventHooks/{id}.

    :raises ApiError: 404, if there is none.
    """
    deleted = _find_event_hook(org, hook_id)
    _store_event_hooks(org, [hook for hook in org.policy.hooks.events if hook is not deleted])
    return no_content()


def change_event_hook(org: Org, request: Request, hook_id: str, change: str) -> Response:
    """POST eventHooks/{id}/lifecycle/verify, activate and deactivate.

    :raises ApiError: 404, if there is no such hook or change; 400, if the hook does not verify.
    """
    hook = _find_event_hook(org, hook_id)
    if change == "verify":
        with org.unlocked():
            is_verified = verify_event_hook(hook, org.policy.hooks.timeout_seconds)
        if not is_verified:
            raise ApiError(400, "E0000001", "Api validation failed: verification", ("The endpoint did not verify.",))
        hook = _replace_event_hook(org, _find_event_hook(org, hook_id), verified=True)
    else:
        hook = _replace_event_hook(org, hook, active=is_activation(change))
    return json_reply(_event_hook_json(org, hook_id, hook))


def _event_hooks(org: Org) -> list[tuple[str, EventHook]]:
    """Return all event hooks with their ids, which are made up for those that the settings give none."""
    return [(hook.id or f"whoLocal{index:012d}", hook) for index, hook in enumerate(org.policy.hooks.events)]


def _find_event_hook(org: Org, hook_id: str) -> EventHook:
    hook = next((hook for existing_id, hook in _event_hooks(org) if existing_id == hook_id), None)
    if hook is None:
        raise not_found(hook_id, "EventHook")
    return hook


def _store_event_hooks(org: Org, hooks: list[EventHook]) -> None:
    org.own_policy = replace(org.own_policy, hooks=replace(org.policy.hooks, events=tuple(hooks)))


def _replace_event_hook(org: Org, old: EventHook, **changes: Any) -> EventHook:
    new = replace(old, **changes)
    _store_event_hooks(org, [new if hook is old else hook for hook in org.policy.hooks.events])
    return new


def _read_event_hook(request: Request) -> Json:
    body = api_body(request)
    url, headers = _read_channel(body)
    return {"name": required_name(body), "url": url, "headers": headers, "events": list_at(body, "events", "items")}


def _event_hook_json(org: Org, hook_id: str, hook: EventHook) -> Json:
    at, href = org.clock.iso(org.started), f"{org.base}/api/v1/eventHooks/{hook_id}"
    return {
        "id": hook_id,
        "status": "ACTIVE" if hook.active else "INACTIVE",
        "verificationStatus": "VERIFIED" if hook.verified else "UNVERIFIED",
        "name": hook.name,
        "created": at,
        "createdBy": "local",
        "lastUpdated": at,
        "events": {"type": "EVENT_TYPE", "items": list(hook.events)},
        "channel": _channel_json(hook.url, [header.key for header in hook.headers]),
        "_links": {"self": {"href": href}, "verify": {"href": href + "/lifecycle/verify"}},
    }
