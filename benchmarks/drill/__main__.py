"""`make drill`: see docs/runbook.md. `--blind` hides the cause and asks for it; names of causes make only these."""

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.drill.causes import CAUSES
from benchmarks.drill.dashboard import WINDOW_SECONDS, panels
from benchmarks.drill.runbook import Line, Row, cause_by_dashboard, cause_by_logs, rows
from benchmarks.drill.running import Drill, Stream, running_drill

LOOK_SECONDS = 2.0
PATIENCE_SECONDS = 180.0
# The same answer so many times in a row is one.
STEADY = 3


@dataclass
class Seen:
    """What was seen while one cause was at work."""

    by_dashboard: str | None = ""
    """None: there is no Prometheus here."""
    by_logs: str = ""
    alerts: set[str] = field(default_factory=set)
    lines: list[Line] = field(default_factory=list)
    seconds: float = 0.0

    def names(self, cause: str) -> bool:
        return self.by_dashboard in (None, cause) and self.by_logs == cause


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("make drill", description="Causes of trouble, and the runbook that tells them.")
    parser.add_argument("causes", nargs="*", help="only these, by the names in docs/runbook.md")
    parser.add_argument("--blind", action="store_true", help="one cause that is not named; you find it")
    parser.add_argument("--visitors", type=int, default=6, help="how many are there at once")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        try:
            with running_drill(Path(folder)) as drill:
                run = blind if options.blind else told
                return run(drill, options.visitors, options.causes or [row.cause for row in rows()])
        except RuntimeError as error:
            print(f"left out: {error}")
            return 0


def told(drill: Drill, visitors: int, causes: list[str]) -> int:
    """One cause after the other; prints what was seen. 0 if each was named by dashboard and log."""
    if drill.dashboard is None:
        print("Prometheus is not installed: causes are found from the log alone.\n")
    missed = []
    for cause in causes:
        seen = observed(drill, visitors, cause)
        row = next(row for row in rows() if row.cause == cause)
        print(f"== {cause}  (looked for {seen.seconds:.0f} s)")
        if seen.by_dashboard is not None:
            print(f"   dashboard: {seen.by_dashboard or 'nothing'}  ({row.panel.panel})")
            print(f"   alerts:    {', '.join(sorted(seen.alerts)) or 'none'}")
        print(f"   log:       {seen.by_logs or 'nothing'}  ({evidence(row, seen.lines)})")
        print(f"   what to do: {row.remedy}\n", flush=True)
        missed += [] if seen.names(cause) else [cause]
    print(
        f"the runbook named {len(causes) - len(missed)} of {len(causes)} causes" + "".join(f"; not {c}" for c in missed)
    )
    return 1 if missed else 0


def evidence(row: Row, lines: list[Line]) -> str:
    """An example of what the log shows of this cause."""
    found = [line for sign in row.logs for line in sign.of(lines)]
    shown = {name: value for name, value in (found[-1] if found else {}).items() if name in SHOWN}
    return f"{len(found)} lines, such as " + " ".join(f"{k}={v}" for k, v in shown.items()) if found else "no line"


SHOWN = ("event", "path", "step", "status", "error", "reason", "outcome", "milliseconds", "okta_request_id")


def observed(drill: Drill, visitors: int, cause: str, patience: float = PATIENCE_SECONDS) -> Seen:
    """Lets it happen until dashboard and log name it the same way a few times in a row, or patience ends."""
    began, seen, steady = time.monotonic(), Seen(), 0
    with CAUSES[cause](drill.breakable), Stream(drill.site, visitors):
        # What was before the cause is out of every window then.
        time.sleep(WINDOW_SECONDS + LOOK_SECONDS)
        drill.log.new_lines()
        while steady < STEADY and time.monotonic() - began < patience:
            look(drill, seen)
            steady = steady + 1 if seen.names(cause) else 0
            time.sleep(LOOK_SECONDS)
        seen.seconds = time.monotonic() - began
    return seen


def look(drill: Drill, seen: Seen) -> None:
    table = rows()
    seen.lines += drill.log.new_lines()
    seen.by_logs = cause_by_logs(table, seen.lines)
    seen.by_dashboard = None
    if drill.dashboard:
        seen.by_dashboard = cause_by_dashboard(table, drill.dashboard.shown())
        seen.alerts |= drill.dashboard.alerts()


def blind(drill: Drill, visitors: int, causes: list[str]) -> int:
    """One cause; a person finds it with the runbook. 0 if the answer is right."""
    cause = random.choice(causes)
    with CAUSES[cause](drill.breakable), Stream(drill.site, visitors):
        print(
            f"Something is wrong with {drill.site.servers[0].address}/signup/. Which cause is it? Read docs/runbook.md."
        )
        print(f"The log is in {' and '.join(map(str, drill.log.files))}.")
        if drill.dashboard:
            print(f"Alerts: {drill.dashboard.url}/alerts. The dashboard, with windows of {WINDOW_SECONDS} s:")
            for title in panels():
                print(f"  {title}: {drill.dashboard.link(title)}")
        for number, row in enumerate(rows(), 1):
            print(f"{number}. {row.cause}")
        answer = input("Which cause is it? ").strip()
    chosen = rows()[int(answer) - 1].cause if answer.isdecimal() and 0 < int(answer) <= len(rows()) else answer
    print("Right." if chosen == cause else f"No: {cause}.")
    print(next(row.remedy for row in rows() if row.cause == cause))
    return 0 if chosen == cause else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
