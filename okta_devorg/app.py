"""The org as a WSGI app: the table of routes, and what happens around every call (faults, log, CORS, headers)."""

import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, Response, g, request
from werkzeug.exceptions import HTTPException

from okta_devorg import control, management
from okta_devorg.idx import endpoints, interact
from okta_devorg.idx.document import messages_only
from okta_devorg.oidc import discovery, tokens
from okta_devorg.pages import identity_providers, links, people, sign_in
from okta_devorg.policy.serialization import PolicyError
from okta_devorg.state import rate_limits
from okta_devorg.state.calls import REDACTED, Call, read_body, redacted, redacted_headers, summary
from okta_devorg.state.faults import replace, spoil
from okta_devorg.state.org import Org
from okta_devorg.verification import okta_verify
from okta_devorg.wire.identifiers import new_bearer
from okta_devorg.wire.ion import ION
from okta_devorg.wire.pages import forbid_strangers, is_loopback
from okta_devorg.wire.refusals import ApiError, OAuthError, rate_limited, too_many_messages
from okta_devorg.wire.replies import json_reply

View = Callable[..., Response]
MAX_BODY = 1 << 20
log = logging.getLogger(__name__)

# Per issuer: (method, path below the issuer's OAuth base, handler).
OAUTH: tuple[tuple[str, str, View], ...] = (
    ("POST", "/interact", interact.interact),
    ("POST", "/token", tokens.token),
    ("GET POST", "/userinfo", tokens.userinfo),
    ("GET", "/keys", discovery.keys),
    ("POST", "/revoke", tokens.revoke),
    ("GET POST", "/authorize", sign_in.authorize),
    ("GET POST", "/logout", discovery.logout),
)
PROTOCOL: tuple[tuple[str, str, View], ...] = (
    *(("POST", "/idp/idx/" + name, partial(endpoints.endpoint, name=name)) for name in endpoints.HANDLERS),
    ("GET", "/signin/<attempt_id>", sign_in.sign_in_page),
    ("POST", "/signin/<attempt_id>", sign_in.sign_in),
    ("GET POST", "/signin/reset-password/<token>", sign_in.reset_page),
    ("POST", "/sso/idps/<idp_id>", lambda org, request, idp_id: identity_providers.sign_in(org, request)),
    ("GET", "/email/verify/<app_id>", links.magic_link),
    ("POST", "/email/verify/<app_id>", links.email_consent),
    ("GET POST", "/okta-verify/<token>", okta_verify.pairing_page),
    ("GET", "/tokens/<token>/verify", links.registration_link),
    ("GET", "/welcome/<token>", links.invitation),
    *management.ROUTES,
)
CONTROL: tuple[tuple[str, str, View], ...] = (
    ("GET", "/_devorg/policy", control.get_policy),
    ("PUT", "/_devorg/policy", control.put_policy),
    ("PATCH", "/_devorg/policy", control.patch_policy),
    ("GET", "/_devorg/messages", control.get_messages),
    ("GET", "/_devorg/users", control.get_users),
    ("GET", "/_devorg/calls", control.get_calls),
    ("GET", "/_devorg/faults", control.get_faults),
    ("POST", "/_devorg/faults", control.add_fault),
    ("DELETE", "/_devorg/faults", control.clear_faults),
    ("GET", "/_devorg/clock", control.get_clock),
    ("POST", "/_devorg/clock", control.advance_clock),
    ("POST", "/_devorg/keys", control.rotate_key),
    ("POST", "/_devorg/reset", control.reset),
    ("GET", "/", people.mailbox),
    ("GET", "/phone", people.phone),
    ("GET", "/users", people.users),
    ("GET", "/policy", people.policy),
    ("POST", "/policy", people.save_policy),
    ("GET", "/calls", people.calls),
    ("GET", "/users/<user_id>", people.user),
    ("POST", "/users/<user_id>", people.change_user),
    ("GET", "/break", people.break_page),
    ("POST", "/break", people.break_something),
)
LOCAL_PATHS = {path for _, path, _ in CONTROL}


def create_app(org: Org) -> Flask:
    app = Flask("okta_devorg", root_path=str(Path(__file__).parent))
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined]
    for issuer in (org.base, org.issuer):
        below = urlsplit(issuer).path
        oauth = urlsplit(org.oauth_base(issuer)).path
        add(app, org, "GET", below + "/.well-known/openid-configuration", partial(discovery.discovery, issuer=issuer))
        for methods, path, handler in OAUTH:
            add(app, org, methods, oauth + path, partial(handler, issuer=issuer))
    for methods, path, handler in (*PROTOCOL, *CONTROL):
        add(app, org, methods, path, handler)
    app.before_request(partial(before, org))
    app.after_request(partial(after, org))
    for kind, answer in ERRORS.items():
        app.register_error_handler(kind, answer)
    return app


def add(app: Flask, org: Org, methods: str, path: str, handler: View) -> None:
    """Only the page that others point to has a name; the rest are known by method and path."""
    name = "sign_in_page" if handler is sign_in.sign_in_page else f"{methods} {path}".replace(".", "_")
    app.add_url_rule(path, name, guarded(org, handler), methods=methods.split(), provide_automatic_options=False)


def guarded(org: Org, handler: View) -> View:
    def view(**path_values: Any) -> Response:
        with org.lock:
            return handler(org, request, **path_values)

    return view


def is_local(path: str) -> bool:
    """Pages and control API, as opposed to the protocol."""
    return path in LOCAL_PATHS or path.startswith(("/_devorg/", "/static/", "/users/"))


