"""Deadlines for whole HTTP calls.

``requests`` limits single steps (one address, one read from the socket) but never a whole call: a resolver that hangs,
or a server that sends one byte at a time, could block the caller forever.

A call runs in its caller's thread. One watching thread, shared by all calls of the process, shuts down the socket of a
call at its deadline, and the call ends at once. Only a name lookup can't be interrupted. So a new connection is made in
a thread of its own, and the caller waits for it no longer than its limit. Connections are kept alive, so few calls need
a new one. The thread of a lookup that hangs ends when the resolver gives up, and closes the unused connection.
"""

import math
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Condition, Lock, Thread
from typing import Any, Generic, TypeVar

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError

Result = TypeVar("Result")

_shared_deadline: ContextVar[float] = ContextVar("shared_deadline", default=math.inf)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Limit the total time of all calls inside the ``with`` block, so that several slow answers can't add up.

    The earlier deadline of an outer block stays in force.
    """
    outer = _shared_deadline.set(min(_shared_deadline.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _shared_deadline.reset(outer)


def time_left(seconds: float) -> float:
    """Return how many of these seconds the surrounding ``at_most`` blocks leave; zero or less if none."""
    return min(seconds, _shared_deadline.get() - time.monotonic())


@dataclass(eq=False)
class Call(Generic[Result]):
    """One HTTP call within a deadline.

    ``is_connecting`` is true as soon as it opens a new connection, ``is_sending`` as soon as its request may be sent.

    :param work: makes the call, with a session whose adapter is a ``DeadlineAdapter``
    """

    work: Callable[[], Result]
    is_connecting: bool = False
    is_sending: bool = False
    ends_at: float = math.inf
    _connect_seconds: float = math.inf
    _socket: socket.socket | None = None
    _is_broken_off: bool = False

    def run(self, connect_seconds: float, seconds: float) -> Result:
        """Return the result of the work. Raises what the work raises.

        :param connect_seconds: limit for a new connection: name lookup, all addresses and TLS handshake together
        :param seconds: limit for the whole call, unless the surrounding ``at_most`` blocks leave less
        :raises TimeoutError: the work wasn't done in time; if ``is_sending`` is false, nothing was or will be sent
        """
        seconds = time_left(seconds)
        if seconds <= 0:
            raise TimeoutError("the calls before this one took too long")
        self.ends_at, self._connect_seconds = time.monotonic() + seconds, connect_seconds
        outer = _current_call.set(self)
        try:
            return self.work()
        except Exception as error:
            if self._is_broken_off:
                raise TimeoutError("no answer before the deadline") from error
            raise
        finally:
            _current_call.reset(outer)
            _watch.end(self)
            self._socket = None

    def connect(self, connection: HTTPConnection, connect: Callable[[], None]) -> None:
        """Open a connection for this call, in a thread of its own.

        :param connect: opens it
        :raises ConnectTimeoutError: it wasn't open in time
        """
        self.is_connecting = True
        made: Future[None] = Future()
        seconds = max(0, min(self._connect_seconds, self.ends_at - time.monotonic()))
        Thread(target=_fulfil, args=(made, connect), name="selfreg-connect", daemon=True).start()
        if not wait([made], seconds).done:
            made.add_done_callback(lambda _made: connection.close())
            raise ConnectTimeoutError(connection, "no connection in time")
        made.result()

    def sends(self, connection: HTTPConnection) -> None:
        """Note that the request is about to be sent.

        :raises ConnectTimeoutError: the deadline has passed
        """
        if time.monotonic() >= self.ends_at:
            raise ConnectTimeoutError(connection, "no time left to send")
        self._socket, self.is_sending = connection.sock, True
        _watch.begin(self)

    def break_off(self) -> None:
        """End the call, from another thread."""
        self._is_broken_off = True
        if (line := self._socket) is not None:
            with suppress(OSError):
                # The method of a plain socket: that of a TLS socket changes state which the other thread is using.
                socket.socket.shutdown(line, socket.SHUT_RDWR)


_current_call: ContextVar[Call[Any] | None] = ContextVar("current_call", default=None)


def _fulfil(made: Future[None], connect: Callable[[], None]) -> None:
    try:
        connect()
    except BaseException as error:  # noqa: BLE001 (raised again in the caller's thread)
        made.set_exception(error)
    else:
        made.set_result(None)


class _Watch:
    """The thread that ends this process's calls at their deadlines. The first call starts it."""

    def __init__(self) -> None:
        self._changed = Condition(Lock())
        self._calls: set[Call[Any]] = set()
        self._wakes_at = math.inf
        self._thread: Thread | None = None

    def begin(self, call: Call[Any]) -> None:
        """Watch a call until ``end``."""
        with self._changed:
            self._calls.add(call)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="deadlines-of-calls", daemon=True)
                self._thread.start()
            elif call.ends_at < self._wakes_at:
                self._changed.notify()

    def end(self, call: Call[Any]) -> None:
        """Stop watching a call. Does nothing if it was never watched."""
        with self._changed:
            self._calls.discard(call)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                late = [call for call in self._calls if call.ends_at <= now]
                for call in late:
                    call.break_off()
                self._calls.difference_update(late)
                self._wakes_at = min((call.ends_at for call in self._calls), default=math.inf)
                self._changed.wait(None if self._wakes_at == math.inf else self._wakes_at - now)


_watch = _Watch()


def _watch_anew() -> None:
    """Start a new watch in a forked process, which has no threads."""
    global _watch
    _watch = _Watch()


os.register_at_fork(after_in_child=_watch_anew)


class _ReportingConnection(HTTPConnection):
    """A connection that reports to its ``Call``."""

    def connect(self) -> None:
        """Connect within the time limit of the call."""
        call = _current_call.get()
        call.connect(self, super().connect) if call else super().connect()

    def request(self, *args: Any, **options: Any) -> None:
        """Connect if necessary, report, then send the request."""
        if self.is_closed:
            self.connect()
        if call := _current_call.get():
            call.sends(self)
        super().request(*args, **options)


class _ReportingTLSConnection(_ReportingConnection, HTTPSConnection):
    """The same for TLS."""


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _ReportingConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _ReportingTLSConnection


POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


class DeadlineAdapter(HTTPAdapter):
    """An adapter whose connections report to the ``Call`` that they are used for."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools use reporting connections."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Make the pools behind a proxy use reporting connections, too."""
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = POOLS
        return manager
