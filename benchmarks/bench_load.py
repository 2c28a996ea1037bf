"""Twenty visitors sign up while everything breaks; at the end nobody is lost and nobody is there twice.

Two machines with the site behind the shipped nginx file, one PostgreSQL, one Redis, the local org; network namespaces
where this machine allows them. One call to the org in twenty fails in some way, workers are killed, and one thing after
the other happens to the whole (`TROUBLES`). Then the visitors' own ledger is joined with the
registrations, the org's users and Django's users. Exit status 0 only if nothing of it was felt: an error page that does
not lead back is felt, too.

LOAD_SECONDS (120), LOAD_VISITORS (20).
"""

import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from benchmarks.cluster.running import Cluster, missing, running_cluster
from benchmarks.servers import SITE, LocalOrg, Server, Site
from benchmarks.visitor import Broken, Visitor

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
# Nobody gives up before, however long this machine takes.
PATIENCE_SECONDS = 400
# "Internal Server Error: /path" is how Django logs a page of status 500; the summary of a failed call has no colon.
MISTAKES = ("Traceback", "Exception", "Internal Server Error: ", "CRITICAL")
REQUEST_ID = re.compile(r"request_id=(\w+)")
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
    happened: list[str] = field(default_factory=list)


@dataclass
class Joined:
    """The ledger beside the registrations, the org's users and Django's users."""

    counts: dict[str, int]
    wrong: dict[str, list[str]]
    """Errors, lost, double, unexplained: each with what it is about. Empty if all is well."""


def main() -> int:
    seconds = float(os.environ.get("LOAD_SECONDS", "120"))
    visitors = int(os.environ.get("LOAD_VISITORS", "20"))
    if lacking := missing():
        print(f"left out: {', '.join(lacking)} not installed")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return run(Path(folder), seconds, visitors)


def run(folder: Path, seconds: float, visitors: int) -> int:
    """Everything; prints the figures. 0 if they are as they must be."""
    ledger = Ledger()
    with running_cluster(folder) as cluster:
        apart = "four machines (network namespaces)"
        where = apart if cluster.network.are_apart else "this machine (no right to make network namespaces)"
        print(f"two servers, nginx, PostgreSQL and Redis on {where}\n", flush=True)
        visited(cluster, ledger, seconds, visitors)
        recovered = cluster.site.manage("selfreg_recover")
        joined = join(ledger, cluster.site)
    return report(ledger, joined, recovered)


def visited(cluster: Cluster, ledger: Ledger, seconds: float, visitors: int) -> None:
    """Visitors come one after the other, so many at once, until everything has happened.

    :param seconds: how long that takes at least
    """
    over, site = Event(), cluster.site
    some_calls_fail(site.org)
    with ThreadPoolExecutor(visitors) as pool:
        coming = [pool.submit(comes_again, cluster, ledger, number, over) for number in range(visitors)]
        try:
            pause = seconds / sum(1 + weight for _, weight in TROUBLES)
            for trouble, weight in TROUBLES:
                workers_die(site.servers, pause, ledger.seen)
                began = time.monotonic()
                trouble(cluster, pause * weight)
                ledger.happened.append(f"{trouble.__name__.replace('_', ' ')}: {time.monotonic() - began:.1f} s")
        finally:
            over.set()
        site.org.is_well()
        for done in coming:
            done.result()


def some_calls_fail(org: LocalOrg) -> None:
    for path in CALLED:
        for kind, lasting in KINDS.items():
            chance = CHANCE / len(KINDS)
            org.fail(path, kind, seconds=lasting, chance=chance, times=1_000_000, bytes=400_000)


