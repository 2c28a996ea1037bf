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
    require_known,
    required_name,
    validation_error,
    value_at,
)
from okta_devorg.management.links import lifecycle_link, link
from okta_devorg.policy.serialization import merged, to_json
from okta_devorg.policy.settings import EventHook
from okta_devorg.state.hook_calls import verify_event_hook
from okta_devorg.state.okta_policies import OktaPolicy, PolicyRule
from okta_devorg.state.org import Org
from okta_devorg.wire.errors import ApiError
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply
from okta_devorg.wire.urls import is_http_url

REGISTRATION_HOOK_TYPE = "com.okta.user.pre-registration"
# Its state is the setting `telephony`. It is not called: texts and calls end at the org's own phone page.
TELEPHONY_HOOK_TYPE = "com.okta.telephony.provider"
# Whatever version is asked for, recorded orgs answer this one.
INLINE_HOOK_VERSION = "1.0.2"


def _channel_json(url: str, headers: list[Json]) -> Json:
    """Return where a hook is called.

    The header that authenticates is shown apart and without its value; the others are no secrets.
    """
    scheme = next((header for header in headers if _authenticates(header)), None)
    config = {
        "uri": url,
        "headers": [
            {"key": header["key"], "value": header["value"]} for header in headers if not _authenticates(header)
        ],
        "method": "POST",
        "authScheme": {"type": "HEADER", "key": scheme["key"]} if scheme else None,
    }
    return {"type": "HTTP", "version": "1.0.0", "config": config}


def _authenticates(header: Json) -> bool:
    return bool(header.get("secret")) or header["key"].lower() == "authorization"


# What may be sent of a hook: what is shown of the two kinds together.
SHAPE: Json = {
    **dict.fromkeys(("id", "status", "name", "description", "type", "version", "verificationStatus", "createdBy")),
    **dict.fromkeys(("created", "lastUpdated")),
    "events": {"type": "EVENT_TYPE", "items": [], "filter": None},
    "channel": _channel_json("", []),
}
MAY_BE_SENT = ("channel.config.headers", "channel.config.authScheme", "events.filter")


def _read_channel(body: Json, current: list[Json]) -> tuple[str, list[Json]]:
    """Return the URL of a hook and every header to send, including that of the authentication scheme.

    `current` are the headers of the hook so far. A scheme that is sent back without its value keeps it.
    """
    require_known(body, SHAPE, MAY_BE_SENT)
    config = object_at(body, "channel", "config")
    url = config.get("uri")
    if not isinstance(url, str) or not is_http_url(url):
        raise validation_error("channel.config.uri: The field must be a URL")
    headers = [_header(header) for header in list_at(config, "headers") if isinstance(header, dict)]
    scheme = config.get("authScheme")
    if isinstance(scheme, dict) and scheme.get("type") == "HEADER":
        old = next((header for header in current if _authenticates(header) and header["key"] == scheme.get("key")), {})
        headers.append(_header({**old, **{key: value for key, value in scheme.items() if value}}) | {"secret": True})
    return url, headers


def _header(sent: Json) -> Json:
    return {"key": str(sent.get("key")), "value": str(sent.get("value") or "")}


# ---- inline hooks


def list_inline_hooks(org: Org, request: Request) -> Response:
    """GET inlineHooks, by `type`."""
    wanted, hooks = request.args.get("type"), [_inline_hook_json(org, hook_id) for hook_id in _inline_hooks(org)]
    return list_reply(org, request, [hook for hook in hooks if wanted in (None, hook["type"])])


def get_inline_hook(org: Org, request: Request, hook_id: str) -> Response:
    """GET inlineHooks/{id}.

    :raises ApiError: 404, if there is none.
    """
    return json_reply(_inline_hook_json(org, hook_id))


def create_inline_hook(org: Org, request: Request) -> Response:
    """POST inlineHooks.

    :raises ApiError: 400, if it is of another type, or name or URL are missing.
    """
    return _store_inline_hook(org, request, new_id("cal"))


