"""Responses: JSON, redirects and HTML pages with strict headers."""

import json
from typing import Any
from urllib.parse import urlencode

from flask import Response, render_template

from okta_devorg.wire.urls import origin_of, with_query


def json_reply(body: object, status: int = 200, content_type: str = "application/json") -> Response:
    """Return a response with `body` as compact JSON."""
    return Response(json.dumps(body, separators=(",", ":")), status, content_type=content_type)


def redirect_to(location: str, status: int = 302) -> Response:
    """Return a redirect to `location`."""
    return Response("", status, {"Location": location}, content_type="text/html; charset=utf-8")


def send_to_app(redirect_uri: str, state: str | None, mode: str = "query", **values: str) -> Response:
    """Send the browser to the app's callback with `values` and, unless it is None, the `state` that the app sent.

    `mode`: whether they are in the `query`, in the `fragment`, in a form that posts itself (`form_post`), or in a
    message to the window of the app (`okta_post_message`).
    """
    sent, origin = {**values, **({"state": state} if state else {})}, origin_of(redirect_uri)
    if mode == "form_post":
        return html_page("form_post.html", form_action=origin, action=redirect_uri, sent=sent)
    if mode == "okta_post_message":
        return html_page("post_message.html", frame_ancestors=origin, origin=origin, sent=sent)
    return redirect_to(f"{redirect_uri}#{urlencode(sent)}" if mode == "fragment" else with_query(redirect_uri, sent))


def html_page(
    template: str, status: int = 200, form_action: str = "", frame_ancestors: str = "'none'", **values: Any
) -> Response:
    """Return a page rendered from a template, with a strict content security policy.

    `form_action` are further origins, separated by spaces, that a form of the page may end at: browsers apply the
    policy to redirects after a form as well. `frame_ancestors` is whose pages may have this one in a frame.
    """
    # A page shows what people sent, which need not be text that can be encoded.
    reply = Response(render_template(template, **values).encode("utf-8", "replace"), status)
    form_actions = f"'self' {form_action}".strip()
    reply.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        f"form-action {form_actions}; base-uri 'none'; frame-ancestors {frame_ancestors}"
    )
    reply.headers["Cache-Control"] = "no-store"
    reply.headers["Referrer-Policy"] = "same-origin"
    reply.headers["X-Content-Type-Options"] = "nosniff"
    return reply


def message_page(title: str, text: str, status: int = 200, **more: Any) -> Response:
    """Return a page with one message.

    `more`: a `code` to type, a `note` below, the i18n `key` of the message, and a link on (`href` and `link_text`).
    """
    return html_page("message.html", status, title=title, text=text, **more)


def error_page(text: str) -> Response:
    """Return the page for a request that the org cannot serve, with status 400."""
    return message_page("This request cannot be served", text, 400)


def parse_json(raw: bytes) -> object:
    """Return the decoded JSON, None if it is invalid or nested too deeply to be read."""
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> object:
    """Refuse NaN and Infinity, which Python reads and JSON does not have.

    :raises ValueError: always.
    """
    raise ValueError(name)
