"""JSON in and out, and redirects."""

import json
from urllib.parse import urlencode

from flask import Response


def json_reply(body: object, status: int = 200, content_type: str = "application/json") -> Response:
    return Response(json.dumps(body, separators=(",", ":")), status, content_type=content_type)


def redirect_to(location: str, status: int = 302) -> Response:
    return Response("", status, {"Location": location}, content_type="text/html; charset=utf-8")


def with_query(uri: str, values: dict[str, str]) -> str:
    return uri + ("&" if "?" in uri else "?") + urlencode(values)


def back_to_app(redirect_uri: str, state: str | None, **values: str) -> Response:
    """To the app's callback with what it waits for and the `state` it sent."""
    return redirect_to(with_query(redirect_uri, {**values, **({"state": state} if state else {})}))


def parse_json(raw: bytes) -> object:
    """None for what is no JSON, or is nested too deep to be read."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
