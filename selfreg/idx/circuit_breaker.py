"""A circuit breaker with a limit on concurrent calls: an org that is down, or hangs, must not hold every worker.

Our own code, because the circuit breakers for Python either hold a lock during the whole call, which would serialize
all threads, or count failures without a time window.
"""

import time
from collections import deque
from threading import BoundedSemaphore, Lock

from selfreg.idx.errors import OrgUnreachable

# The breaker opens after FAILURES failures in a row within WITHIN_SECONDS.
FAILURES = 5
WITHIN_SECONDS = 10.0
# How long it stays open before one call is let through to try.
OPEN_SECONDS = 15.0
# How long a call waits while the limit is reached.
QUEUE_SECONDS = 1.0


class CircuitBreaker:
    """Refuses calls to an org that keeps failing. Safe to share between threads.

    It opens after ``FAILURES`` calls in a row failed within ``WITHIN_SECONDS``. Then one call is let through every
    ``OPEN_SECONDS``; the first that succeeds closes it.

    :param at_once: how many calls may run at the same time; another waits ``QUEUE_SECONDS`` for one of them to end
    """

    def __init__(self, at_once: int) -> None:
        self._slots = BoundedSemaphore(at_once)
        self._lock = Lock()
        self._failed_at: deque[float] = deque(maxlen=FAILURES)
        self._open_until = 0.0

    def enter(self) -> None:
        """Call it before each call to the org, and ``leave`` after it unless this raises.

        :raises OrgUnreachable: nothing may be sent now
        """
        with self._lock:
            now = time.monotonic()
            if now < self._open_until:
                raise OrgUnreachable(f"not asked: it failed {FAILURES} times in a row")
            if self._open_until:
                # This call is the trial; the others go on waiting for its outcome.
                self._open_until = now + OPEN_SECONDS
        if not self._slots.acquire(timeout=QUEUE_SECONDS):
            raise OrgUnreachable("not asked: too many calls under way")

    def leave(self, *, succeeded: bool) -> None:
        """Call it after each call to the org.

        :param succeeded: whether a JSON answer below HTTP 500 came back
        """
        self._slots.release()
        with self._lock:
            if succeeded:
                self._failed_at.clear()
                self._open_until = 0.0
                return
            now = time.monotonic()
            self._failed_at.append(now)
            if len(self._failed_at) == FAILURES and self._failed_at[0] > now - WITHIN_SECONDS:
                self._open_until = now + OPEN_SECONDS
