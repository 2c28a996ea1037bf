"""The org's clock. Advancing it ages what the org keeps (handles, codes, links); it never sends the future out.

Deadlines inside the org are org time. Everything written to the wire goes through `wire`, so the stamps of new tokens
and documents stay close to the client's own clock: clients refuse tokens from more than five minutes ahead.
"""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    def __init__(self) -> None:
        self.advanced = 0.0

    def now(self) -> float:
        return time.time() + self.advanced

    def advance(self, seconds: float) -> None:
        self.advanced += seconds

    def ahead(self) -> str:
        """In words: `1 day, 0:05:00`."""
        return str(timedelta(seconds=int(self.advanced)))

    def wire(self, at: float) -> float:
        return at - self.advanced

    def iso(self, at: float) -> str:
        stamp = datetime.fromtimestamp(self.wire(at), UTC)
        return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp.microsecond // 1000:03d}Z"
