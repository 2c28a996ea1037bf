"""The answers of calls that a fault hits, with a table of those that are sent instead of handling the call."""

import socket
import struct
from collections.abc import Iterator
from threading import Event

from flask import Request, Response

from okta_devorg.state.faults import AFTER_THE_WORK, Fault
from okta_devorg.wire.errors import ApiError, rate_limited
from okta_devorg.wire.ion import ION_CONTENT_TYPE
from okta_devorg.wire.replies import json_reply

FOREIGN_ORIGIN = "https://foreign.example"
PIECE_SIZE = 1 << 16
DRIP_SIZE = 16


def reply_instead(fault: Fault, request: Request, closing: Event) -> Response | None:
    """Return the answer to send instead of handling the request, None if the fault comes after that.

    `closing` ends a delay early.
    """
    if fault.kind in AFTER_THE_WORK:
        return None
    if fault.kind in ("timeout", "reset"):
        return _dropped_connection(request, closing, fault.seconds if fault.kind == "timeout" else 0.0)
    reply = REPLIES[fault.kind](fault)
    reply.headers.update(fault.headers)
    return reply


def spoiled_reply(fault: Fault, request: Request, reply: Response, base: str, closing: Event) -> Response:
    """Return the answer to a handled request, spoiled by the fault. `base` is the org's own URL."""
    if fault.kind not in AFTER_THE_WORK:
        return reply
    if fault.kind == "after":
        return _dropped_connection(request, closing, 0.0)
    body = reply.get_data()
    if fault.kind == "foreign-href":
        reply.set_data(body.replace(base.encode(), (fault.location or FOREIGN_ORIGIN).encode()))
    else:
        reply.response = _truncated(body) if fault.kind == "truncate" else _dripping(body, fault.seconds, closing)
        reply.headers["Content-Length"] = str(len(body))
    reply.headers.update(fault.headers)
    return reply


# ---- answers instead of handling the request


def _status_reply(fault: Fault) -> Response:
    is_rate_limit = fault.status == 429
    error = rate_limited() if is_rate_limit else ApiError(fault.status or 503, "E0000009", "Internal Server Error")
    return json_reply(error.body(), error.status)


def _html_reply(fault: Fault) -> Response:
    page = "<!doctype html><title>Down</title><h1>We will be back soon</h1>"
    return Response(page, fault.status or 200, content_type="text/html")


def _empty_reply(fault: Fault) -> Response:
    return Response(b"", fault.status or 200, content_type=ION_CONTENT_TYPE)


def _malformed_reply(fault: Fault) -> Response:
    body = b'{"version":"1.0.0","remediation":{"value":['
    return Response(body, fault.status or 200, content_type=ION_CONTENT_TYPE)


def _redirect_reply(fault: Fault) -> Response:
    reply = json_reply({}, fault.status or 302)
    reply.headers["Location"] = fault.location or FOREIGN_ORIGIN + "/elsewhere"
    reply.autocorrect_location_header = False
    return reply


def _huge_reply(fault: Fault) -> Response:
    """Return a JSON text of `bytes` bytes, sent piece by piece."""
    head, tail = b'{"version":"', b'"}'
    shortest = len(head + tail)

    def pieces() -> Iterator[bytes]:
        yield head
        left = fault.bytes - shortest
        while left > 0:
            yield b"x" * min(PIECE_SIZE, left)
            left -= PIECE_SIZE
        yield tail

    headers = {"Content-Length": str(max(fault.bytes, shortest))}
    return Response(pieces(), fault.status or 200, headers, content_type=ION_CONTENT_TYPE)


REPLIES = {
    "status": _status_reply,
    "html": _html_reply,
    "empty": _empty_reply,
    "malformed": _malformed_reply,
    "redirect": _redirect_reply,
    "huge": _huge_reply,
}

# ---- broken connections


def _dropped_connection(request: Request, closing: Event, seconds: float) -> Response:
    """Return no answer at all: after so many seconds of silence the connection is reset."""
    connection: socket.socket = request.environ["werkzeug.socket"]

    def silence() -> Iterator[bytes]:
        closing.wait(seconds)
        # Closing a socket that does not linger resets the connection.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        yield from _hang_up()

    return Response(silence())


def _truncated(body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    yield from _hang_up()


def _dripping(body: bytes, seconds: float, closing: Event) -> Iterator[bytes]:
    for start in range(0, len(body), DRIP_SIZE):
        yield body[start : start + DRIP_SIZE]
        closing.wait(seconds * DRIP_SIZE / len(body))


def _hang_up() -> Iterator[bytes]:
    """End a body with an error, at which the server closes the connection."""
    raise ConnectionAbortedError
