"""What goes wrong in the drill. Each is a block: it goes wrong inside, and is put right at the end.

The names are those of docs/runbook.md.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from subprocess import Popen

from benchmarks.servers import LocalOrg

ALWAYS = 1_000_000
SLOW_ORG_SECONDS, SLOW_DATABASE_SECONDS = 3.0, 0.2


@dataclass(frozen=True)
class Breakable:
    """What can be broken.

    :param database: the forwarder between the site and its database
    """

    org: LocalOrg
    database: Popen[bytes]

    @contextmanager
    def failing(self, kind: str, **more: object) -> Iterator[None]:
        """Every call of the protocol fails so."""
        self.org.fail("*", kind, times=ALWAYS, **more)
        try:
            yield
        finally:
            self.org.is_well()

    @contextmanager
    def policy(self, changed: dict[str, object], back: dict[str, object]) -> Iterator[None]:
        """An administrator of the org changes a setting."""
        self.org.ask("PATCH", "policy", changed)
        try:
            yield
        finally:
            self.org.ask("PATCH", "policy", back)

    @contextmanager
    def slow_database(self) -> Iterator[None]:
        """Every answer of the database, and every query, takes its time."""
        self.database.send_signal(signal.SIGUSR1)
        try:
            yield
        finally:
            self.database.send_signal(signal.SIGUSR2)


def captcha(accepted: str) -> dict[str, object]:
    return {"captcha": {"type": "HCAPTCHA", "site_key": "key", "accept_token": accepted}}


Cause = Callable[[Breakable], AbstractContextManager[None]]
CAUSES: dict[str, Cause] = {
    "Okta limits us": lambda it: it.failing("status", status=429, headers={"X-Rate-Limit-Remaining": "0"}),
    "Okta is slow": lambda it: it.failing("slow", seconds=SLOW_ORG_SECONDS),
    "Okta is down": lambda it: it.failing("status", status=503),
    "The policy was changed": lambda it: it.policy({"sign_up": False}, {"sign_up": True}),
    "The captcha fails": lambda it: it.policy(captcha("that-nobody-has"), {"captcha": None}),
    "The database is slow": Breakable.slow_database,
}
