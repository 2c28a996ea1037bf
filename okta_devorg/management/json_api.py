"""Bodies, lists and errors that all endpoints of the Management API share."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Request, Response

from okta_devorg.state.org import Org
from okta_devorg.wire.errors import ApiError
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply, parse_json

PAGE_SIZE = 200

# ---- reading


def api_body(request: Request) -> Json:
    """Return the JSON object that was sent.

    :raises ApiError: 400, if the body is something else.
    """
    body = parse_json(request.get_data())
    if not isinstance(body, dict):
        raise ApiError(400, "E0000003", "The request body was not well-formed.")
    return body


def value_at(value: object, *path: str) -> Any:
    """Return the value at the path of member names, None if there is nothing."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def object_at(value: object, *path: str) -> Json:
    """Return the object at the path, an empty one if there is none."""
    item = value_at(value, *path)
    return item if isinstance(item, dict) else {}


def list_at(value: object, *path: str) -> list[Any]:
    """Return the list at the path, an empty one if there is none."""
    item = value_at(value, *path)
    return item if isinstance(item, list) else []


def required_name(body: Json) -> str:
    """Return the `name` in a body.

    :raises ApiError: 400, if it is missing.
    """
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise validation_error("name: The field cannot be left blank")
    return name


def is_activation(change: str) -> bool:
    """Return whether the last part of a lifecycle path is `activate`, and False for `deactivate`.

    :raises ApiError: 404, if it is neither.
    """
    if change not in ("activate", "deactivate"):
        raise not_found(change, "Lifecycle")
    return change == "activate"


# ---- answering


def list_reply(org: Org, request: Request, items: Iterable[Json]) -> Response:
    """Return a page of a list, by the query's `after` and `limit`; the header `Link` leads to the next one."""
    all_items = list(items)
    after, limit = request.args.get("after", ""), request.args.get("limit", "")
    start = int(after) if after.isdecimal() else 0
    size = max(1, min(int(limit), PAGE_SIZE)) if limit.isdecimal() else PAGE_SIZE
    reply = json_reply(all_items[start : start + size])
    url = org.base + request.path
    reply.headers.add("Link", f'<{url}?{urlencode(request.args.to_dict())}>; rel="self"')
    if start + size < len(all_items):
        query = urlencode({**request.args.to_dict(), "after": str(start + size)})
        reply.headers.add("Link", f'<{url}?{query}>; rel="next"')
    return reply


def no_content() -> Response:
    """Return the answer to a change that has nothing to show."""
    return Response(status=204)


def not_found(resource_id: str, resource_type: str) -> ApiError:
    """Return the error for a resource that does not exist."""
    return ApiError(404, "E0000007", f"Not found: Resource not found: {resource_id} ({resource_type})")


def validation_error(cause: str) -> ApiError:
    """Return the error for a body with a wrong value; `cause` is the member's name, a colon and a text."""
    return ApiError(400, "E0000001", f"Api validation failed: {cause.partition(':')[0]}", (cause,))
