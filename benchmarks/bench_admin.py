"""The admin of registrations at 10,000 and at 1,000,000 rows (ten events each), beside Django's stock changelist.

Needs a PostgreSQL whose role may create databases: BENCH_DATABASE_URL, by default the one on this machine. The
databases are dropped again. BENCH_ROWS="10000 100000" measures other sizes. Every figure is a whole request in process
(test client) in milliseconds: the fastest of fifteen (stock and funnel: three), since only that is free of what else
the machine is doing. "Blocks" are those (8 kB) that the statement of a page reads that reads the most.
"""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_URL = "postgres://postgres@127.0.0.1:5432/postgres"
MOST_RATIO, MOST_MILLISECONDS = 1.2, 20.0


def main() -> int:
    server = os.environ.get("BENCH_DATABASE_URL", DEFAULT_URL)
    sizes = [int(size) for size in os.environ.get("BENCH_ROWS", "10000 1000000").split()]
    try:
        admin = psycopg.connect(server.replace("postgres://", "postgresql://"), autocommit=True)
    except psycopg.OperationalError as error:
        print(f"left out: no PostgreSQL at {server} ({error})".strip())
        return 0
    with closing(admin):
        found = [measured(admin, server, size) for size in sizes]
    return report(sizes, found)


def measured(admin: psycopg.Connection, server: str, size: int) -> dict[str, dict[str, float]]:
    """Fills a database, measures in a process of its own, drops it."""
    name = f"selfreg_bench_{os.getpid()}_{size}"
    admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        environment = os.environ | {
            "ENV_FILE": os.devnull,
            "DATABASE_URL": urlsplit(server)._replace(path=f"/{name}").geturl(),
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        }
        command = [sys.executable, "-m", "benchmarks.admin_pages", str(size)]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        figures: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
        return figures
    finally:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def report(sizes: list[int], found: list[dict[str, dict[str, float]]]) -> int:
    small, large = found[0], found[-1]
    least, most = (f"{size:,}" for size in (sizes[0], sizes[-1]))
    heads = ("ours, ms", least, most, "ratio", "blocks", most, "stock", least, most, "factor")
    print("{:34} {:>10} {:>10} {:>6} {:>8} {:>9}    {:5} {:>10} {:>10} {:>7}".format(*heads))
    too_slow = []
    for page, milliseconds in large["ours"].items():
        before = small["ours"][page]
        ratio = milliseconds / before
        stock = (small["stock"].get(page), large["stock"].get(page))
        beside = f"{stock[0]:10.1f} {stock[1]:10.1f} {stock[1] / milliseconds:6.0f}x" if stock[0] and stock[1] else ""
        blocks = (
            "{:8,} {:9,}".format(*(run["blocks"][page] for run in (small, large))) if page in large["blocks"] else ""
        )
        print(f"{page:34} {before:10.1f} {milliseconds:10.1f} {ratio:6.2f} {blocks:18}          {beside}")
        if ratio > MOST_RATIO and not page.startswith("*"):
            too_slow.append(page)
    for name, value in large["memory"].items():
        print(f"{name:34} {small['memory'][name]:10.1f} {value:10.1f}")
    print(f"\nPages that take more than {MOST_RATIO} times as long: {', '.join(too_slow) or 'none'}.")
    slow = [f"{page} ({ms:.1f})" for page, ms in large["statements"].items() if ms > MOST_MILLISECONDS]
    print(f"Pages with a statement over {MOST_MILLISECONDS:.0f} ms: {', '.join(slow) or 'none'}.")
    print(f"The slowest statement of all pages: {max(large['statements'].values()):.1f} ms.")
    print("* counts all events of its period: more people, more work.")
    return 0
