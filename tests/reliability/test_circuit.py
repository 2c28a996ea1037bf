"""The circuit breaker: an unreachable org is not called repeatedly, and a hanging org does not block every worker."""

import socket
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from selfreg.idx import circuit_breaker
from selfreg.idx.circuit_breaker import FAILURES, OPEN_SECONDS
from selfreg.idx.errors import AnswerLost, IdxError, MalformedAnswer, OrgUnreachable
from selfreg.idx.transport import Transport
from selfreg.secret import Secret
from support.hostile_server import Hostile, head, hostile, sends

GOOD = head(Content_Length=2) + b"{}"
DOWN = head(503, Content_Length=2) + b"{}"


def call(transport: Transport, server: Hostile, *, repeatable: bool = False) -> int:
    return transport.post(f"{server.address}/idp/idx/introspect", {}, Secret("{}"), repeatable=repeatable).status


def fail(transport: Transport, server: Hostile, times: int) -> None:
    for _ in range(times):
        try:
            assert call(transport, server) >= 500
        except IdxError:
            continue


@pytest.fixture
def advance_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock of the circuit breaker forward."""
    offset, real = [0.0], time.monotonic

    def advance(seconds: float) -> None:
        offset[0] += seconds

    monkeypatch.setattr(circuit_breaker, "time", SimpleNamespace(monotonic=lambda: real() + offset[0]))
    return advance


@pytest.mark.parametrize("answer", [b"", DOWN, head(Content_Length=9) + b"{}", head(200, Content_Length=2) + b"<>"])
def test_the_circuit_opens_after_five_consecutive_failures(answer: bytes) -> None:
    with hostile(sends(answer)) as server:
        transport = Transport(server.address)
        fail(transport, server, FAILURES)
        with pytest.raises(OrgUnreachable, match="not asked"):
            call(transport, server)
        assert len(server.requests) == FAILURES
        transport.session.close()


def test_failures_between_successes_do_not_open_the_circuit() -> None:
    answers = iter([DOWN, DOWN, DOWN, DOWN, GOOD] * 4)
    with hostile(lambda connection: connection.sendall(next(answers))) as server:
        transport = Transport(server.address)
        statuses = [call(transport, server) for _ in range(20)]
        transport.session.close()
    assert statuses == [503, 503, 503, 503, 200] * 4


def test_infrequent_failures_do_not_open_the_circuit(advance_clock: Callable[[float], None]) -> None:
    with hostile(sends(DOWN)) as server:
        transport = Transport(server.address)
        for _ in range(2 * FAILURES):
            assert call(transport, server) == 503
            advance_clock(3)
        transport.session.close()


def test_one_successful_trial_call_closes_the_circuit(advance_clock: Callable[[float], None]) -> None:
    answers = [DOWN] * (FAILURES + 1) + [GOOD] * 9
    with hostile(lambda connection: connection.sendall(answers.pop(0))) as server:
        transport = Transport(server.address)
        fail(transport, server, FAILURES)
        advance_clock(OPEN_SECONDS + 1)
        assert call(transport, server) == 503
        with pytest.raises(OrgUnreachable):
            call(transport, server)
        advance_clock(OPEN_SECONDS + 1)
        assert [call(transport, server) for _ in range(3)] == [200, 200, 200]
        transport.session.close()


def test_calls_beyond_the_concurrency_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit_breaker, "QUEUE_SECONDS", 0.0)
    arrived, release = threading.Event(), threading.Event()

    def hang(connection: socket.socket) -> None:
        arrived.set()
        release.wait(10)
        connection.sendall(GOOD)

    with hostile(hang) as server:
        transport, statuses = Transport(server.address, at_once=1), []
        first = threading.Thread(target=lambda: statuses.append(call(transport, server)))
        first.start()
        assert arrived.wait(10)
        with pytest.raises(OrgUnreachable, match="under way"):
            call(transport, server)
        release.set()
        first.join(10)
        transport.session.close()
    assert statuses == [200]


def test_a_queued_call_waits_while_other_calls_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Together the calls take longer than the limit for a queue without progress."""
    monkeypatch.setattr(circuit_breaker, "QUEUE_SECONDS", 1.5)
    monkeypatch.setattr(circuit_breaker, "LONGEST_QUEUE_SECONDS", 60.0)
    never = threading.Event()

    def answer_slowly(connection: socket.socket) -> None:
        never.wait(0.2)
        connection.sendall(GOOD)

    with hostile(answer_slowly) as server:
        transport, statuses = Transport(server.address, at_once=1), list[int]()
        threads = [threading.Thread(target=lambda: statuses.append(call(transport, server))) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        transport.session.close()
    assert statuses == [200] * 12


def test_a_repeatable_call_is_retried_after_a_lost_answer() -> None:
    answers = [b"", GOOD]
    with hostile(lambda connection: connection.sendall(answers.pop(0))) as server:
        transport = Transport(server.address)
        assert call(transport, server, repeatable=True) == 200
        transport.session.close()


def test_a_call_that_may_change_something_is_not_retried() -> None:
    with hostile(sends(b"")) as server:
        transport = Transport(server.address)
        with pytest.raises(AnswerLost):
            call(transport, server)
        transport.session.close()
        assert len(server.requests) == 1


def test_a_keep_alive_connection_closed_by_the_server_is_replaced() -> None:
    keep_open = GOOD.replace(b"Connection: close\r\n", b"")
    with hostile(sends(keep_open)) as server:
        transport = Transport(server.address)
        for _ in range(5):
            assert call(transport, server) == 200
            assert server.closed.acquire(timeout=60)
        transport.session.close()


def test_an_answer_with_a_duplicate_key_is_malformed() -> None:
    body = b'{"version": "1", "version": "2"}'
    with hostile(sends(head(Content_Length=len(body)) + body)) as server:
        transport = Transport(server.address)
        with pytest.raises(MalformedAnswer):
            call(transport, server)
        transport.session.close()
