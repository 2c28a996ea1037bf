"""Ends a browser test that hangs, with the stack of the call that hung.

Playwright waits thirty seconds for a page or an element, but without end for the answer to most other calls: a new
page, a script, a count, a close.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

# Of one phase of a test: set-up, call or tear-down. On a busy machine the slowest takes half as long.
SECONDS, SECONDS_IF_SLOW = 150, 600


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Interrupts the main thread.

    :raises TimeoutError: the block took longer
    """

    def stop(number: int, frame: Any) -> None:
        raise TimeoutError(f"no end after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _limited(item: pytest.Item) -> Iterator[Any]:
    if not item.get_closest_marker("browser"):
        return (yield)
    is_slow = item.get_closest_marker("slow") or item.get_closest_marker("nightly")
    with within(SECONDS_IF_SLOW if is_slow else SECONDS):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[Any]:
    return (yield from _limited(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[Any]:
    return (yield from _limited(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[Any]:
    return (yield from _limited(item))
