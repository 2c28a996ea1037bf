"""Rate limits (protocol 4.12). Off unless the policy sets them; the headers come with every answer."""

from collections import defaultdict, deque

from .clock import Clock
from .ion import Json, message


class Counters:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.hits: defaultdict[str, deque[float]] = defaultdict(deque)

    def exceeds(self, key: str, most: int, window: float) -> bool:
        """Counts one more unless that would be too many. A limit of 0 never does."""
        if not most:
            return False
        hits, now = self.hits[key], self.clock.now()
        while hits and hits[0] <= now - window:
            hits.popleft()
        if len(hits) >= most:
            return True
        hits.append(now)
        return False


def too_many_messages() -> list[Json]:
    return [message("Too many requests", "tooManyRequests")]


def headers(clock: Clock, exceeded: bool) -> dict[str, str]:
    reset = int(clock.wire(clock.now())) // 60 * 60 + 60
    return {
        "X-Rate-Limit-Limit": "600",
        "X-Rate-Limit-Remaining": "0" if exceeded else "599",
        "X-Rate-Limit-Reset": str(reset),
    }
