"""Twenty visitors sign up while everything breaks; at the end nobody is lost and nobody is there twice.

Two gunicorns of the demo site in production's settings, the local org, PostgreSQL; each a process of its own. One call
to the org in twenty fails in some way, a worker is killed every few seconds, the org hangs for a while, the database
gets a column that a newer version would bring, and every server is reloaded. Then the visitors' own ledger is joined
with the registrations, the org's users and Django's users. Exit status 0 only if nothing of it was felt.

LOAD_SECONDS (120), LOAD_VISITORS (20), BENCH_DATABASE_URL: a PostgreSQL whose role may create databases.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import psycopg
from psycopg import sql

from benchmarks.servers import SITE, Server, Site, running_site
from benchmarks.visitor import Broken, Visitor

DEFAULT_URL = "postgres://postgres@127.0.0.1:5432/postgres"
CHANCE = 0.05
# How a call can fail, and how long where it takes time.
KINDS: dict[str, float] = {
    "status": 0, "reset": 0, "after": 0, "truncate": 0, "html": 0, "empty": 0, "malformed": 0, "redirect": 0,
    "foreign-href": 0, "huge": 0, "timeout": 6, "slow": 12,
}  # fmt: skip
# What the site calls; the org's own pages, which visitors may see, work.
CALLED = (
    "/interact", "/idp/idx/introspect", "/idp/idx/enroll", "/idp/idx/enroll/new", "/idp/idx/credential/enroll",
    "/idp/idx/challenge/answer", "/idp/idx/skip", "/token", "/keys",
)  # fmt: skip
DRAIN_SECONDS = 90
MISTAKES = ("Traceback", "Exception", "Internal Server Error", "CRITICAL")
# A newer version expands before it contracts: the old one meets a column that it does not know.
EXPANDED = "ALTER TABLE selfreg_registration ADD COLUMN of_tomorrow varchar(20) NOT NULL DEFAULT ''"


@dataclass
class Ledger:
    """What the visitors themselves say."""

    signed_in: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    """Address -> what happened that must not."""
    seen: Counter[str] = field(default_factory=Counter)
    took: list[tuple[float, str]] = field(default_factory=list)


@dataclass
class Joined:
    """The ledger beside the registrations, the org's users and Django's users."""

    counts: dict[str, int]
    wrong: dict[str, list[str]]
    """Errors, lost, double, unexplained: each with what it is about. Empty if all is well."""


def main() -> int:
    seconds = float(os.environ.get("LOAD_SECONDS", "120"))
    visitors = int(os.environ.get("LOAD_VISITORS", "20"))
    server = os.environ.get("BENCH_DATABASE_URL", DEFAULT_URL)
    try:
        admin = psycopg.connect(server.replace("postgres://", "postgresql://"), autocommit=True)
    except psycopg.OperationalError as error:
        print(f"left out: no PostgreSQL at {server} ({error})".strip())
        return 0
    with closing(admin), new_database(admin, server) as database, tempfile.TemporaryDirectory() as folder:
        return run(database, Path(folder), seconds, visitors)


@contextmanager
def new_database(admin: psycopg.Connection, server: str) -> Iterator[str]:
    """The URL of an empty one, dropped with the block."""
    name = f"selfreg_load_{os.getpid()}"
    admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def run(database: str, folder: Path, seconds: float, visitors: int) -> int:
    """Everything, on an empty database; prints the figures. 0 if they are as they must be."""
    ledger = Ledger()
    with running_site(database, folder) as site:
        visited(site, ledger, database, seconds, visitors)
        recovered = site.manage("selfreg_recover")
        joined = join(ledger, site)
    return report(ledger, joined, recovered)


def visited(site: Site, ledger: Ledger, database: str, seconds: float, visitors: int) -> None:
    """Visitors come one after the other, so many at once, while things break; who is in the middle at the end may
    finish in peace.
    """
    over = Event()
    until = time.monotonic() + seconds
    for path in CALLED:
        for kind, lasting in KINDS.items():
            chance = CHANCE / len(KINDS)
            site.org.fail(path, kind, seconds=lasting, chance=chance, times=1_000_000, bytes=400_000)
    with ThreadPoolExecutor(visitors + 4) as pool:
        coming = [pool.submit(comes_again, site, ledger, number, until) for number in range(visitors)]
        breaking = [
            pool.submit(workers_die, site.servers, over, ledger.seen),
            pool.submit(org_hangs, site, over, seconds),
            pool.submit(version_arrives, site, over, seconds, database),
        ]
        time.sleep(seconds)
        over.set()
        for done in breaking:
            done.result()
        site.org.is_well()
        for done in coming:
            done.result()


def comes_again(site: Site, ledger: Ledger, number: int, until: float) -> None:
    """One seat before a browser: another person with another address as soon as the last one is signed in."""
    visit = 0
    while time.monotonic() < until:
        email, ip = f"visitor{number}.{visit}@example.com", f"198.18.{number}.{visit % 250 + 1}"
        addresses = [server.address for server in site.servers]
        visitor = Visitor(email, ip, SITE, addresses, site.org.code, ledger.seen, ledger.took)
        try:
            visitor.signs_up(until + DRAIN_SECONDS)
        except Broken as broken:
            ledger.broken[email] = str(broken)
        except Exception as mistake:  # noqa: BLE001 - whatever it is, it belongs in the ledger
            ledger.broken[email] = f"{type(mistake).__name__}: {mistake}"
        else:
            ledger.signed_in.append(email)
        visit += 1


def workers_die(servers: Sequence[Server], over: Event, seen: Counter[str]) -> None:
    while not over.wait(random.uniform(3, 5)):
        server = random.choice(servers)
        workers = server.workers()
        if workers:
            server.kill(random.choice(workers))
            seen["workers killed"] += 1


def org_hangs(site: Site, over: Event, seconds: float) -> None:
    """For a sixth of the time, in its middle; longer than the site waits for an answer."""
    if over.wait(seconds * 0.4):
        return
    with site.org.away():
        over.wait(seconds / 6)


def version_arrives(site: Site, over: Event, seconds: float, database: str) -> None:
    """A migration under way, then every server with the new code, one after the other."""
    if over.wait(seconds * 0.2):
        return
    if database.startswith("postgres"):
        with psycopg.connect(database.replace("postgres://", "postgresql://"), autocommit=True) as connection:
            connection.execute(EXPANDED)
    while not over.wait(seconds * 0.25):
        for server in site.servers:
            server.reload()


def join(ledger: Ledger, site: Site) -> Joined:
    """Who is in one and not explained by the others; and what site and org have written to their log."""
    registrations, identities = site.rows("selfreg.registration"), site.rows("selfreg.oktaidentity")
    users, accounts = site.rows("auth.user"), site.org.ask("GET", "users")
    came = {*ledger.signed_in, *ledger.broken}
    by_address: dict[str, Counter[str]] = {
        "registrations completed": Counter(r["email"] for r in registrations if r["status"] == "completed"),
        "accounts at the org": Counter(a["email"] for a in accounts),
        "Django users": Counter(u["email"] for u in users),
    }
    active = {a["id"]: a["email"] for a in accounts if a["status"] == "ACTIVE"}
    pairs = {(i["subject"], i["user"]) for i in identities}
    known = {u["pk"]: u["email"] for u in users}
    own = {active.get(subject) for subject, user in pairs if active.get(subject) == known.get(user)}
    lost = [f"{e}: {ledger.broken[e]}" for e in ledger.broken]
    for email in ledger.signed_in:
        missing = [table for table, found in by_address.items() if not found[email]]
        missing += [] if email in own else ["an active account joined with a Django user"]
        lost += [f"{email}: signed in, but no {' and no '.join(missing)}"] if missing else []
    double = [f"{email}: {n} {table}" for table, found in by_address.items() for email, n in found.items() if n > 1]
    double += [f"{n} users of subject {s}" for s, n in Counter(s for s, _ in pairs).items() if n > 1]
    strange = [
        f"{email}: {table}, and nobody came" for table, found in by_address.items() for email in set(found) - came
    ]
    strange += [f"registration {r['pk']}: nobody came" for r in registrations if r["email"] not in {*came, ""}]
    strange += [
        f"registration {r['pk']}: {r['status']}, still in doubt"
        for r in registrations
        if r["busy_until"] or r["unsure"]
    ]
    strange += [f"registration {r['pk']}: keeps secrets" for r in registrations if r["finished_at"] and r["sealed"]]
    counts = {"visitors": len(came), "signed in": len(ledger.signed_in), "registrations": len(registrations)}
    counts |= {table: found.total() for table, found in by_address.items()}
    return Joined(counts, {"errors": logged_errors(site.log), "lost": lost, "double": double, "unexplained": strange})


def logged_errors(log: Path) -> list[str]:
    """Lines in the log of site and org that nobody may see. gunicorn says itself that a worker was killed."""
    return [line for line in log.read_text().splitlines() if any(mark in line for mark in MISTAKES)]


def report(ledger: Ledger, joined: Joined, recovered: str) -> int:
    for name, count in joined.counts.items():
        print(f"{name:26} {count:7}")
    print()
    for name in sorted(ledger.seen):
        print(f"{name:26} {ledger.seen[name]:7}")
    for method in ("GET", "POST"):
        spent = sorted(seconds for seconds, what in ledger.took if what.startswith(method))
        if len(spent) > 1:
            middle, late = statistics.median(spent), statistics.quantiles(spent, n=100)[94]
            print(f"{method:5} median, 95 %, most {middle:7.2f} s {late:7.2f} s {spent[-1]:7.2f} s")
    print("\nselfreg_recover, afterwards: " + ", ".join(recovered.splitlines()))
    for name, found in joined.wrong.items():
        print(f"{name:26} {len(found):7}")
        for line in found[:20]:
            print(f"    {line}")
    return 0 if ledger.signed_in and not any(joined.wrong.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
