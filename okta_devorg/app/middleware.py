"""What happens before and after every request: guards, faults, limits of the whole org, CORS, headers, the call log.

During a request `flask.g` holds what belongs to it: `request_id`, `started` (for the duration), `body` (raw), `fault`,
`thread` (see `AuthorizationRequest`), `rate_limits` (the limits it counted against), `closing` (the org's event at its
start) and, once it is known, `flow` (the transaction or sign-in attempt).
"""

import time
from functools import partial

from flask import Response, g, request

from okta_devorg.app.error_replies import api_error_reply
from okta_devorg.app.fault_replies import reply_instead, spoiled_reply
from okta_devorg.app.routes import is_local
from okta_devorg.idx.documents.document import messages_only
from okta_devorg.state.logs.calls import (
    Call,
    redacted,
    redacted_body,
    redacted_headers,
    redacted_path,
    summarize_answer,
)
from okta_devorg.state.org import Org
from okta_devorg.state.rate_limits import RateLimitStatus, path_group, rate_limit_headers
from okta_devorg.wire.errors import rate_limited, too_many_requests
from okta_devorg.wire.guards import host_of, require_known_caller, require_local_caller
from okta_devorg.wire.identifiers import new_token
from okta_devorg.wire.ion import ION_CONTENT_TYPE
from okta_devorg.wire.replies import json_reply
from okta_devorg.wire.urls import is_loopback, origin_of

# Headers that every answer of the protocol has unless it says otherwise.
USUAL_HEADERS = {
    "Cache-Control": "no-cache, no-store",
    "Pragma": "no-cache",
    "Expires": "0",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Accept-CH": "Sec-CH-UA-Platform-Version",
}
# Faults of these kinds drop the connection without an answer.
UNANSWERED_FAULTS = ("timeout", "reset", "after")


def before_request(org: Org) -> Response | None:
    """Return the answer if the request must not reach its view, else None.

    Pages and control API are for this machine only. Calls of the protocol may be preflights, be over a limit of the
    org, or be hit by a fault.

    :raises ApiError: 403, if another machine or site requests a page or the control API, or, unless the org is public,
        if the name in `Host` or the page that calls is another machine's.
    """
    g.started, g.request_id, g.thread = time.perf_counter(), new_token(size=18), ""
    g.fault, g.rate_limits, g.body = None, [], b""
    g.body = request.get_data()
    if not org.is_public:
        require_known_caller(request, partial(_trusted_origins, org))
    if is_local(request.path):
        require_local_caller(request)
        return None
    if request.method == "OPTIONS":
        return Response(status=204)
    with org.lock:
        org.in_flight.add(g.request_id)
        g.closing = org.closing
        refusal = _refusal_over_limits(org)
        g.fault = None if refusal else org.faults.take(request.path)
    if refusal:
        return refusal
    return reply_instead(g.fault, request, g.closing) if g.fault else None


def after_request(org: Org, reply: Response) -> Response:
    """Return the answer with the headers of the protocol, spoiled if a fault says so; log the call, save the users."""
    if is_local(request.path):
        reply.headers.setdefault("X-Content-Type-Options", "nosniff")
        return reply
    has = {name.lower() for name, _ in reply.headers}
    reply.headers.extend(
        {
            "X-Okta-Request-Id": g.request_id,
            **rate_limit_headers(org.clock, g.rate_limits, reply.status_code == 429),
            **{name: value for name, value in USUAL_HEADERS.items() if name.lower() not in has},
        }
    )
    _allow_origin(org, reply)
    if request.method != "OPTIONS":
        with org.lock:
            _log_call(org, reply)
            org.users.save()
    answer = spoiled_reply(g.fault, request, reply, org.base, g.closing) if g.fault else reply
    # A streamed answer takes time; the call is over when it is written. Others are over now, before the client can
    # make its next call.
    if answer.is_streamed:
        answer.call_on_close(partial(_end_call, org, g.request_id))
    else:
        _end_call(org, g.request_id)
    return answer


def _trusted_origins(org: Org) -> set[str]:
    """Return the origins beside this machine's whose pages may call: those of the settings, and those of the apps."""
    uris = (uri for app in org.own_policy.apps for uri in app.redirect_uris)
    return {*org.own_policy.trusted_origins, *map(origin_of, uris)}


def _end_call(org: Org, request_id: str) -> None:
    with org.lock:
        org.in_flight.discard(request_id)


def _refusal_over_limits(org: Org) -> Response | None:
    """Return the refusal if the whole org has too many calls a minute or at once, else count the call."""
    limits = org.policy.limits
    is_crowded = bool(limits.concurrent) and len(org.in_flight) > limits.concurrent
    if is_crowded:
        g.rate_limits.append(RateLimitStatus(0, 0, org.clock.now()))
    elif not org.counters.exceeds("org:" + path_group(request.path), limits.org_per_minute, 60):
        return None
    if request.path.startswith("/idp/idx/") and limits.idx_body != "classic":
        return json_reply(messages_only(too_many_requests()), 429, ION_CONTENT_TYPE)
    return api_error_reply(rate_limited())


def _allow_origin(org: Org, reply: Response) -> None:
    """Add CORS headers, also to errors: without them the Sign-In Widget reports a wrong code as a network error."""
    reply.vary.add("Origin")
    origin = request.headers.get("Origin", "")
    trusted_origins = org.policy.trusted_origins
    is_trusted = origin in trusted_origins if trusted_origins else is_loopback(host_of(origin))
    if not is_trusted:
        return
    reply.headers["Access-Control-Allow-Origin"] = origin
    reply.headers["Access-Control-Allow-Credentials"] = "true"
    reply.headers["Access-Control-Expose-Headers"] = "dpop-nonce, www-authenticate"
    if request.method == "OPTIONS":
        reply.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        reply.headers["Access-Control-Allow-Headers"] = (
            "content-type, accept, accept-language, authorization, dpop, x-okta-user-agent-extended, x-device-token"
        )
        reply.headers["Access-Control-Max-Age"] = "600"


def _log_call(org: Org, reply: Response) -> None:
    fault = g.fault.kind if g.fault else None
    is_readable = not reply.is_streamed and fault != "malformed"
    call = Call(
        method=request.method,
        path=redacted_path(request.path, leads_somewhere=request.url_rule is not None),
        status=None if fault in UNANSWERED_FAULTS else reply.status_code,
        headers=redacted_headers(dict(request.headers)),
        query=redacted(request.args.to_dict()),
        body=redacted_body(g.body, request.content_type or ""),
        at=org.clock.now(),
        milliseconds=round((time.perf_counter() - g.started) * 1000, 2),
        request_id=g.request_id,
        fault=fault,
        summary=summarize_answer(reply.get_data(), reply.content_type or "") if is_readable else {},
        thread=g.thread,
    )
    org.calls.calls.append(call)
