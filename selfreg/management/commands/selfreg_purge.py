"""``manage.py selfreg_purge``: erases old registrations as the settings say. Run it every hour."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from selfreg.registration import retention


class Command(BaseCommand):
    """Erases, reduces and counts registrations in batches, each of which is a transaction of its own."""

    help = (
        "Erases abandoned registrations and those marked for erasure, and removes personal data from completed ones, "
        "after SELFREG['ERASE_ABANDONED_AFTER_SECONDS'] and ['REDUCE_FINISHED_AFTER_SECONDS']. Erased people stay "
        "counted in the admin's funnel. The command may be stopped at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declares the options."""
        parser.add_argument("--dry-run", action="store_true", help="only print how many registrations are affected")
        parser.add_argument("--batch", type=int, default=retention.BATCH, help="rows per transaction")

    def handle(self, *args: Any, dry_run: bool, batch: int, **options: Any) -> None:
        """Runs the command."""
        abandoned, finished = retention.abandoned(), retention.finished()
        if dry_run:
            self.stdout.write(f"would erase {abandoned.count()} and reduce {finished.count()} registrations")
            return
        self.print_progress("erased", abandoned.count(), retention.erase(abandoned, batch))
        self.print_progress("reduced", finished.count(), retention.reduce(finished, batch))
        self.print_progress("counted", retention.completed().count(), retention.count(retention.completed(), batch))
        self.stdout.write(f"deleted {retention.delete_old_counters()} old rate-limit counters")

    def print_progress(self, verb: str, total: int, batches: Iterator[int]) -> None:
        """Runs the batches, and prints a line after each.

        :param total: how many rows there were at the start
        :param batches: does the work; yields the size of every batch
        """
        done = 0
        for size in batches:
            done += size
            self.stdout.write(f"{verb} {done} of {max(total, done)} registrations")
        if not done:
            self.stdout.write(f"{verb} none")
