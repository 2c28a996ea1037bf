"""Deadlines for whole HTTP calls.

``requests`` limits single steps (one address, one read from the socket), never a whole call: a resolver that hangs, or
a server that sends one byte at a time, would hold the caller for as long as it likes. So each call runs in a daemon
thread of its own, and the caller waits for it no longer than its deadline.

It is a thread for each call, not a ``ThreadPoolExecutor``: nothing has to be rebuilt after a fork, a name lookup that
hangs takes no place away from other calls, and no thread delays the end of the process. The price is less than a
millisecond for each call. How many run at once is limited by ``circuit_breaker``.

A thread that its caller gave up ends at once, because its socket is shut down. Only a name lookup cannot be
interrupted: it keeps the thread until the resolver gives up, and the request is not sent any more.
"""

import math
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Condition, Thread
from typing import Any, Generic, TypeVar

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError

Result = TypeVar("Result")

_shared_deadline: ContextVar[float] = ContextVar("shared_deadline", default=math.inf)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Limits all calls made inside the ``with`` block together, so that several slow answers cannot add up.

    An outer block that ends earlier stays in force.
    """
    outer = _shared_deadline.set(min(_shared_deadline.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _shared_deadline.reset(outer)


def time_left(seconds: float) -> float:
    """How many of these seconds the surrounding ``at_most`` blocks leave; zero or less when none is left."""
    return min(seconds, _shared_deadline.get() - time.monotonic())


class Call(Generic[Result]):
    """One HTTP call in a thread of its own.

    ``is_connecting`` is true once a new connection was begun for it, ``is_sending`` once its request may be on its way.

    :param work: makes the call with a session whose adapter is a ``DeadlineAdapter``
    """

    def __init__(self, work: Callable[[], Result]) -> None:
        self.is_connecting = False
        self.is_sending = False
        self._work = work
        self._changed = Condition()
        self._socket: socket.socket | None = None
        self._is_given_up = False
        self._results: list[Result] = []
        self._errors: list[BaseException] = []

    def run(self, connect_seconds: float, seconds: float) -> Result:
        """The result of the work. Raises what the work raises.

        :param connect_seconds: for a new connection: name lookup, every address and TLS handshake together
        :param seconds: for the whole call
        :raises TimeoutError: the work was not done in time; where ``is_sending`` is false, nothing was or will be sent
        """
        ends_at = time.monotonic() + seconds
        Thread(target=self._run_work, name="selfreg-call", daemon=True).start()
        with self._changed:
            try:
                self._changed.wait_for(lambda: self.is_sending or self._is_done(), min(connect_seconds, seconds))
                if self.is_sending:
                    self._changed.wait_for(self._is_done, ends_at - time.monotonic())
            finally:
                if not self._is_done():
                    self._give_up()
        if self._errors:
            raise self._errors.pop()
        if not self._results:
            raise TimeoutError("no answer before the deadline")
        return self._results[0]

    def connects(self) -> None:
        """A connection tells that it is about to be made."""
        self.is_connecting = True

    def sends(self, connection: HTTPConnection) -> None:
        """A connection tells that it is about to send the request.

        :raises ConnectTimeoutError: it must not, because the caller was told that nothing was sent
        """
        with self._changed:
            if self._is_given_up:
                raise ConnectTimeoutError(connection, "the caller gave up")
            self._socket, self.is_sending = connection.sock, True
            self._changed.notify_all()

    def _run_work(self) -> None:
        _current_call.set(self)
        try:
            result = self._work()
        except BaseException as error:  # noqa: BLE001 (``run`` raises it in the caller's thread)
            self._finish(self._errors, error)
        else:
            self._finish(self._results, result)

    def _finish(self, outcomes: list[Any], outcome: Any) -> None:
        with self._changed:
            outcomes.append(outcome)
            self._changed.notify_all()

    def _is_done(self) -> bool:
        return bool(self._results or self._errors)

    def _give_up(self) -> None:
        self._is_given_up = True
        if self._socket is not None:
            with suppress(OSError):
                # That of a plain socket: the method of a TLS socket changes state which the other thread is using.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_current_call: ContextVar[Call[Any] | None] = ContextVar("current_call", default=None)


class _ReportingHTTPConnection(HTTPConnection):
    """A connection that reports to the call it is used for."""

    def connect(self) -> None:
        """Reports, then connects."""
        _report_connecting()
        super().connect()

    def request(self, *args: Any, **options: Any) -> None:
        """Connects if necessary, reports, then sends the request."""
        _report_sending(self)
        super().request(*args, **options)


class _ReportingHTTPSConnection(HTTPSConnection):
    """The same for TLS."""

    def connect(self) -> None:
        """Reports, then connects."""
        _report_connecting()
        super().connect()

    def request(self, *args: Any, **options: Any) -> None:
        """Connects if necessary, reports, then sends the request."""
        _report_sending(self)
        super().request(*args, **options)


def _report_connecting() -> None:
    if call := _current_call.get():
        call.connects()


def _report_sending(connection: HTTPConnection) -> None:
    if connection.is_closed:
        connection.connect()
    if call := _current_call.get():
        call.sends(connection)


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _ReportingHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _ReportingHTTPSConnection


class DeadlineAdapter(HTTPAdapter):
    """Connections of this adapter report to the ``Call`` they are used for."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Has the pools make reporting connections."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