def replace_inline_hook(org: Org, request: Request, hook_id: str) -> Response:
    """PUT inlineHooks/{id}. The settings and rules that use it change too; whether it is active does not.

    :raises ApiError: 404; 400 as for a new one.
    """
    active = _find_inline_hook(org, hook_id)["active"]
    reply = _store_inline_hook(org, request, hook_id, active)
    hook = org.inline_hooks[hook_id]
    change = {"hooks": {"registration": {"url": hook["url"], "headers": hook["headers"]}}}
    if _is_in_settings(org, hook_id):
        org.patch_policy(change)
    for policy in _policies_using(org, hook_id):
        rules = tuple(
            replace(rule, patch=merged(rule.patch, change)) if _uses(rule, hook_id) else rule for rule in policy.rules
        )
        org.policies.store(replace(policy, rules=rules))
    return reply


def set_inline_hook_active(org: Org, request: Request, hook_id: str, change: str) -> Response:
    """POST inlineHooks/{id}/lifecycle/activate and deactivate.

    :raises ApiError: 404, if there is no such hook or change.
    """
    hook, active = _find_inline_hook(org, hook_id), is_activation(change)
    _keep_inline_hook(org, hook_id, {**hook, "active": active})
    return get_inline_hook(org, request, hook_id)


def delete_inline_hook(org: Org, request: Request, hook_id: str) -> Response:
    """DELETE inlineHooks/{id}.

    :raises ApiError: 404; 403, if a rule names it.
    """
    hook = _find_inline_hook(org, hook_id)
    if _is_in_settings(org, hook_id) or _policies_using(org, hook_id):
        raise ApiError(403, "E0000038", "This hook is used by a rule of a profile enrollment policy")
    _keep_inline_hook(org, hook_id, {**hook, "active": False})
    del org.inline_hooks[hook_id]
    return no_content()


def registration_hook_setting(org: Org, hook_id: str) -> Json:
    """Return the inline hook with this id in the form of `hooks.registration` of the settings.

    :raises ApiError: 404, if there is no hook for registration with it.
    """
    hook = _find_inline_hook(org, hook_id)
    if hook["type"] != REGISTRATION_HOOK_TYPE:
        raise not_found(hook_id, "InlineHook")
    if _is_in_settings(org, hook_id):
        return dict(to_json(org.policy.hooks.registration))
    return {"id": hook_id, "url": hook["url"], "headers": hook["headers"]}


def _inline_hooks(org: Org) -> dict[str, Json]:
    """Return all inline hooks by id, each with `type`, `name`, `url`, `headers` and `active`."""
    hooks, used = dict(org.inline_hooks), org.policy.hooks.registration
    if used:
        known = hooks.get(used.id, {"type": REGISTRATION_HOOK_TYPE, "name": "Registration hook", "active": True})
        hooks[used.id] = {**known, "url": used.url, "headers": to_json(used.headers)}
    return hooks


def _find_inline_hook(org: Org, hook_id: str) -> Json:
    hook = _inline_hooks(org).get(hook_id)
    if hook is None:
        raise not_found(hook_id, "InlineHook")
    return hook


def _is_in_settings(org: Org, hook_id: str) -> bool:
    used = org.policy.hooks.registration
    return used is not None and used.id == hook_id


def _policies_using(org: Org, hook_id: str) -> list[OktaPolicy]:
    """Return the policies with a rule that uses the hook, beside the default one, which is the settings."""
    return [policy for policy in org.policies.by_id.values() if any(_uses(rule, hook_id) for rule in policy.rules)]


def _uses(rule: PolicyRule, hook_id: str) -> bool:
    return bool(value_at(rule.patch, "hooks", "registration", "id") == hook_id)


