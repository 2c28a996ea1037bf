"""`python -m benchmarks [name ...]`: runs every benchmark of this folder, or those named, and prints their tables.

A benchmark is a module `bench_<name>.py` with a `main()` that prints a table and returns an exit status.
"""

import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent


def main(wanted: list[str]) -> int:
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    unknown = set(wanted) - set(known)
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
        return 2
    statuses = []
    for name in wanted or known:
        print(f"\n==== {name}\n", flush=True)
        statuses.append(import_module(f"benchmarks.bench_{name}").main())
    return max(statuses, default=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
