"""What the commands share that work through many registrations: counts, a bar on a terminal, a record of the run."""

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

# A command that a signal stopped exits with this and the signal's number, as shells report it.
STOPPED = 128
WIDTH = 30
REDRAW_SECONDS = 0.2
SAVE_SECONDS = 5.0
# A bar knows no larger total: counting a million rows takes longer than it is worth.
LARGEST_TOTAL = 100_000

Outcomes = Iterable[tuple[str, int]]
"""What became of rows, and of how many."""


class Stopped(Exception):
    """Somebody stopped the command, by Ctrl-C or SIGTERM."""


class Run:
    """One run of a command.

    ``counts`` is written to its ``CommandRun`` every few seconds and at the end, however it ends; only ``SIGKILL``
    loses the last seconds. A signal takes effect after the rows at hand, so that what was done was counted; a second
    one takes effect at once.

    :param out: where a bar is drawn, if it is a terminal and ``verbosity`` is not 0
    :param limit: how many registrations to take at most; None for all
    """

    def __init__(self, command: str, out: OutputWrapper, verbosity: int, limit: int | None = None) -> None:
        self.command, self.out, self.verbosity, self.limit = command, out, verbosity, limit
        self.counts: Counter[str] = Counter()
        self.signal: int = 0
        self._draws = verbosity > 0 and out.isatty()
        self._started_at, self._saved, self._drawn = timezone.now(), 0.0, 0.0

    @property
    def left(self) -> int | None:
        """How many registrations the limit still allows; None without a limit."""
        return None if self.limit is None else max(self.limit - self.counts.total(), 0)

    def follow(self, what: str, outcomes: Outcomes, rows: QuerySet[Any]) -> Counter[str]:
        """Take all outcomes, and return how often each occurred.

        :param rows: what there is to do; only counted where a bar is drawn
        :raises Stopped: a signal came
        """
        counts: Counter[str] = Counter()
        largest = LARGEST_TOTAL if self.left is None else min(self.left, LARGEST_TOTAL)
        expected = rows.order_by()[:largest].count() if self._draws else 0
        for outcome, number in outcomes:
            counts[outcome] += number
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
        """Continue between two pieces of work, unless a signal came.

        :raises Stopped: a signal came
        """
        if self.signal:
            self._wipe()
            raise Stopped

    def say(self, line: str) -> None:
        """Print a line, unless ``-v 0`` asks for silence."""
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
    """Record a run from here to the end of the block, also where that is an exception.

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
    """Has a run take note of SIGINT and SIGTERM. Outside the main thread, which alone gets signals, does nothing."""
    before: dict[int, Any] = {}

    def stop(number: int, frame: Any) -> None:
        is_second, run.signal = bool(run.signal), int(number)
        handler = before.get(number)
        if callable(handler) and handler is not signal.default_int_handler:
            handler(number, frame)  # a worker that runs the command as a task has to end, too
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
    """Declare ``--dry-run`` and ``--limit``."""
    parser.add_argument("--dry-run", action="store_true", help="only print how much would be affected")
    parser.add_argument("--limit", type=positive, default=None, help="stop after this many registrations")


def positive(text: str) -> int:
    """Read a number of an option.

    :raises ArgumentTypeError: it is not a whole number above zero
    """
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a number above zero")
    return int(text)
