"""Sign-ups while Okta takes its time: this app beside the least that the protocol allows, in one run.

The org answers after BENCH_MILLISECONDS (150). Two workers of 32 threads serve 64 visitors at once, so what limits the
rate is how many calls are under way, or the processors. Nobody may be turned away. BENCH_SIGN_UPS (256),
BENCH_ROUNDS (3), BENCH_DATABASE_URL as for `sign_up`.
"""

import os
import statistics
import sys

from benchmarks.bench_sign_up import PEERS, ROUNDS, Load, measured

THREADS, CALLS, GOAL = 32, 6, 0.9
LOAD = Load(
    sign_ups=int(os.environ.get("BENCH_SIGN_UPS", "256")),
    at_once=2 * THREADS,
    threads=THREADS,
    options=("--worker-connections", str(THREADS)),
    milliseconds=int(os.environ.get("BENCH_MILLISECONDS", "150")),
)
SITES = tuple(peer for peer in PEERS if peer.name in ("selfreg, one form", "floor"))


def main() -> int:
    rounds = measured(SITES, LOAD)
    if not rounds:
        return 0
    print(f"{LOAD.sign_ups} sign-ups, {LOAD.at_once} at once, Okta at {LOAD.milliseconds} ms, medians of {ROUNDS}")
    print(f"{'by waiting alone at most':28}{2 * THREADS / (CALLS * LOAD.milliseconds / 1000):8.1f} a second")
    rates = {}
    for name, figures in rounds.items():
        if len(figures) < ROUNDS:
            print(f"{name:28}{'-':>8}   somebody did not get in")
            continue
        rates[name] = statistics.median(f.rate for f in figures)
        cpu, new = statistics.median(f.cpu for f in figures), max(f.connections for f in figures)
        print(f"{name:28}{rates[name]:8.1f} a second {cpu:8.1f} ms CPU {new:5.0f} connections")
    if len(rates) < len(SITES):
        return 1
    ratio = rates["selfreg, one form"] / rates["floor"]
    print(f"{'against the floor':28}{ratio:8.2f}   goal {GOAL} {'' if ratio >= GOAL else '  not met'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
