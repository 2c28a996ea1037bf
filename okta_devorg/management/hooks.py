"""Inline and event hooks. Event hooks are those of the policy; an inline hook waits here until a rule names it."""

from dataclasses import replace
from typing import Any

from flask import Request, Response

from okta_devorg.management.access import Json, body_of, invalid, items, listing, no_content, not_found, objects
from okta_devorg.policy.serialization import write
from okta_devorg.policy.settings import EventHook
from okta_devorg.state.hook_calls import verify
from okta_devorg.state.org import Org
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.refusals import ApiError
from okta_devorg.wire.replies import json_reply


def channel(url: str, headers: object) -> Json:
    config = {"uri": url, "headers": headers, "method": "POST", "authScheme": None}
    return {"type": "HTTP", "version": "1.0.0", "config": config}


def read_channel(body: Json) -> tuple[str, list[Json]]:
    """The address, and every header to send, that of the authScheme included."""
    config = objects(body, "channel", "config")
    url = config.get("uri")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise invalid("channel.config.uri: The field must be a URL")
    headers = [item for item in items(config, "headers") if isinstance(item, dict)]
    scheme = config.get("authScheme")
    if isinstance(scheme, dict) and scheme.get("type") == "HEADER":
        headers.append(scheme)
    return url, [{"key": str(item.get("key")), "value": str(item.get("value"))} for item in headers]


def read_name(body: Json) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise invalid("name: The field cannot be left blank")
    return name


# ---- inline hooks


def inline_hooks(org: Org) -> dict[str, Json]:
    used = org.policy.hooks.registration
    shown = dict(org.inline_hooks)
    if used and used.id not in shown:
        shown[used.id] = {"name": "Registration hook", "url": used.url, "headers": write(used.headers), "active": True}
    return shown


def inline_json(org: Org, hook_id: str) -> Json:
    hook = inline_hooks(org).get(hook_id)
    if hook is None:
        raise not_found(hook_id, "CallbackV1")
    at, href = org.clock.iso(org.started), f"{org.base}/api/v1/inlineHooks/{hook_id}"
    head = {"id": hook_id, "status": "ACTIVE" if hook["active"] else "INACTIVE", "name": hook["name"]}
    kind = {"type": "com.okta.user.pre-registration", "version": "1.0.0"}
    public = [{"key": item["key"], "value": None} for item in hook["headers"]]
    dates = {"created": at, "lastUpdated": at}
    return {**head, **kind, "channel": channel(hook["url"], public), **dates, "_links": {"self": {"href": href}}}


def hook_by_id(org: Org, hook_id: str) -> Json:
    """In the shape of `hooks.registration` of the policy."""
    used, hook = org.policy.hooks.registration, inline_hooks(org).get(hook_id)
    if hook is None:
        raise not_found(hook_id, "CallbackV1")
    if used and used.id == hook_id:
        return dict(write(used))
    return {"id": hook_id, "url": hook["url"], "headers": hook["headers"]}


def list_inline(org: Org, request: Request) -> Response:
    return listing(org, request, [inline_json(org, hook_id) for hook_id in inline_hooks(org)])


def get_inline(org: Org, request: Request, hook_id: str) -> Response:
    return json_reply(inline_json(org, hook_id))


def create_inline(org: Org, request: Request) -> Response:
    return keep_inline(org, request, new_id("cal"))


def replace_inline(org: Org, request: Request, hook_id: str) -> Response:
    inline_json(org, hook_id)
    reply = keep_inline(org, request, hook_id)
    used = org.policy.hooks.registration
    if used and used.id == hook_id:
        hook = org.inline_hooks[hook_id]
        org.patch_policy({"hooks": {"registration": {"url": hook["url"], "headers": hook["headers"]}}})
    return reply


def keep_inline(org: Org, request: Request, hook_id: str) -> Response:
    body = body_of(request)
    if body.get("type") != "com.okta.user.pre-registration":
        raise invalid("type: This org calls registration hooks only")
    url, headers = read_channel(body)
    org.inline_hooks[hook_id] = {"name": read_name(body), "url": url, "headers": headers, "active": True}
    return json_reply(inline_json(org, hook_id))


