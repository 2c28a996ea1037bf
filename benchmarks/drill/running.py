"""The site of the drill: gunicorn as it is shipped, PostgreSQL, the local org, a stream of visitors, Prometheus."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cluster.data import binary, running_postgresql
from benchmarks.cluster.forwarder import forward
from benchmarks.cluster.machines import LOOPBACK, Machine
from benchmarks.drill.causes import SLOW_DATABASE_SECONDS, Breakable
from benchmarks.drill.dashboard import Dashboard, is_installed, running_prometheus
from benchmarks.drill.logs import Log
from benchmarks.servers import SITE, Site, free_port, running_site
from benchmarks.visitor import Broken, Form, Visitor

TOKEN = "token-of-the-drill-Zq7tXv3kLm9w"
CAPTCHA = "captchaVerify.captchaToken"


@dataclass(frozen=True)
class Drill:
    """What runs. ``dashboard`` is None where no Prometheus is installed."""

    site: Site
    breakable: Breakable
    log: Log
    dashboard: Dashboard | None


class Person(Visitor):
    """A visitor who solves a captcha, whatever the org makes of that."""

    def sends(self, form: Form, typed: dict[str, str]) -> None:
        is_asked = CAPTCHA in form.fields
        super().sends(form, {**typed, "h-captcha-response": "solved"} if is_asked else typed)


@dataclass
class Stream:
    """Visitors who come one after the other, in so many seats, until it is stopped."""

    site: Site
    seats: int
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Stream":
        self._threads = [threading.Thread(target=self._sit, args=(seat,), daemon=True) for seat in range(self.seats)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _sit(self, seat: int) -> None:
        servers = [server.address for server in self.site.servers]
        while not self._over.is_set():
            number = time.monotonic_ns()
            email, ip = f"visitor{seat}.{number}@example.com", f"198.18.{seat}.{number // 1000 % 250 + 1}"
            person = Person(
                email, ip, SITE, servers, self.site.org.code, Counter(), clumsy=0.0, think_seconds=0.2, over=self._over
            )
            # What must not happen is for the load test to find; here something is always broken.
            with suppress(Broken, OSError, KeyError):
                person.signs_up(time.monotonic() + 30)


@contextmanager
def running_drill(folder: Path) -> Iterator[Drill]:
    """All of it but the visitors; ended with the block.

    :raises RuntimeError: this machine has no PostgreSQL
    """
    if not binary("initdb"):
        raise RuntimeError("PostgreSQL (initdb) is not installed")
    this = Machine("this", LOOPBACK)
    with ExitStack() as stack:
        postgresql = stack.enter_context(running_postgresql(this))
        port = free_port()
        forwarder = stack.enter_context(forward(this.listen(port), LOOPBACK, postgresql.port, SLOW_DATABASE_SECONDS))
        database = postgresql.url.replace(f":{postgresql.port}/", f":{port}/")
        access = folder / "access.log"
        running = running_site(database, folder, servers=0, LOG_FORMAT="json", SELFREG_METRICS_TOKEN=TOKEN)
        site = stack.enter_context(running)
        server = site.start(2, 24, ACCESS_LOG=str(access))
        address = server.address.removeprefix("http://")
        prometheus = running_prometheus(address, TOKEN, folder) if is_installed() else nullcontext(None)
        yield Drill(site, Breakable(site.org, forwarder), Log((site.log, access)), stack.enter_context(prometheus))
