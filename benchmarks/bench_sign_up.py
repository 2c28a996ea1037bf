"""Whole sign-ups: this app, the least that Okta's protocol allows, and Django's own registration packages, in one run.

Every site is served by two gunicorn workers of eight threads from PostgreSQL; its org is a stub that answers at once,
so that the site is what is measured. The sites take turns, round by round, and the table shows medians. Figures of one
run can be compared with each other, never with those of another machine. A row is void ("-") if one person did not get
in, or is missing in the database.

BENCH_SIGN_UPS (200) and BENCH_AT_ONCE (16): how many, and how many at once. BENCH_ROUNDS (3). BENCH_QUICK=1: one short
round. BENCH_JSON: a file for the figures. BENCH_DATABASE_URL: a PostgreSQL whose role may create databases.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import psycopg
import requests
from psycopg import sql

from benchmarks import stub_org
from benchmarks.servers import HOST, KEYS, ROOT, SITE, end, free_port, wait_for
from benchmarks.sign_ups import SignUp, Site, sign_ups

DEFAULT_URL = "postgres://postgres@127.0.0.1:5432/postgres"
QUICK = os.environ.get("BENCH_QUICK") == "1"
SIGN_UPS = int(os.environ.get("BENCH_SIGN_UPS", "40" if QUICK else "200"))
AT_ONCE = int(os.environ.get("BENCH_AT_ONCE", "16"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "1" if QUICK else "3"))
WORKERS, THREADS = 2, 8
DISTRIBUTIONS = ("Django", "django-allauth", "django-registration", "gunicorn", "psycopg", "requests")
UPDATES = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'selfreg_registration'"
TOAST = (
    "SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE relname = 'selfreg_registration' AND reltoastrelid > 0"
)
COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"


@dataclass(frozen=True)
class Peer:
    """A site to measure.

    :param module: its settings
    :param start: path of its first page
    :param org: the kind of sign-up that the stub answers, of ``stub_org.POLICIES``; "" for a site without an org
    :param signed_in: what the last page has
    """

    name: str
    module: str
    start: str
    org: str = ""
    signed_in: str = 'action="/signout/"'
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Load:
    """How much is asked of a site.

    :param threads: of each of its workers
    :param options: further ones of gunicorn
    :param milliseconds: how long the org takes for an answer
    """

    sign_ups: int = SIGN_UPS
    at_once: int = AT_ONCE
    threads: int = THREADS
    options: tuple[str, ...] = ()
    milliseconds: int = 0


PEERS = (
    Peer("selfreg, one form", "selfreg_site", "/signup/", "form"),
    Peer("selfreg, staged with skip", "selfreg_site", "/signup/", "staged"),
    Peer("floor", "floor", "/signup/", "form"),
    Peer("allauth, trivial hasher", "allauth_site", "/accounts/signup/"),
    Peer("allauth, default hasher", "allauth_site", "/accounts/signup/", environment={"BENCH_HASHER": "default"}),
    Peer("django-registration", "registration_site", "/accounts/register/", signed_in="Hello"),
    Peer("bare form", "bare", "/form/"),
)
# Row of the table, the site, its figure, the goal, whether the goal is a ceiling.
LIMITS = (
    ("calls to Okta, one form", "selfreg, one form", "calls", 6.0, True),
    ("queries, login and last page included", "selfreg, one form", "queries", 29.0, True),
    ("queries of the worst POST but the last", "selfreg, one form", "worst_post", 7.0, True),
    ("commits", "selfreg, one form", "commits", 40.0, True),
    ("UPDATEs of the row", "selfreg, one form", "updates", 8.0, True),
    ("share of HOT updates", "selfreg, one form", "hot", 0.5, False),
    ("dead TOAST, kilobytes", "selfreg, one form", "toast", 28.0, True),
)
# Row of the table, both sites, what is compared, the goal, whether the goal is a ceiling.
GOALS = (
    ("server CPU against the floor", "selfreg, one form", "floor", "cpu", 1.5, True),
    ("server CPU against allauth", "selfreg, one form", "allauth, trivial hasher", "cpu", 0.55, True),
    ("server CPU against allauth, default hasher", "selfreg, one form", "allauth, default hasher", "cpu", 0.10, True),
    ("sign-ups a second against the floor", "selfreg, one form", "floor", "rate", 0.65, False),
    ("sign-ups a second against allauth", "selfreg, one form", "allauth, trivial hasher", "rate", 1.7, False),
)


@dataclass(frozen=True)
class Figures:
    """What one round measured, for each sign-up.

    :param cpu: milliseconds of the server's processes
    :param rate: sign-ups a second
    :param p50: milliseconds of a whole sign-up
    :param calls: calls to the org
    :param connections: new connections to the org, of all sign-ups together
    :param hot: share of the updates that changed no index
    :param toast: kilobytes of the encrypted states that were written, and are dead when a sign-up has ended
    """

    cpu: float
    rate: float
    p50: float
    queries: float
    worst_post: int
    calls: float
    connections: int
    commits: float
    updates: float
    hot: float
    toast: float
    requests: float


def main() -> int:
    rounds = measured(PEERS)
    medians = {name: median(figures) for name, figures in rounds.items() if len(figures) == ROUNDS}
    if rounds:
        report(medians)
    return int(len(medians) < len(rounds))


def measured(peers: Sequence[Peer], load: Load = Load()) -> dict[str, list[Figures]]:
    """The rounds of each site in which everybody got in; nothing without a PostgreSQL."""
    server = os.environ.get("BENCH_DATABASE_URL", DEFAULT_URL)
    try:
        psycopg.connect(server).close()
    except psycopg.OperationalError as error:
        print(f"left out: no PostgreSQL at {server} ({error})".strip())
        return {}
    rounds: dict[str, list[Figures]] = {peer.name: [] for peer in peers}
    with tempfile.TemporaryDirectory() as folder:
        for kind in {peer.org for peer in peers if peer.org}:
            (Path(folder) / kind).write_text(json.dumps(stub_org.record_steps(kind)))
        for _ in range(ROUNDS):
            for peer in peers:
                if figures := measure(peer, server, Path(folder), load):
                    rounds[peer.name].append(figures)
    return rounds


def measure(peer: Peer, server: str, folder: Path, load: Load) -> Figures | None:
    """One round; None if somebody did not get in."""
    persons = [f"ada-{number}@example.com" for number in range(load.sign_ups)]
    with ExitStack() as stack:
        database = stack.enter_context(empty_database(server))
        org = stack.enter_context(stub(folder / peer.org, load.milliseconds)) if peer.org else 0
        mailbox = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        process, port = stack.enter_context(served(peer, database, org, mailbox, load))
        site = Site(port, peer.start, peer.signed_in, lambda email: mailed(mailbox, email))
        # Both workers have answered before anything is measured.
        sign_ups(site, [f"warm-{number}@example.com" for number in range(4 * load.at_once)], load.at_once)
        ledger = stack.enter_context(psycopg.connect(database, autocommit=True))
        commits, updates, toast = statistics_of(ledger)
        if org:
            requests.post(f"http://{HOST}:{org}/_stub", timeout=10)
        cpu, clock = cpu_seconds(process.pid), time.perf_counter()
        came = sign_ups(site, persons, load.at_once)
        seconds, cpu = time.perf_counter() - clock, cpu_seconds(process.pid) - cpu
        more_commits, more_updates, more_toast = statistics_of(ledger)
        users = ledger.execute("SELECT count(*) FROM auth_user WHERE email LIKE 'ada-%%'").fetchone()
        problems = [person.problem for person in came if person.problem]
        if problems or users != (load.sign_ups,):
            print(f"{peer.name}: {len(problems)} did not get in, {users} users; {problems[:1]}", flush=True)
            return None
        made = requests.get(f"http://{HOST}:{org}/_stub", timeout=10).json() if org else {"calls": 0, "connections": 0}
        changed = [more - before for before, more in zip(updates, more_updates, strict=True)]
        return Figures(
            cpu=1000 * cpu / load.sign_ups,
            rate=load.sign_ups / seconds,
            p50=1000 * statistics.median(person.seconds for person in came),
            **counts_of(came),
            calls=made["calls"] / load.sign_ups,
            connections=made["connections"],
            commits=(more_commits - commits) / load.sign_ups,
            updates=changed[0] / load.sign_ups,
            toast=(more_toast - toast) / 1024 / load.sign_ups,
            hot=changed[1] / changed[0] if changed[0] else 0.0,
        )


def counts_of(came: list[SignUp]) -> dict[str, float | int]:
    """Requests and queries of a sign-up, as the site itself counted them."""
    # The last POST logs in: user, identity and session are no part of the sign-up.
    posts = [[r.queries for r in person.requests if r.name.startswith("POST")] for person in came]
    return {
        "requests": statistics.mean(len(person.requests) for person in came),
        "queries": statistics.mean(sum(r.queries for r in person.requests) for person in came),
        "worst_post": max(max(queries[:-1] or queries) for queries in posts),
    }


@contextmanager
def empty_database(server: str) -> Iterator[str]:
    """The URL of a new database, dropped afterwards."""
    name = "selfreg_bench_sign_up"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def stub(steps: Path, milliseconds: int = 0) -> Iterator[int]:
    """The port of a stub that answers after so long."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.stub_org", str(port), str(steps), str(milliseconds)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for(process, f"http://{HOST}:{port}/_stub")
        yield port
    finally:
        end(process)


