"""A circuit breaker with a limit on concurrent calls: an org that is down or hangs must not block every worker.

Our own code, because the circuit breakers for Python either hold a lock during the whole call, which would serialize
all threads, or count failures without a time window.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from threading import BoundedSemaphore, Lock

from selfreg.idx.errors import OrgUnreachable

# The breaker opens after FAILURES failures in a row within WITHIN_SECONDS.
FAILURES = 5
WITHIN_SECONDS = 10.0
# How long it stays open before it lets one trial call through.
OPEN_SECONDS = 15.0
# How long a call waits while the limit is reached and no other call ends. As long as the org answers, calls wait for
# their turn, but no longer than LONGEST_QUEUE_SECONDS.
QUEUE_SECONDS = 1.0
LONGEST_QUEUE_SECONDS = 5.0


class CircuitBreaker:
    """Refuses calls to an org that keeps failing. Safe to share between threads.

    It opens after ``FAILURES`` calls in a row failed within ``WITHIN_SECONDS``. Then one call is let through every
    ``OPEN_SECONDS``; the first that succeeds closes it.

    :param at_once: how many calls may run at the same time; another waits for one of them to end
    :param on_change: called with whether it is open, when that changes
    """

    def __init__(self, at_once: int, on_change: Callable[[bool], None] = lambda is_open: None) -> None:
        self._on_change = on_change
        self._slots = BoundedSemaphore(at_once)
        self._lock = Lock()
        self._failed_at: deque[float] = deque(maxlen=FAILURES)
        self._open_until = 0.0
        self._last_ended_at = -math.inf

    @property
    def is_open(self) -> bool:
        """Whether calls are refused, apart from trials."""
        return self._open_until > 0

    def enter(self) -> None:
        """Call it before each call to the org, and ``leave`` after it unless this raises.

        :raises OrgUnreachable: nothing may be sent now
        """
        with self._lock:
            now = time.monotonic()
            if now < self._open_until:
                raise OrgUnreachable(f"not asked: it failed {FAILURES} times in a row")
            if self._open_until:
                # This call is the trial; all others stay refused until it succeeds.
                self._open_until = now + OPEN_SECONDS
        began = time.monotonic()
        while not self._slots.acquire(timeout=QUEUE_SECONDS):
            now = time.monotonic()
            if now - self._last_ended_at > QUEUE_SECONDS or now - began > LONGEST_QUEUE_SECONDS:
                raise OrgUnreachable("not asked: too many calls under way")

    def leave(self, *, succeeded: bool) -> None:
        """Call it after each call to the org.

        :param succeeded: whether a JSON answer below HTTP 500 came back
        """
        now = self._last_ended_at = time.monotonic()
        self._slots.release()
        with self._lock:
            was_open = self.is_open
            if succeeded:
                self._failed_at.clear()
                self._open_until = 0.0
            else:
                self._failed_at.append(now)
                if len(self._failed_at) == FAILURES and self._failed_at[0] > now - WITHIN_SECONDS:
                    self._open_until = now + OPEN_SECONDS
            is_open = self.is_open
        if is_open != was_open:
            self._on_change(is_open)