def comes_again(cluster: Cluster, ledger: Ledger, seat: int, over: Event) -> None:
    """One seat before a browser: another person with another address as soon as the last one is signed in."""
    visit = 0
    while not over.is_set():
        email, ip = f"visitor{seat}.{visit}@example.com", cluster.network.visitor(seat, visit)
        visitor = Visitor(
            email, ip, SITE, [cluster.proxy.url], cluster.site.org.code, ledger.seen, ledger.took,
            certificate=str(cluster.proxy.certificate),
        )  # fmt: skip
        try:
            visitor.signs_up(time.monotonic() + PATIENCE_SECONDS)
        except Broken as broken:
            ledger.broken[email] = str(broken)
        except Exception as mistake:  # noqa: BLE001 - whatever it is, it belongs in the ledger
            ledger.broken[email] = f"{type(mistake).__name__}: {mistake}"
        else:
            ledger.signed_in.append(email)
        visit += 1


def workers_die(servers: Sequence[Server], lasting: float, seen: Counter[str]) -> None:
    """For so many seconds: one every few seconds, and at least one."""
    until = time.monotonic() + lasting
    while True:
        if workers := random.choice(servers).workers():
            Server.kill(random.choice(workers))
            seen["workers killed"] += 1
        left = until - time.monotonic()
        time.sleep(max(0.0, min(left, random.uniform(3, 5))))
        if left <= 5:
            return


# ---- what happens, one after the other: each returns when it is over


def a_column_arrives(cluster: Cluster, lasting: float) -> None:
    """A migration under way."""
    with cluster.postgresql.connect() as connection:
        connection.execute(EXPANDED)


def servers_reload(cluster: Cluster, lasting: float) -> None:
    """The new code, on one server after the other."""
    for server in cluster.site.servers:
        server.reload()
        time.sleep(lasting / len(cluster.site.servers))


def the_cache_hangs(cluster: Cluster, lasting: float) -> None:
    with cluster.redis.hanging():
        time.sleep(lasting)


def the_org_hangs(cluster: Cluster, lasting: float) -> None:
    with cluster.site.org.away():
        time.sleep(lasting)


def the_org_answers_503(cluster: Cluster, lasting: float) -> None:
    org = cluster.site.org
    org.fail("*", "status", status=503, times=1_000_000)
    time.sleep(lasting)
    org.is_well()
    some_calls_fail(org)


def a_server_is_lost(cluster: Cluster, lasting: float) -> None:
    with cluster.without(cluster.site.servers[0]):
        time.sleep(lasting)


def the_database_restarts(cluster: Cluster, lasting: float) -> None:
    cluster.postgresql.stop()
    time.sleep(lasting / 4)
    cluster.postgresql.start()


def servers_restart(cluster: Cluster, lasting: float) -> None:
    """A machine's update: one server after the other ends in peace and starts again."""
    for server in cluster.site.servers:
        server.restart()


# What happens, and how long it lasts beside the pause before it.
TROUBLES: tuple[tuple[Callable[[Cluster, float], None], float], ...] = (
    (a_column_arrives, 0),
    (servers_reload, 1),
    (the_cache_hangs, 1),
    (the_org_hangs, 2),
    (the_org_answers_503, 1),
    (a_server_is_lost, 1),
    (the_database_restarts, 1),
    (servers_restart, 1),
)


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
    """Lines in the log of site and org that nobody may see. gunicorn says itself that a worker was killed.

    Django logs an error of its own before the middleware answers that the database is away, which is no mistake.
    """
    entries = re.split(r"\n(?=\d{4}-|\[\d{4}-)", log.read_text())
    known = {found[1] for entry in entries if "database.away" in entry and (found := REQUEST_ID.search(entry))}
    wrong = [e for e in entries if not ((found := REQUEST_ID.search(e)) and found[1] in known)]
    return [line for entry in wrong for line in entry.splitlines() if any(mark in line for mark in MISTAKES)]


def report(ledger: Ledger, joined: Joined, recovered: str) -> int:
    for name, count in joined.counts.items():
        print(f"{name:26} {count:7}")
    print()
    for line in ledger.happened:
        print(line)
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
