"""Rate limits (docs/protocol.md, section 4.12). They are off unless the settings say otherwise.

Every answer has headers about them. A call may count against several limits; its headers are about the one with the
least left.
"""

import math
from collections import defaultdict, deque
from dataclasses import dataclass

from flask import g

from okta_devorg.state.clock import Clock

# What the headers say of a call that counts against no limit.
NO_LIMIT = 600


@dataclass(frozen=True)
class RateLimitStatus:
    """What is left of a limit after a call. `resets_at` is org time."""

    limit: int
    remaining: int
    resets_at: float


class RateLimitCounters:
    """When the last calls came, by key: what they count against, such as `user:00u1...`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.hits: defaultdict[str, deque[float]] = defaultdict(deque)

    def exceeds(self, key: str, limit: int, seconds: float) -> bool:
        """Count this call and return False, or return True if there were `limit` calls in the last `seconds` already.

        A limit of 0 is never exceeded. The status of the limit is noted for the headers of the answer.
        """
        if not limit:
            return False
        hits, now = self.hits[key], self._clock.now()
        while hits and hits[0] <= now - seconds:
            hits.popleft()
        is_full = len(hits) >= limit
        if not is_full:
            hits.append(now)
        g.rate_limits.append(RateLimitStatus(limit, limit - len(hits), hits[0] + seconds))
        return is_full


def path_group(path: str) -> str:
    """Return what the calls that share a limit of the org have in common: `/idp/idx`, `/api/v1/users`, ..."""
    parts = path.split("/")
    return "/".join(parts[: 4 if path.startswith("/api/") else 3])


def rate_limit_headers(clock: Clock, statuses: list[RateLimitStatus], is_refused: bool) -> dict[str, str]:
    """Return the headers of an answer to a call that counted against these limits.

    If the call was refused for another reason than these limits, the headers say to wait until the next full minute.
    """
    next_minute = (int(clock.now()) // 60 + 1) * 60.0
    other = RateLimitStatus(NO_LIMIT, 0 if is_refused else NO_LIMIT - 1, next_minute)
    tightest = min(statuses, key=lambda status: (status.remaining, -status.resets_at), default=other)
    if is_refused and tightest.remaining:
        tightest = other
    return {
        "X-Rate-Limit-Limit": str(tightest.limit),
        "X-Rate-Limit-Remaining": str(tightest.remaining),
        "X-Rate-Limit-Reset": str(math.ceil(clock.real_time(tightest.resets_at))),
    }
