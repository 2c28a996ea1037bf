"""An org that is away is not asked again and again, and one that hangs does not hold every worker. Real sockets."""

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


def call(wire: Transport, server: Hostile, *, repeatable: bool = False) -> int:
    return wire.post(f"{server.address}/idp/idx/introspect", {}, Secret("{}"), repeatable=repeatable).status


def fails(wire: Transport, server: Hostile, times: int) -> None:
    for _ in range(times):
        try:
            assert call(wire, server) >= 500
        except IdxError:
            continue


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the circuit's clock on."""
    passed, real = [0.0], time.monotonic

    def move(seconds: float) -> None:
        passed[0] += seconds

    monkeypatch.setattr(circuit_breaker, "time", SimpleNamespace(monotonic=lambda: real() + passed[0]))
    return move


@pytest.mark.parametrize("answer", [b"", DOWN, head(Content_Length=9) + b"{}", head(200, Content_Length=2) + b"<>"])
def test_after_five_failures_in_a_row_nothing_is_sent_any_more(answer: bytes) -> None:
    with hostile(sends(answer)) as server:
        wire = Transport(server.address)
        fails(wire, server, FAILURES)
        with pytest.raises(OrgUnreachable, match="not asked"):
            call(wire, server)
        assert len(server.requests) == FAILURES
        wire.session.close()


def test_failures_among_successes_do_not_open_it() -> None:
    answers = iter([DOWN, DOWN, DOWN, DOWN, GOOD] * 4)
    with hostile(lambda connection: connection.sendall(next(answers))) as server:
        wire = Transport(server.address)
        statuses = [call(wire, server) for _ in range(20)]
        wire.session.close()
    assert statuses == [503, 503, 503, 503, 200] * 4


def test_failures_far_apart_do_not_open_it(later: Callable[[float], None]) -> None:
    with hostile(sends(DOWN)) as server:
        wire = Transport(server.address)
        for _ in range(2 * FAILURES):
            assert call(wire, server) == 503
            later(3)
        wire.session.close()


def test_later_one_call_is_let_through_and_its_success_closes_it(later: Callable[[float], None]) -> None:
    answers = [DOWN] * (FAILURES + 1) + [GOOD] * 9
    with hostile(lambda connection: connection.sendall(answers.pop(0))) as server:
        wire = Transport(server.address)
        fails(wire, server, FAILURES)
        later(OPEN_SECONDS + 1)
        assert call(wire, server) == 503
        with pytest.raises(OrgUnreachable):
            call(wire, server)
        later(OPEN_SECONDS + 1)
        assert [call(wire, server) for _ in range(3)] == [200, 200, 200]
        wire.session.close()


def test_more_calls_at_once_than_allowed_are_refused_and_the_others_end_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit_breaker, "QUEUE_SECONDS", 0.0)
    arrived, answer_now = threading.Event(), threading.Event()

    def hang(connection: socket.socket) -> None:
        arrived.set()
        answer_now.wait(10)
        connection.sendall(GOOD)

    with hostile(hang) as server:
        wire, statuses = Transport(server.address, at_once=1), []
        first = threading.Thread(target=lambda: statuses.append(call(wire, server)))
        first.start()
        assert arrived.wait(10)
        with pytest.raises(OrgUnreachable, match="under way"):
            call(wire, server)
        answer_now.set()
        first.join(10)
        wire.session.close()
    assert statuses == [200]


def test_a_call_waits_for_its_turn_as_long_as_the_org_answers_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them together take longer than the queue may stand still."""
    monkeypatch.setattr(circuit_breaker, "QUEUE_SECONDS", 1.5)
    monkeypatch.setattr(circuit_breaker, "LONGEST_QUEUE_SECONDS", 60.0)
    never = threading.Event()

    def answers_slowly(connection: socket.socket) -> None:
        never.wait(0.2)
        connection.sendall(GOOD)

    with hostile(answers_slowly) as server:
        wire, statuses = Transport(server.address, at_once=1), list[int]()
        threads = [threading.Thread(target=lambda: statuses.append(call(wire, server))) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        wire.session.close()
    assert statuses == [200] * 12


def test_what_changes_nothing_is_asked_once_more_after_a_lost_answer() -> None:
    answers = [b"", GOOD]
    with hostile(lambda connection: connection.sendall(answers.pop(0))) as server:
        wire = Transport(server.address)
        assert call(wire, server, repeatable=True) == 200
        wire.session.close()


def test_what_may_have_changed_something_is_never_sent_twice() -> None:
    with hostile(sends(b"")) as server:
        wire = Transport(server.address)
        with pytest.raises(AnswerLost):
            call(wire, server)
        wire.session.close()
        assert len(server.requests) == 1


def test_a_kept_connection_that_the_server_closed_meanwhile_costs_nobody_an_error() -> None:
    keep_open = GOOD.replace(b"Connection: close\r\n", b"")
    with hostile(sends(keep_open)) as server:
        wire = Transport(server.address)
        for _time in range(5):
            assert call(wire, server) == 200
            assert server.closed.acquire(timeout=10)
        wire.session.close()


def test_a_name_that_comes_twice_is_no_answer() -> None:
    body = b'{"version": "1", "version": "2"}'
    with hostile(sends(head(Content_Length=len(body)) + body)) as server:
        wire = Transport(server.address)
        with pytest.raises(MalformedAnswer):
            call(wire, server)
        wire.session.close()
