"""What `selfreg_purge` costs beside one DELETE of the same rows, in one run, and how much the tables grow meanwhile.

Needs a PostgreSQL whose role may create databases: BENCH_DATABASE_URL, by default the one on this machine. The
databases are dropped again. BENCH_ROWS (1,000,000) registrations with four events each; 20 % and then 100 % of them are
expired. The longest statement of the purge is timed at the client. Growth is that of the whole database, without
autovacuum; dead rows stay where they are.
"""

import json
import os
import subprocess
import sys
from contextlib import closing
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from benchmarks.bench_admin import DEFAULT_URL, ROOT

LEAST_SHARE, MOST_SECONDS, MOST_MEGABYTES = 0.3, 0.3, 20.0
PERCENT_EXPIRED = (20, 100)


def main() -> int:
    server = os.environ.get("BENCH_DATABASE_URL", DEFAULT_URL)
    rows = int(os.environ.get("BENCH_ROWS", "1000000").split()[-1])
    try:
        admin = psycopg.connect(server.replace("postgres://", "postgresql://"), autocommit=True)
    except psycopg.OperationalError as error:
        print(f"left out: no PostgreSQL at {server} ({error})".strip())
        return 0
    with closing(admin):
        return report(rows, [measured(admin, server, rows, percent) for percent in PERCENT_EXPIRED])


def measured(admin: psycopg.Connection, server: str, rows: int, percent: int) -> dict[str, float]:
    """Fills a database, copies it, has one DELETE empty the copy and the purge the other. In processes of their own."""
    name, copy = (f"selfreg_purge_{os.getpid()}_{kind}" for kind in ("a", "b"))
    try:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        sizes = program(server, name, "fill", str(rows), str(percent))
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(copy), sql.Identifier(name)))
        figures = program(server, copy, "delete") | program(server, name, "purge")
        return figures | sizes | {"percent": percent}
    finally:
        for each in (name, copy):
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(each)))


def program(server: str, database: str, *arguments: str) -> dict[str, float]:
    environment = os.environ | {
        "ENV_FILE": os.devnull,
        "DATABASE_URL": urlsplit(server)._replace(path=f"/{database}").geturl(),
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
    }
    command = [sys.executable, "-m", "benchmarks.purging", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def report(rows: int, runs: list[dict[str, float]]) -> int:
    size, event = runs[0]["registration_bytes"], runs[0]["event_bytes"]
    print(f"{rows:,} registrations of {size:,.0f} bytes with indexes, four events of {event:,.0f} bytes each\n")
    heads = ("expired", "one DELETE, rows/s", "purge, rows/s", "ratio", "longest statement, s", "growth, MB")
    print("{:>8} {:>20} {:>15} {:>7} {:>22} {:>12}".format(*heads))
    missed = False
    for run in runs:
        ratio = run["purge"] / run["delete"]
        print(
            f"{run['percent']:7.0f}% {run['delete']:20,.0f} {run['purge']:15,.0f} {ratio:7.2f} "
            f"{run['longest']:22.3f} {run['growth']:12.1f}"
        )
        missed |= ratio < LEAST_SHARE or run["longest"] > MOST_SECONDS or run["growth"] > MOST_MEGABYTES
    print(f"\ngoals: ratio {LEAST_SHARE}, longest statement {MOST_SECONDS} s, growth {MOST_MEGABYTES:.0f} MB")
    print("missed" if missed else "met")
    return 0
