"""Servers between a site and its org: a TLS terminator and an HTTP proxy."""

import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

HOST = "127.0.0.1"
Handler = Callable[[socket.socket], None]


@contextmanager
def serving(handle: Handler) -> Iterator[int]:
    """Runs ``handle`` for each connection in its own thread. Yields the port."""
    with socket.create_server((HOST, 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=closing_handler, args=(connection,), daemon=True).start()

        def closing_handler(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                handle(connection)

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def pump(one: socket.socket, other: socket.socket) -> None:
    """Copies in both directions until one side ends."""

    def copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=copy, args=(other, one), daemon=True)
    back.start()
    copy(one, other)
    back.join()


@contextmanager
def tls_in_front(context: ssl.SSLContext, port: int) -> Iterator[int]:
    """Terminates TLS and forwards to a port of this machine."""

    def handle(connection: socket.socket) -> None:
        with (
            context.wrap_socket(connection, server_side=True) as opened,
            socket.create_connection((HOST, port)) as inner,
        ):
            pump(opened, inner)

    with serving(handle) as own:
        yield own


class Proxy:
    """An HTTP proxy for CONNECT with a password. It forwards every host to one port of this machine."""

    def __init__(self, target: int, user: str, password: str) -> None:
        self.target, self.hosts = target, list[str]()
        self.expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def handle(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(4096)
            if not piece:
                return
            head += piece
        first, *lines = head.decode("latin-1").split("\r\n")
        if f"Proxy-Authorization: {self.expected}" not in lines:
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        self.hosts.append(first.split()[1])
        with socket.create_connection((HOST, self.target)) as onward:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            pump(connection, onward)