def set_inline_active(org: Org, request: Request, hook_id: str, change: str) -> Response:
    inline_json(org, hook_id)
    if change not in ("activate", "deactivate"):
        raise not_found(change, "Lifecycle")
    if hook_id in org.inline_hooks:
        org.inline_hooks[hook_id]["active"] = change == "activate"
    return get_inline(org, request, hook_id)


def delete_inline(org: Org, request: Request, hook_id: str) -> Response:
    inline_json(org, hook_id)
    used = org.policy.hooks.registration
    if used and used.id == hook_id:
        raise ApiError(403, "E0000038", "This hook is used by a rule of a profile enrollment policy")
    del org.inline_hooks[hook_id]
    return no_content()


# ---- event hooks


def event_hooks(org: Org) -> list[tuple[str, EventHook]]:
    """Those without an id of their own go by their place."""
    return [(hook.id or f"whoLocal{place:012d}", hook) for place, hook in enumerate(org.policy.hooks.events)]


def find_event(org: Org, hook_id: str) -> EventHook:
    found = next((hook for known, hook in event_hooks(org) if known == hook_id), None)
    if found is None:
        raise not_found(hook_id, "EventHook")
    return found


def keep_events(org: Org, hooks: list[EventHook]) -> None:
    org.own_policy = replace(org.own_policy, hooks=replace(org.policy.hooks, events=tuple(hooks)))


def swap(org: Org, old: EventHook, **changes: Any) -> EventHook:
    new = replace(old, **changes)
    keep_events(org, [new if item is old else item for item in org.policy.hooks.events])
    return new


def list_events(org: Org, request: Request) -> Response:
    return listing(org, request, [event_json(org, hook_id, hook) for hook_id, hook in event_hooks(org)])


def get_event(org: Org, request: Request, hook_id: str) -> Response:
    return json_reply(event_json(org, hook_id, find_event(org, hook_id)))


def create_event(org: Org, request: Request) -> Response:
    hook_id = new_id("who")
    hooks = [write(hook) for hook in org.policy.hooks.events]
    org.patch_policy({"hooks": {"events": [*hooks, {"id": hook_id, **read_event(request)}]}})
    return get_event(org, request, hook_id)


def read_event(request: Request) -> Json:
    body = body_of(request)
    url, headers = read_channel(body)
    return {"name": read_name(body), "url": url, "headers": headers, "events": items(body, "events", "items")}


def replace_event(org: Org, request: Request, hook_id: str) -> Response:
    """A new address must be verified again."""
    old, given = find_event(org, hook_id), read_event(request)
    new = {**write(old), **given, "verified": old.verified and old.url == given["url"]}
    org.patch_policy({"hooks": {"events": [new if item is old else write(item) for item in org.policy.hooks.events]}})
    return get_event(org, request, hook_id)


def delete_event(org: Org, request: Request, hook_id: str) -> Response:
    found = find_event(org, hook_id)
    keep_events(org, [hook for hook in org.policy.hooks.events if hook is not found])
    return no_content()


def event_lifecycle(org: Org, request: Request, hook_id: str, change: str) -> Response:
    hook = find_event(org, hook_id)
    if change == "verify":
        with org.unlocked():
            answered = verify(hook, org.policy.hooks.timeout_seconds)
        if not answered:
            raise ApiError(400, "E0000001", "Api validation failed: verification", ("The endpoint did not verify.",))
        hook = swap(org, find_event(org, hook_id), verified=True)
    elif change in ("activate", "deactivate"):
        hook = swap(org, hook, active=change == "activate")
    else:
        raise not_found(change, "Lifecycle")
    return json_reply(event_json(org, hook_id, hook))


def event_json(org: Org, hook_id: str, hook: EventHook) -> Json:
    at, href = org.clock.iso(org.started), f"{org.base}/api/v1/eventHooks/{hook_id}"
    public = [{"key": item.key, "value": None} for item in hook.headers]
    return {
        "id": hook_id,
        "status": "ACTIVE" if hook.active else "INACTIVE",
        "verificationStatus": "VERIFIED" if hook.verified else "UNVERIFIED",
        "name": hook.name,
        "created": at,
        "createdBy": "local",
        "lastUpdated": at,
        "events": {"type": "EVENT_TYPE", "items": list(hook.events)},
        "channel": channel(hook.url, public),
        "_links": {"self": {"href": href}, "verify": {"href": href + "/lifecycle/verify"}},
    }
