"""A misbehaving server on a real socket."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Semaphore, Thread

Behaviour = Callable[[socket.socket], None]


class Hostile:
    def __init__(self, address: str) -> None:
        self.address = address
        self.requests: list[bytes] = []
        self.closed = Semaphore(0)
        """Released for each connection that the server has closed."""


@contextmanager
def hostile(behave: Behaviour, read: Callable[[socket.socket], bytes] | None = None) -> Iterator[Hostile]:
    """A server that reads one request of each connection, calls `behave`, and closes the connection."""
    receive = read or read_request
    listener = socket.create_server(("127.0.0.1", 0))
    server = Hostile(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(10)
                server.requests.append(receive(connection))
                behave(connection)
            server.closed.release()

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def read_request(connection: socket.socket) -> bytes:
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = connection.recv(65536)
        if not piece:
            return raw
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    lengths = [int(h.split(b":")[1]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length")]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def head(status: int = 200, **headers: object) -> bytes:
    values = {
        "Content-Type": "application/json",
        "Connection": "close",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{k}: {v}" for k, v in values.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def sends(*pieces: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return behave
