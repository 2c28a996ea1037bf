"""A total deadline for one HTTP answer: ``requests`` bounds each read only, and a server that drips never ends."""

import io
import math
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

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


def _pool(pool: Any, connection: Any, seconds: float) -> Any:
    """The pool class whose connections read their answers through ``_Reader``."""

    class Response(HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
            super().__init__(sock, *args, **options)
            self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock, time.monotonic() + time_left(seconds)))

    bounded = type(connection.__name__, (connection,), {"response_class": Response})
    return type(pool.__name__, (pool,), {"ConnectionCls": bounded})
