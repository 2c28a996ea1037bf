"""Whether the time of a page tells who has an account where `ENUMERATION` is `neutral`.

Pairs of visitors, one with a taken and one with a free address, in random order, go through the pages that both see.
For each page: the median of either, the median of the differences within a pair, and in how many pairs the taken one
was slower. The sign test says whether that is more than chance: "tells" if so few or so many happen in one of a
thousand runs. BENCH_PAIRS (100). The org is the local one: what Okta's own times tell is not measured.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from math import comb
from pathlib import Path

from benchmarks.servers import SITE, running_site
from benchmarks.servers import Site as RunningSite
from benchmarks.visitor import Form, Visitor

# How often one address is used: the site allows five sign-ups an hour.
VISITS = 4
MAY_BE_CHANCE = 0.001


def main() -> int:
    """Prints the table; 1 if a page tells."""
    pairs = int(os.environ.get("BENCH_PAIRS", "100"))
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = os.environ.get("BENCH_DATABASE_URL") or f"sqlite:///{folder}/db.sqlite3"
        more = {"DJANGO_SETTINGS_MODULE": "benchmarks.neutral_settings"}
        with running_site(database, folder, servers=1, workers=1, **more) as site:
            for number in range(-VISITS, pairs):  # the first ones warm up
                taken, free = f"taken{number // VISITS}@example.com", f"free{number}@example.com"
                if number % VISITS == 0:
                    visitor(site, taken, f"198.18.99.{number // VISITS + 2}").signs_up(time.monotonic() + 120)
                took = {email: walk(site, email, number) for email in random.sample([taken, free], 2)}
                for page, seconds in took[taken].items() if number >= 0 else ():
                    times[page].append((seconds, took[free][page]))
    print(f"{'page':24}{'taken ms':>10}{'free ms':>10}{'difference':>12}{'taken slower':>14}")
    return max(row(page, seconds) for page, seconds in times.items())


def row(page: str, pairs: list[tuple[float, float]]) -> int:
    """Prints the row of a page; 1 if it tells."""
    taken, free = (statistics.median(one) * 1000 for one in zip(*pairs, strict=True))
    difference = statistics.median(one - other for one, other in pairs) * 1000
    slower = sum(one > other for one, other in pairs)
    tells = chance(slower, len(pairs)) < MAY_BE_CHANCE
    print(f"{page:24}{taken:10.2f}{free:10.2f}{difference:12.2f}{slower:10}/{len(pairs)}{'  tells' if tells else ''}")
    return int(tells)


def chance(hits: int, tries: int) -> float:
    """How likely so uneven a count is where both sides are equal (two-sided sign test)."""
    fewer = min(hits, tries - hits)
    return min(1.0, 2 * sum(comb(tries, n) for n in range(fewer + 1)) / 2**tries)


def visitor(site: RunningSite, email: str, ip: str) -> Visitor:
    return Visitor(email, ip, SITE, [site.servers[0].address], site.org.code, Counter(), clumsy=0, think_seconds=0)


def walk(site: RunningSite, email: str, number: int) -> dict[str, float]:
    """Seconds of each page, by its name."""
    person = visitor(site, email, f"198.18.{(number + VISITS) // 100}.{(number + VISITS) % 100 + 1}")
    person.opens("/signup/")
    took = dict[str, float]()

    def measured(page: str, form: Form | None, **typed: str) -> None:
        del person.took[:]
        if form is None:
            person.opens(f"{SITE}/signup/step/")
        else:
            person.sends(form, {name.replace("__", "."): value for name, value in typed.items()})
        took[page] = person.took[0][0]  # of the request alone, not of the page that it leads to

    def form() -> Form:
        return next(f for f in person.page.forms if f.method == "post" and f.fields)

    measured("form", form(), userProfile__email=email, userProfile__firstName="Ada", userProfile__lastName="Lovelace")
    measured("code page", None)
    measured("wrong code", form(), credentials__passcode="000000")
    measured("code page after it", None)
    measured("mail again", form(), action="resend")
    measured("cancel", Form("/signup/cancel/", "post", form().fields))
    return took


if __name__ == "__main__":
    sys.exit(main())
