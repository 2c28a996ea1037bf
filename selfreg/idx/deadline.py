"""Total deadlines for a connection and for an answer: ``requests`` bounds each step only, and a server that drips, a
name with many addresses or a resolver that hangs never end.
"""

import io
import math
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from http.client import HTTPResponse
from ipaddress import ip_address
from queue import Empty, Queue
from threading import Thread
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family, create_connection

_over_at: ContextVar[float] = ContextVar("over_at", default=math.inf)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Bounds all calls made within together: three slow answers must not add up."""
    outer = _over_at.set(min(_over_at.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _over_at.reset(outer)


def time_left(seconds: float) -> float:
    """What a surrounding ``at_most`` leaves of ``seconds``; zero or less when nothing."""
    return min(seconds, _over_at.get() - time.monotonic())


class DeadlineAdapter(HTTPAdapter):
    """Gives up an answer, headers included, ``seconds`` after its request was sent."""

    def __init__(self, seconds: float, **options: Any) -> None:
        self.seconds = seconds
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _pool(HTTPConnectionPool, HTTPConnection, self.seconds),
            "https": _pool(HTTPSConnectionPool, HTTPSConnection, self.seconds),
        }


class _Reader(io.RawIOBase):
    """The socket's own reader, whose timeout shrinks as the deadline comes nearer."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, until: float) -> None:
        self.raw, self.sock, self.until = raw, sock, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("total deadline")
        each = self.sock.gettimeout()
        self.sock.settimeout(left if each is None else min(each, left))
        return self.raw.readinto(buffer)

    def close(self) -> None:
        self.raw.close()
        super().close()


class _Connecting:
    """Mixed into a connection of urllib3: its timeout covers the name, every address of it, and the handshake, and
    whatever fails by then has sent nothing.
    """

    host: str
    port: int
    sock: socket.socket
    timeout: float
    socket_options: Any
    _dns_host: str

    def connect(self) -> None:
        self.until = time.monotonic() + self.timeout
        try:
            super().connect()  # type: ignore[misc]
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "the handshake took too long") from error
        except ssl.SSLError:
            raise
        except OSError as error:
            raise NewConnectionError(self, "no handshake") from error  # type: ignore[arg-type]
        self.sock.settimeout(self.timeout)

    def _new_conn(self) -> socket.socket:
        try:
            addresses = _addresses(self._dns_host.strip("[]"), self.timeout)
            return self._first_of(addresses)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no connection in time") from error
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error  # type: ignore[arg-type]

    def _first_of(self, addresses: list[str]) -> socket.socket:
        """The first that takes a connection; one that says nothing leaves the others their share of the time."""
        for number, address in enumerate(addresses):
            share = (self.until - time.monotonic()) / (len(addresses) - number)
            try:
                sock = create_connection((address, self.port), max(share, 0.001), socket_options=self.socket_options)
            except OSError:
                if number == len(addresses) - 1:
                    raise
            else:
                sock.settimeout(max(self.until - time.monotonic(), 0.001))
                return sock
        raise socket.gaierror("a name without an address")


def _addresses(host: str, seconds: float) -> list[str]:
    """Looked up in a thread of its own: a resolver that hangs keeps the thread, not the visitor.

    :raises TimeoutError: it did not answer
    :raises socket.gaierror: no such name
    """
    with suppress(ValueError):
        return [str(ip_address(host))]
    answer: Queue[list[Any] | socket.gaierror] = Queue()

    def look() -> None:
        try:
            answer.put(socket.getaddrinfo(host, None, allowed_gai_family(), socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer.put(error if isinstance(error, socket.gaierror) else socket.gaierror(str(error)))

    Thread(target=look, name="selfreg-resolver", daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except Empty as error:
        raise TimeoutError("the name was not looked up in time") from error
    if isinstance(found, socket.gaierror):
        raise found
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _pool(pool: Any, connection: Any, seconds: float) -> Any:
    """The pool class whose connections read their answers through ``_Reader``."""

    class Response(HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
            super().__init__(sock, *args, **options)
            self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock, time.monotonic() + time_left(seconds)))

    bounded = type(connection.__name__, (_Connecting, connection), {"response_class": Response})
    return type(pool.__name__, (pool,), {"ConnectionCls": bounded})
