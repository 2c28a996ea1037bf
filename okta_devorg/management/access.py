"""Who may call the Management API, and how its lists and errors look."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Request, Response

from okta_devorg.policy.serialization import PolicyError
from okta_devorg.state.org import Org
from okta_devorg.wire.refusals import ApiError
from okta_devorg.wire.replies import json_reply, parse_json

Json = dict[str, Any]
View = Callable[..., Response]
PAGE = 200


def protected(view: View, resource: str) -> View:
    """`SSWS <token>` (the Python SDK leaves the space out), or a bearer token with `okta.<resource>.read|manage`."""

    def checked(org: Org, request: Request, **values: Any) -> Response:
        given = request.headers.get("Authorization", "")
        if given.startswith("Bearer "):
            check_scope(org, given[7:].strip(), resource, request.method)
        elif not given.startswith("SSWS") or given[4:].strip() != org.policy.api_token:
            raise ApiError(401, "E0000011", "Invalid token provided")
        try:
            return view(org, request, **values)
        except PolicyError as error:
            raise invalid(str(error)) from error

    return checked


def check_scope(org: Org, bearer: str, resource: str, method: str) -> None:
    token = org.grants.token(bearer)
    if token is None:
        raise ApiError(401, "E0000011", "Invalid token provided")
    wanted = {f"okta.{resource}.manage"} | ({f"okta.{resource}.read"} if method == "GET" else set())
    if not wanted & set(token.scopes):
        raise ApiError(403, "E0000006", "You do not have permission to perform the requested action")


def body_of(request: Request) -> Json:
    parsed = parse_json(request.get_data())
    if not isinstance(parsed, dict):
        raise ApiError(400, "E0000003", "The request body was not well-formed.")
    return parsed


def member(value: object, *path: str) -> Any:
    """What is at the path, None where there is nothing."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def objects(value: object, *path: str) -> Json:
    """The object at the path, an empty one for anything else."""
    found = member(value, *path)
    return found if isinstance(found, dict) else {}


def items(value: object, *path: str) -> list[Any]:
    """The list at the path, an empty one for anything else."""
    found = member(value, *path)
    return found if isinstance(found, list) else []


def listing(org: Org, request: Request, items: Iterable[Json]) -> Response:
    """A page of a list; `after` and `limit` as Okta has them, the next page in the Link header."""
    everything = list(items)
    after, limit = request.args.get("after", ""), request.args.get("limit", "")
    start = int(after) if after.isdecimal() else 0
    size = max(1, min(int(limit), PAGE)) if limit.isdecimal() else PAGE
    reply = json_reply(everything[start : start + size])
    here = org.base + request.path
    links = [f'<{here}?{urlencode(request.args.to_dict())}>; rel="self"']
    if start + size < len(everything):
        query = urlencode({**request.args.to_dict(), "after": str(start + size)})
        links.append(f'<{here}?{query}>; rel="next"')
    for link in links:
        reply.headers.add("Link", link)
    return reply


def no_content() -> Response:
    return Response(status=204)


def not_found(what: str, kind: str) -> ApiError:
    return ApiError(404, "E0000007", f"Not found: Resource not found: {what} ({kind})")


def invalid(cause: str) -> ApiError:
    return ApiError(400, "E0000001", f"Api validation failed: {cause.partition(':')[0]}", (cause,))