def _store_inline_hook(org: Org, request: Request, hook_id: str, active: bool = True) -> Response:
    body = api_body(request)
    known, kind = _inline_hooks(org).get(hook_id, {}), body.get("type")
    if kind not in (REGISTRATION_HOOK_TYPE, TELEPHONY_HOOK_TYPE) or kind != known.get("type", kind):
        raise validation_error("type: This org has hooks for registration and telephony only")
    url, headers = _read_channel(body, known.get("headers", []))
    hook = {"type": kind, "name": required_name(body), "url": url, "headers": headers, "active": active}
    _keep_inline_hook(org, hook_id, hook)
    return json_reply(_inline_hook_json(org, hook_id))


def _keep_inline_hook(org: Org, hook_id: str, hook: Json) -> None:
    """Store a hook. With one for telephony the org can send texts and calls, as long as one is active."""
    org.inline_hooks[hook_id] = hook
    if hook["type"] == TELEPHONY_HOOK_TYPE:
        kept = org.inline_hooks.values()
        org.patch_policy({"telephony": any(item["active"] for item in kept if item["type"] == TELEPHONY_HOOK_TYPE)})


def _inline_hook_json(org: Org, hook_id: str) -> Json:
    hook = _find_inline_hook(org, hook_id)
    at, href = org.clock.iso(org.started), f"{org.base}/api/v1/inlineHooks/{hook_id}"
    return {
        "id": hook_id,
        "status": "ACTIVE" if hook["active"] else "INACTIVE",
        "name": hook["name"],
        "type": hook["type"],
        "version": INLINE_HOOK_VERSION,
        "channel": _channel_json(hook["url"], hook["headers"]),
        "created": at,
        "lastUpdated": at,
        "_links": {
            "self": link(href),
            "execute": link(href + "/execute", "POST"),
            **lifecycle_link(href, hook["active"]),
            **({} if hook["active"] else {"delete": link(href, "DELETE")}),
        },
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
    org.patch_policy({"hooks": {"events": [*hooks, {"id": hook_id, **_read_event_hook(request, [])}]}})
    return get_event_hook(org, request, hook_id)


def replace_event_hook(org: Org, request: Request, hook_id: str) -> Response:
    """PUT eventHooks/{id}. With another URL it must be verified again.

    :raises ApiError: 404; 400, if name or URL are missing.
    :raises PolicyError: if a value is wrong.
    """
    old = _find_event_hook(org, hook_id)
    values = _read_event_hook(request, [to_json(header) for header in old.headers])
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
        raise not_found(hook_id, "Webhook")
    return hook


def _store_event_hooks(org: Org, hooks: list[EventHook]) -> None:
    org.own_policy = replace(org.own_policy, hooks=replace(org.policy.hooks, events=tuple(hooks)))


def _replace_event_hook(org: Org, old: EventHook, **changes: Any) -> EventHook:
    new = replace(old, **changes)
    _store_event_hooks(org, [new if hook is old else hook for hook in org.policy.hooks.events])
    return new


def _read_event_hook(request: Request, current: list[Json]) -> Json:
    body = api_body(request)
    url, headers = _read_channel(body, current)
    return {"name": required_name(body), "url": url, "headers": headers, "events": list_at(body, "events", "items")}


def _event_hook_json(org: Org, hook_id: str, hook: EventHook) -> Json:
    at, href = org.clock.iso(org.started), f"{org.base}/api/v1/eventHooks/{hook_id}"
    return {
        "id": hook_id,
        "status": "ACTIVE" if hook.active else "INACTIVE",
        "verificationStatus": "VERIFIED" if hook.verified else "UNVERIFIED",
        "name": hook.name,
        "description": None,
        "created": at,
        "createdBy": "local",
        "lastUpdated": at,
        "events": {"type": "EVENT_TYPE", "items": list(hook.events), "filter": None},
        "channel": _channel_json(hook.url, [to_json(header) for header in hook.headers]),
        "_links": {
            "self": link(href),
            "verify": link(href + "/lifecycle/verify", "POST"),
            **lifecycle_link(href, hook.active),
            **({} if hook.active else {"delete": link(href, "DELETE")}),
        },
    }