def before(org: Org) -> Response | None:
    """Guards the local half; in the protocol half answers preflights and lets a fault take the call's place."""
    g.started, g.fault, g.request_id, g.body, g.thread = time.perf_counter(), None, new_bearer(size=18), b"", ""
    g.shares = []
    g.body = request.get_data()
    if is_local(request.path):
        forbid_strangers(request)
        return None
    if request.method == "OPTIONS":
        return Response(status=204)
    with org.lock:
        org.in_flight.add(g.request_id)
        g.closing = org.closing
        refusal = over_limit(org)
        g.fault = None if refusal else org.faults.take(request.path)
    if refusal:
        return refusal
    return replace(g.fault, request, g.closing) if g.fault else None


def over_limit(org: Org) -> Response | None:
    """The limits of the whole org: so many calls a minute, so many at once. Of the latter the headers say only 0."""
    most, at_once = org.policy.limits.org_per_minute, org.policy.limits.concurrent
    crowded = bool(at_once) and len(org.in_flight) > at_once
    if crowded:
        g.shares.append(rate_limits.Share(0, 0, org.clock.now()))
    if not crowded and not org.counters.exceeds("org:" + rate_limits.bucket(request.path), most, 60):
        return None
    body = org.policy.limits.idx_body
    if request.path.startswith("/idp/idx/") and body != "classic":
        return json_reply(messages_only(too_many_messages()), 429, ION)
    return api_error(rate_limited())


def leave(org: Org, reply: Response) -> None:
    """The call is over: when its answer is written if that takes time, else now, before the client can call again."""
    if reply.is_streamed:
        reply.call_on_close(partial(end, org, g.request_id))
    else:
        end(org, g.request_id)


def end(org: Org, request_id: str) -> None:
    with org.lock:
        org.in_flight.discard(request_id)


def after(org: Org, reply: Response) -> Response:
    if is_local(request.path):
        reply.headers.setdefault("X-Content-Type-Options", "nosniff")
        return reply
    reply.headers["X-Okta-Request-Id"] = g.request_id
    reply.headers.update(rate_limits.headers(org.clock, g.shares, reply.status_code == 429))
    allow_origin(org, reply)
    reply.headers.setdefault("Cache-Control", "no-cache, no-store")
    if request.method != "OPTIONS":
        with org.lock:
            record(org, reply)
            org.users.save()
    answer = spoil(g.fault, request, reply, org.base, g.closing) if g.fault else reply
    leave(org, answer)
    return answer


def allow_origin(org: Org, reply: Response) -> None:
    """CORS with credentials on every answer, errors too: without it a wrong code is a network error to the widget."""
    reply.vary.add("Origin")
    origin = request.headers.get("Origin", "")
    trusted = org.policy.trusted_origins
    if not (origin in trusted if trusted else is_loopback(urlsplit(origin).hostname)):
        return
    reply.headers["Access-Control-Allow-Origin"] = origin
    reply.headers["Access-Control-Allow-Credentials"] = "true"
    if request.method == "OPTIONS":
        reply.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        reply.headers["Access-Control-Allow-Headers"] = (
            "content-type, accept, accept-language, authorization, x-okta-user-agent-extended, x-device-token"
        )
        reply.headers["Access-Control-Max-Age"] = "600"


SILENT = ("timeout", "reset", "after")
SECRET_PATH_VALUES = ("token", "attempt_id")


def shown_path(request: Request) -> str:
    """The path without the bearer values some links carry in it."""
    path = request.path
    for name in SECRET_PATH_VALUES:
        path = path.replace((request.view_args or {}).get(name, REDACTED), REDACTED)
    return path


def record(org: Org, reply: Response) -> None:
    fault = g.fault.kind if g.fault else None
    streamed = reply.is_streamed
    org.calls.calls.append(
        Call(
            request.method,
            shown_path(request),
            None if fault in SILENT else reply.status_code,
            redacted_headers(dict(request.headers)),
            redacted(request.args.to_dict()),
            read_body(g.body, request.content_type or ""),
            org.clock.now(),
            round((time.perf_counter() - g.started) * 1000, 2),
            g.request_id,
            fault,
            {} if streamed or fault == "malformed" else summary(reply.get_data(), reply.content_type or ""),
            g.thread,
        )
    )


def oauth_error(error: OAuthError) -> Response:
    return json_reply({"error": error.error, "error_description": error.description}, error.status)


def api_error(error: ApiError) -> Response:
    return json_reply(error.body(), error.status)


HTTP_ERRORS = {
    404: ("E0000007", "Not found: Resource not found."),
    405: ("E0000022", "The endpoint does not support the provided HTTP method"),
    413: ("E0000003", "The request body was not well-formed."),
}


def http_error(error: HTTPException) -> Response:
    code, text = HTTP_ERRORS.get(error.code or 500, ("E0000003", "The request body was not well-formed."))
    return api_error(ApiError(error.code or 500, code, text))


def unexpected(error: Exception) -> Response:
    """A mistake of this program. The client gets Okta's own words for that, the terminal the traceback."""
    log.error("unexpected error", exc_info=error)
    return api_error(ApiError(500, "E0000009", "Internal Server Error"))


ERRORS: dict[type[Exception], Callable[[Any], Response]] = {
    OAuthError: oauth_error,
    ApiError: api_error,
    PolicyError: control.policy_error,
    HTTPException: http_error,
    Exception: unexpected,
}
