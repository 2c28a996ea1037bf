"""Shared by commands that process many registrations: counts, a progress bar, a record of the run."""

import signal
import time
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper
from django.db import Error
from django.db.models import QuerySet
from django.utils import timezone

from selfreg.database_connections import is_outage
from selfreg.management.handling import database_failed
from selfreg.models import CommandRun

# A command that was stopped by a signal exits with this plus the signal's number, like in shells.
STOPPED = 128
WIDTH = 30
REDRAW_SECONDS = 0.2
SAVE_SECONDS = 5.0
# The largest total of a bar, because counting a million rows takes too long.
LARGEST_TOTAL = 100_000

Outcomes = Iterable[tuple[str, int]]
"""Pairs of an outcome and the number of rows that had it."""


class Stopped(Exception):
    """The command was stopped with Ctrl-C or SIGTERM."""


class Run:
    """One run of a command.

    ``counts`` is written to its ``CommandRun`` every few seconds and at the end, however it ends; only ``SIGKILL``
    loses the last seconds. A signal stops it after the current rows, so that everything is counted. A second one stops
    it at once.

    :param out: where the bar is drawn, if it is a terminal and ``verbosity`` is not 0
    :param limit: the maximum number of registrations; None for all
    """

    def __init__(self, command: str, out: OutputWrapper, verbosity: int, limit: int | None = None) -> None:
        self.command, self.out, self.verbosity, self.limit = command, out, verbosity, limit
        self.counts: Counter[str] = Counter()
        self.signal: int = 0
        self._processed = 0
        self._draws = verbosity > 0 and out.isatty()
        self._started_at, self._saved, self._drawn = timezone.now(), 0.0, 0.0

    @property
    def left(self) -> int | None:
        """How many registrations the limit still allows; None without a limit."""
        return None if self.limit is None else max(self.limit - self._processed, 0)

    def follow(self, what: str, outcomes: Outcomes, rows: QuerySet[Any]) -> Counter[str]:
        """Count all outcomes, and return how often each occurred.

        :param rows: the rows to process, which are only counted for the bar
        :raises Stopped: a signal came
        """
        counts: Counter[str] = Counter()
        largest = LARGEST_TOTAL if self.left is None else min(self.left, LARGEST_TOTAL)
        expected = rows.order_by()[:largest].count() if self._draws else 0
        for outcome, number in outcomes:
            counts[outcome] += number
            self._processed += number
            self.count(f"{what}: {outcome}", number)
            self._draw(what, counts.total(), expected)
            self.go_on()
        self._wipe()
        return counts

    def count(self, outcome: str, times: int = 1) -> None:
        """Count an outcome."""
        self.counts[outcome] += times
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self.save()

    def go_on(self) -> None:
        """Call it between two pieces of work.

        :raises Stopped: a signal came
        """
        if self.signal:
            self._wipe()
            raise Stopped

    def say(self, line: str) -> None:
        """Print a line, unless the command was called with ``-v 0``."""
        if self.verbosity:
            self.out.write(line)

    def save(self, **columns: Any) -> None:
        """Write the counts."""
        self._saved = time.monotonic()
        values = {"started_at": self._started_at, "counts": dict(self.counts), **columns}
        CommandRun.objects.update_or_create(command=self.command, defaults=values)

    def _draw(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if self._draws and now - self._drawn > REDRAW_SECONDS:
            self._drawn = now
            more, total = "+" if total == LARGEST_TOTAL else "", max(total, done)
            bar = "#" * (WIDTH * done // total)
            self.out.write(f"\r{what} [{bar:<{WIDTH}}] {done} of {total}{more}\033[K", ending="")
            self.out.flush()

    def _wipe(self) -> None:
        if self._draws and self._drawn:
            self.out.write("\r\033[K", ending="")


@contextmanager
def recorded(run: Run) -> Iterator[None]:
    """Record a run until the end of the block, even if it ends with an exception.

    :raises CommandError: the command was stopped (exit status 130 or 143), or the database failed (75 if it is away);
        what was done until then stays done
    """
    with _signals(run):
        try:
            run.save()
            yield
            run.save(finished_at=timezone.now())
        except (Stopped, KeyboardInterrupt) as stopped:
            run.save()
            status = STOPPED + (run.signal or signal.SIGINT)
            raise CommandError(f"stopped; so far: {summary(run.counts)}", returncode=status) from stopped
        except BaseException as error:
            if not is_outage(error):
                with suppress(Error):
                    run.save()
            if isinstance(error, Error):
                raise database_failed(error, summary(run.counts)) from error
            raise


@contextmanager
def _signals(run: Run) -> Iterator[None]:
    """Note SIGINT and SIGTERM in the run. Outside the main thread, which gets all signals, this does nothing."""
    before: dict[int, Any] = {}

    def stop(number: int, frame: Any) -> None:
        is_second, run.signal = bool(run.signal), int(number)
        handler = before.get(number)
        if callable(handler) and handler is not signal.default_int_handler:
            handler(number, frame)  # for example, to end the worker that runs the command as a task
        elif is_second:
            raise KeyboardInterrupt

    with suppress(ValueError):
        for interrupt in (signal.SIGINT, signal.SIGTERM):
            before[interrupt] = signal.signal(interrupt, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def summary(counts: Counter[str]) -> str:
    """Return the counts as text."""
    return ", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items())) or "none"


def add_limits(parser: CommandParser) -> None:
    """Add the options ``--dry-run`` and ``--limit``."""
    parser.add_argument("--dry-run", action="store_true", help="only print how much would be affected")
    parser.add_argument("--limit", type=positive, default=None, help="stop after this many registrations")


def positive(text: str) -> int:
    """Return the value of an option as a number.

    :raises ArgumentTypeError: it is not a whole number above zero
    """
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a number above zero")
    return int(text)
