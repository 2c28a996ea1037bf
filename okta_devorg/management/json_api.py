"""Bodies, lists and errors that all endpoints of the Management API share."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from flask import Request, Response

from okta_devorg.state.org import Org
from okta_devorg.wire.errors import ApiError
from okta_devorg.wire.ion import Json
from okta_devorg.wire.numbers import whole_number
from okta_devorg.wire.replies import json_reply, parse_json

PAGE_SIZE = 200
WRONG_TYPE = "Bad request.  Accept and/or Content-Type headers likely do not match supported values."

# ---- reading


def api_body(request: Request) -> Json:
    """Return the JSON object that was sent.

    :raises ApiError: 400, if the body is something else; 415, if it says so itself.
    """
    if request.content_type and not request.is_json:
        raise ApiError(415, "E0000021", WRONG_TYPE)
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


def require_known(
    sent: Mapping[str, Any], shown: Mapping[str, Any], extra: tuple[str, ...] = (), path: str = ""
) -> None:
    """Refuse members of a body that the API does not show of such an object, instead of dropping them silently.

    What is `null` counts as not sent. `extra` are dotted paths that may be sent all the same; what is below one of
    them, below an empty object or in a list of scalars is not looked at.

    :raises ApiError: 400, naming the member.
    """
    for name, value in sent.items():
        place = f"{path}.{name}".lstrip(".")
        if value is None or place in extra or name in ("_links", "_embedded"):
            continue
        if name not in shown:
            raise validation_error(f"{place}: The field is not known to this org")
        _require_known_below(value, shown[name], extra, place)


def _require_known_below(value: object, shown: object, extra: tuple[str, ...], place: str) -> None:
    if isinstance(value, Mapping) and isinstance(shown, Mapping) and shown:
        require_known(value, shown, extra, place)
    elif isinstance(value, list) and isinstance(shown, list) and shown and isinstance(shown[0], Mapping):
        known = {key: item for element in shown for key, item in element.items()}
        for element in value:
            if isinstance(element, Mapping):
                require_known(element, known, extra, place)


def required_name(body: Json) -> str:
    """Return the `name` in a body.

    :raises ApiError: 400, if it is missing.
    """
    return required_text(body, "name")


def required_text(body: Json, name: str) -> str:
    """Return the text under `name` in a body.

    :raises ApiError: 400, if it is missing.
    """
    text = body.get(name)
    if not isinstance(text, str) or not text:
        raise validation_error(f"{name}: The field cannot be left blank")
    return text


def is_activation(change: str) -> bool:
    """Return whether the last part of a lifecycle path is `activate`, and False for `deactivate`.

    :raises ApiError: 404, if it is neither.
    """
    if change not in ("activate", "deactivate"):
        raise not_found(change, "Lifecycle")
    return change == "activate"


# ---- answering


def list_reply(org: Org, request: Request, items: Iterable[Json]) -> Response:
    """Return a page of a list, by the query's `after` and `limit`; the header `Link` leads to the next one.

    :raises ApiError: 400, if the cursor is none that this list has given out, or the limit no number.
    """
    all_items = list(items)
    after, limit = request.args.get("after"), request.args.get("limit")
    start = whole_number(after) if after else 0
    if start is None or (after and not 0 < start < len(all_items)):
        raise ApiError(400, "E0000029", "Invalid paging request.", ("Invalid cursor.",))
    size = whole_number(limit) if limit else PAGE_SIZE
    if not size:
        raise validation_error("limit: The field has an invalid value")
    size = min(size, PAGE_SIZE)
    reply = json_reply(all_items[start : start + size])
    sent = request.args.to_dict()
    pages = {"self": sent}
    if start + size < len(all_items):
        pages["next"] = {**sent, "after": str(start + size)}
    for rel, query in pages.items():
        url = org.base + quote(request.path) + ("?" + urlencode(query) if query else "")
        reply.headers.add("Link", f'<{url}>; rel="{rel}"')
    return reply


def without_feature(org: Org, request: Request, **path_values: str) -> Response:
    """Answer at an endpoint for a feature that this org does not have, as an org without it does.

    :raises ApiError: always, 401.
    """
    raise ApiError(401, "E0000015", "You do not have permission to access the feature you are requesting")


def no_content() -> Response:
    """Return the answer to a change that has nothing to show."""
    return Response(status=204)


def not_found(resource_id: str, resource_type: str) -> ApiError:
    """Return the error for a resource that does not exist."""
    return ApiError(404, "E0000007", f"Not found: Resource not found: {resource_id} ({resource_type})")


def validation_error(cause: str) -> ApiError:
    """Return the error for a body with a wrong value; `cause` is the member's name, a colon and a text."""
    return ApiError(400, "E0000001", f"Api validation failed: {cause.partition(':')[0]}", (cause,))
