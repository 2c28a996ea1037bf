"""How long the first visitor of a fresh worker waits, beside those who come later.

The demo site in production's settings and with `deploy/gunicorn.conf.py`: one worker, started anew for each round.
Every page is the sign-up form. BENCH_ROUNDS (5).
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import requests

from benchmarks.servers import SITE, Server, Site, end, running_site

GOAL = 2.0
LATER = 40
HEADERS = {"Host": SITE.removeprefix("https://"), "X-Forwarded-Proto": "https", "X-Forwarded-For": "198.18.0.1"}


def main() -> int:
    rounds = int(os.environ.get("BENCH_ROUNDS", "5"))
    firsts, laters, boots = list[float](), list[float](), list[float]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_site(f"sqlite:///{folder}/db.sqlite3", folder, servers=0) as site:
            for _ in range(rounds):
                boot, times = one_round(site)
                boots.append(boot)
                firsts.append(times[0])
                laters += times[1:]
    first, later = statistics.median(firsts), statistics.median(laters)
    print(f"{'until a worker answers':32} {statistics.median(boots):8.2f} s")
    print(f"{'its first page, median of ' + str(rounds):32} {first * 1000:8.1f} ms, at most {max(firsts) * 1000:.1f}")
    print(f"{'later pages, median':32} {later * 1000:8.1f} ms")
    print(f"{'first / later':32} {first / later:8.2f}  (goal: at most {GOAL})")
    return 0 if first <= GOAL * later else 1


def one_round(site: Site) -> tuple[float, list[float]]:
    """Seconds until a new server answered, and those of each page after that."""
    began = time.monotonic()
    server = site.start(workers=1, threads=4)
    boot = time.monotonic() - began
    try:
        return boot, [page(server) for _ in range(LATER + 1)]
    finally:
        site.servers.remove(server)
        end(server.process)


def page(server: Server) -> float:
    began = time.perf_counter()
    answer = requests.get(f"{server.address}/signup/", headers=HEADERS, timeout=60)
    assert answer.status_code == 200, answer.status_code
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
