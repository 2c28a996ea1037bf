"""Rate limits (docs/protocol.md, section 4.12). Off unless the policy sets them; the headers come with every answer.

A call may count against several limits; its headers tell of the one with least left.
"""

import math
from collections import defaultdict, deque
from dataclasses import dataclass

from flask import g

from okta_devorg.state.clock import Clock

UNLIMITED = 600


@dataclass(frozen=True)
class Share:
    """What is left of a limit after a call. `resets_at` is org time."""

    limit: int
    remaining: int
    resets_at: float


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
        full = len(hits) >= most
        if not full:
            hits.append(now)
        g.shares.append(Share(most, most - len(hits), hits[0] + window))
        return full


def bucket(path: str) -> str:
    """Calls that share the org's limit: `/idp/idx`, `/oauth2/default`, `/api/v1/users` ..."""
    parts = path.split("/")
    return "/".join(parts[: 4 if path.startswith("/api/") else 3])


def headers(clock: Clock, shares: list[Share], refused: bool) -> dict[str, str]:
    """Of a call that counted against nothing: a limit far away; if refused all the same, until the next full minute."""
    next_minute = (int(clock.now()) // 60 + 1) * 60.0
    idle = Share(UNLIMITED, 0 if refused else UNLIMITED - 1, next_minute)
    tightest = min(shares, key=lambda share: (share.remaining, -share.resets_at), default=idle)
    if refused and tightest.remaining:
        tightest = idle
    return {
        "X-Rate-Limit-Limit": str(tightest.limit),
        "X-Rate-Limit-Remaining": str(tightest.remaining),
        "X-Rate-Limit-Reset": str(math.ceil(clock.wire(tightest.resets_at))),
    }
