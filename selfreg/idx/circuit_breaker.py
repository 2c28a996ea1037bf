"""A circuit breaker with a cap on calls under way: an org that is away, or hangs, must not hold every worker.

Own code, because the breakers for Python either lock around the whole call, which would put all threads in a queue,
or count failures without a window of time.
"""

import time
from collections import deque
from threading import BoundedSemaphore, Lock

from selfreg.idx.errors import OrgUnreachable

FAILURES = 5
WITHIN_SECONDS = 10.0
OPEN_SECONDS = 15.0
QUEUE_SECONDS = 1.0


class Circuit:
    """Opens after ``FAILURES`` calls in a row failed within ``WITHIN_SECONDS``; then one call is let through every
    ``OPEN_SECONDS``, and the first that succeeds closes it. Safe to share between threads.

    :param at_once: most calls under way; one more waits ``QUEUE_SECONDS`` for its turn
    """

    def __init__(self, at_once: int) -> None:
        self._turns = BoundedSemaphore(at_once)
        self._lock = Lock()
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._closed_at = 0.0

    def enter(self) -> None:
        """Before a call. ``leave`` must follow, unless this raises.

        :raises OrgUnreachable: nothing is to be sent now
        """
        with self._lock:
            now = time.monotonic()
            if now < self._closed_at:
                raise OrgUnreachable(f"not asked: it failed {FAILURES} times in a row")
            if self._closed_at:
                self._closed_at = now + OPEN_SECONDS
        if not self._turns.acquire(timeout=QUEUE_SECONDS):
            raise OrgUnreachable("not asked: too many calls under way")

    def leave(self, *, fine: bool) -> None:
        """After a call that the org answered (``fine``) or not."""
        self._turns.release()
        with self._lock:
            if fine:
                self._failures.clear()
                self._closed_at = 0.0
                return
            now = time.monotonic()
            self._failures.append(now)
            if len(self._failures) == FAILURES and self._failures[0] > now - WITHIN_SECONDS:
                self._closed_at = now + OPEN_SECONDS
