"""Faults on demand: how an org, or the network before it, can misbehave."""

import secrets
import socket
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from threading import Event
from typing import Any, Literal, get_args

from flask import Request, Response

from okta_devorg.policy.serialization import PolicyError, read
from okta_devorg.wire.ion import ION
from okta_devorg.wire.refusals import ApiError, rate_limited
from okta_devorg.wire.replies import json_reply

Kind = Literal[
    "status", "timeout", "slow", "reset", "truncate", "html", "empty", "malformed", "redirect", "huge",
    "foreign-href", "after",
]  # fmt: skip
KINDS = get_args(Kind)
# These do the work first and spoil the answer; the others answer instead of doing it.
SPOILING = ("slow", "truncate", "foreign-href", "after")
FOREIGN = "https://foreign.example"
PIECE = 1 << 16
RANDOM = secrets.SystemRandom()


@dataclass
class Fault:
    """`path`: a full path, the end of one, or `*`. `times`: how many calls it hits; `chance`: each with that
    probability, of 1.
    """

    kind: Kind
    path: str = "*"
    status: int | None = None
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 30.0
    bytes: int = 50_000_000
    location: str = ""
    chance: float = 1.0

    def hits(self, path: str) -> bool:
        meant = self.times > 0 and (self.path == "*" or path.endswith(self.path))
        return meant and (self.chance >= 1 or RANDOM.random() < self.chance)


class Faults:
    def __init__(self) -> None:
        self.pending: list[Fault] = []

    def take(self, path: str) -> Fault | None:
        """The first fault for this path, one time fewer left."""
        fault = next((item for item in self.pending if item.hits(path)), None)
        if fault:
            fault.times -= 1
            self.pending = [item for item in self.pending if item.times > 0]
        return fault

    def to_json(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self.pending]


TYPES: dict[str, Any] = {"kind": Kind, "path": str, "status": int, "times": int, "bytes": int, "location": str}
MOST = {"seconds": 3600, "chance": 1}


def fault_from_json(data: object) -> Fault:
    """Raises PolicyError naming the key that is wrong."""
    if not isinstance(data, dict) or "kind" not in data:
        raise PolicyError(f"a fault is an object with a kind: {', '.join(KINDS)}")
    for key, value in data.items():
        check_member(key, value)
    if not 200 <= data.get("status", 200) <= 599:
        raise PolicyError("status must be from 200 to 599")
    return Fault(**data)


def check_member(key: str, value: object) -> None:
    if key in TYPES:
        read(TYPES[key], value, key)
        if key == "location" and not is_header(value):
            raise PolicyError("location must be one line")
    elif key in MOST:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST[key]:
            raise PolicyError(f"{key} must be a number from 0 to {MOST[key]}")
    elif key == "headers":
        if not isinstance(value, dict) or not all(is_header(name) and is_header(item) for name, item in value.items()):
            raise PolicyError("headers must be an object of texts, each one line")
    else:
        raise PolicyError(f"unknown key {key}")


def is_header(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and value.isascii()


def replace(fault: Fault, request: Request, closing: Event) -> Response | None:
    """The answer instead of the work; None when the work is to be done."""
    if fault.kind in SPOILING:
        return None
    if fault.kind in ("timeout", "reset"):
        return dropped(request, closing, fault.seconds if fault.kind == "timeout" else 0.0)
    reply = REPLACEMENTS[fault.kind](fault)
    reply.headers.update(fault.headers)
    return reply


def status_reply(fault: Fault) -> Response:
    error = (
        rate_limited() if fault.status == 429 else ApiError(fault.status or 503, "E0000009", "Internal Server Error")
    )
    return json_reply(error.body(), error.status)


def html_reply(fault: Fault) -> Response:
    page = "<!doctype html><title>Down</title><h1>We will be back soon</h1>"
    return Response(page, fault.status or 200, content_type="text/html")


def empty_reply(fault: Fault) -> Response:
    return Response(b"", fault.status or 200, content_type=ION)


def malformed_reply(fault: Fault) -> Response:
    return Response(b'{"version":"1.0.0","remediation":{"value":[', fault.status or 200, content_type=ION)


def redirect_reply(fault: Fault) -> Response:
    reply = json_reply({}, fault.status or 302)
    reply.headers["Location"] = fault.location or FOREIGN + "/elsewhere"
    reply.autocorrect_location_header = False
    return reply


def huge_reply(fault: Fault) -> Response:
    """A JSON text of the length asked for, sent piece by piece."""

    def pieces() -> Iterator[bytes]:
        yield b'{"version":"'
        left = fault.bytes - 14
        while left > 0:
            yield b"x" * min(PIECE, left)
            left -= PIECE
        yield b'"}'

    return Response(pieces(), fault.status or 200, {"Content-Length": str(max(fault.bytes, 14))}, content_type=ION)


REPLACEMENTS = {
    "status": status_reply,
    "html": html_reply,
    "empty": empty_reply,
    "malformed": malformed_reply,
    "redirect": redirect_reply,
    "huge": huge_reply,
}


def spoil(fault: Fault, request: Request, reply: Response, base: str, closing: Event) -> Response:
    """The work is done; what becomes of its answer."""
    if fault.kind not in SPOILING:
        return reply
    if fault.kind == "after":
        return dropped(request, closing, 0.0)
    payload = reply.get_data()
    if fault.kind == "foreign-href":
        reply.set_data(payload.replace(base.encode(), (fault.location or FOREIGN).encode()))
    elif fault.kind == "truncate":
        reply.response = truncated(payload)
    else:
        reply.response = dripping(payload, fault.seconds, closing)
    if fault.kind != "foreign-href":
        reply.headers["Content-Length"] = str(len(payload))
    reply.headers.update(fault.headers)
    return reply


def truncated(payload: bytes) -> Iterator[bytes]:
    yield payload[: len(payload) // 2]
    yield from hang_up()


def dripping(payload: bytes, seconds: float, closing: Event) -> Iterator[bytes]:
    size = 16
    for start in range(0, len(payload), size):
        yield payload[start : start + size]
        closing.wait(seconds * size / len(payload))


def hang_up() -> Iterator[bytes]:
    """Raised while a body is sent, it makes the server close the connection there."""
    raise ConnectionAbortedError


def dropped(request: Request, closing: Event, seconds: float) -> Response:
    """No answer: the connection is reset, for `timeout` after a silence."""
    connection: socket.socket = request.environ["werkzeug.socket"]

    def silence() -> Iterator[bytes]:
        closing.wait(seconds)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        yield from hang_up()

    return Response(silence())
