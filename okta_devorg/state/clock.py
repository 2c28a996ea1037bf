"""The org's clock, which tests and developers can move forward.

Two kinds of time: *org time*, in which the org keeps every deadline, and *real time*, in which it writes every date
that it sends. Moving the clock ages handles, codes and links, but new tokens and documents still have the client's
present in them: clients refuse tokens that were issued more than five minutes in the future.
"""

import time
from datetime import UTC, datetime, timedelta

# In seconds. Later than that, the dates of what happened before cannot be written any more.
FARTHEST = 10**9


class Clock:
    """Seconds since 1970 that can be moved forward. `advanced` says how far, in seconds."""

    def __init__(self) -> None:
        self.advanced = 0.0

    def now(self) -> float:
        """Return the org time."""
        return time.time() + self.advanced

    def advance(self, seconds: float) -> None:
        """Move the clock forward, but not farther than thirty years in all."""
        self.advanced = min(self.advanced + seconds, FARTHEST)

    def advanced_text(self) -> str:
        """Return how far the clock was moved, such as `1 day, 0:05:00`."""
        return str(timedelta(seconds=int(self.advanced)))

    def real_time(self, at: float) -> float:
        """Return the real time of an org time."""
        return at - self.advanced

    def iso(self, at: float) -> str:
        """Return the real time of an org time in the form of Okta's documents, such as `2030-01-01T12:00:00.000Z`."""
        stamp = datetime.fromtimestamp(self.real_time(at), UTC)
        return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp.microsecond // 1000:03d}Z"