@contextmanager
def served(
    peer: Peer, database: str, org: int, mailbox: Path, load: Load
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The gunicorn that serves a site, and its port."""
    port, host = free_port(), SITE.removeprefix("https://")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("OKTA_", "SELFREG_"))},
        "ENV_FILE": os.devnull,
        "DEBUG": "false",
        "BASE_URL": SITE,
        "ALLOWED_HOSTS": host,
        "TRUSTED_PROXIES": "1",
        "SECRET_KEY": "of-one-run-of-a-benchmark-that-nobody-signs-in-to-afterwards",
        "SELFREG_ENCRYPTION_KEYS": ",".join(KEYS),
        "DATABASE_URL": database,
        "ORG_PORT": str(org),
        "BENCH_MAILBOX": str(mailbox),
        "DJANGO_SETTINGS_MODULE": f"benchmarks.peers.{peer.module}",
        "PYTHONWARNINGS": "ignore",
        **peer.environment,
    }
    for command in ("migrate", "createcachetable"):
        subprocess.run([sys.executable, "-m", "django", command, "-v0"], cwd=ROOT, env=environment, check=True)
    options = ["--bind", f"{HOST}:{port}", "--workers", str(WORKERS), "--worker-class", "gthread", "--keep-alive", "30"]
    options += [*load.options, "--threads", str(load.threads), "--log-level", "warning", "--no-control-socket"]
    application = "django.core.wsgi:get_wsgi_application()"
    process = subprocess.Popen([sys.executable, "-m", "gunicorn", application, *options], cwd=ROOT, env=environment)
    try:
        wait_for(process, f"http://{HOST}:{port}{peer.start}", Host=host)
        yield process, port
    finally:
        end(process)


def mailed(mailbox: Path, email: str) -> str:
    """What was mailed to an address: a path. Where an org sends the mail, any code."""
    mail = mailbox / email
    if not mail.exists():
        return stub_org.CODE
    return next(word for word in mail.read_text().split() if "/accounts/" in word)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children so far."""
    children = subprocess.run(["pgrep", "-P", str(pid)], check=False, capture_output=True, text=True).stdout.split()
    ticks = 0
    for process in (str(pid), *children):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def statistics_of(ledger: psycopg.Connection) -> tuple[int, tuple[int, int], int]:
    """Commits of the database so far; updates of the registrations, and how many of them changed no index; bytes of
    their TOAST table.
    """
    time.sleep(1.5)  # the server's processes report at most once a second
    ledger.execute("SELECT pg_stat_clear_snapshot()")
    commits, updates, toast = (ledger.execute(query).fetchone() for query in (COMMITS, UPDATES, TOAST))
    return commits[0] if commits else 0, (updates[0], updates[1]) if updates else (0, 0), toast[0] if toast else 0


def median(rounds: list[Figures]) -> Figures:
    """The median of each figure."""
    return Figures(**{name: statistics.median(asdict(r)[name] for r in rounds) for name in asdict(rounds[0])})


def report(medians: dict[str, Figures]) -> None:
    versions = ", ".join(f"{name} {version(name)}" for name in DISTRIBUTIONS)
    print(f"{SIGN_UPS} sign-ups, {AT_ONCE} at once, medians of {ROUNDS}; {WORKERS} workers of {THREADS} threads")
    print(f"Python {platform.python_version()}, {versions}; {os.cpu_count()} processors\n")
    columns = (
        "CPU ms",
        "a second",
        "p50 ms",
        "queries",
        "POST",
        "calls",
        "connections",
        "commits",
        "updates",
        "HOT",
        "TOAST",
    )
    print(f"{'':28}" + "".join(f"{name:>12}" for name in columns))
    for peer in PEERS:
        if not (f := medians.get(peer.name)):
            print(f"{peer.name:28}{'-':>12}")
            continue
        row = (
            f.cpu,
            f.rate,
            f.p50,
            f.queries,
            f.worst_post,
            f.calls,
            f.connections,
            f.commits,
            f.updates,
            f.hot,
            f.toast,
        )
        print(f"{peer.name:28}" + "".join(f"{value:12.1f}" for value in row))
    print()
    for name, site, other, figure, goal, is_ceiling in GOALS:
        if site in medians and other in medians:
            ratio = getattr(medians[site], figure) / getattr(medians[other], figure)
            is_met = ratio <= goal if is_ceiling else ratio >= goal
            print(f"{name:46}{ratio:6.2f}   goal {goal:4.2f} {'' if is_met else '  not met'}")
    for name, site, figure, goal, is_ceiling in LIMITS:
        if site in medians:
            value = getattr(medians[site], figure)
            is_met = value <= goal if is_ceiling else value >= goal
            print(f"{name:46}{value:6.2f}   goal {goal:4.2f} {'' if is_met else '  not met'}")
    if path := os.environ.get("BENCH_JSON"):
        figures = {name: asdict(values) for name, values in medians.items()}
        Path(path).write_text(json.dumps({"versions": versions, "sign-ups": SIGN_UPS, "figures": figures}, indent=1))


if __name__ == "__main__":
    sys.exit(main())
