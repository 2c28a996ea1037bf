"""``manage.py selfreg_purge``: keeps registrations no longer than the settings say. Run it every hour."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from selfreg.registration import retention


class Command(BaseCommand):
    help = (
        "Erases abandoned registrations and those marked for erasure, and takes the person out of finished ones, as "
        "SELFREG['ERASE_ABANDONED_AFTER_SECONDS'] and ['REDUCE_FINISHED_AFTER_SECONDS'] say. Whoever is "
        "erased stays counted in the admin's funnel. May be stopped any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument("--batch", type=int, default=retention.BATCH, help="rows of one transaction")

    def handle(self, *args: Any, dry_run: bool, batch: int, **options: Any) -> None:
        abandoned, finished = retention.abandoned(), retention.finished()
        if dry_run:
            self.stdout.write(f"would erase {abandoned.count()} and reduce {finished.count()} registrations")
            return
        self.progress("erased", abandoned.count(), retention.erase(abandoned, batch))
        self.progress("reduced", finished.count(), retention.reduce(finished, batch))
        self.progress("counted", retention.completed().count(), retention.count(retention.completed(), batch))
        self.stdout.write(f"forgot {retention.forget_allowances()} counts of limits")

    def progress(self, what: str, total: int, batches: Iterator[int]) -> None:
        done = 0
        for size in batches:
            done += size
            self.stdout.write(f"{what} {done} of {max(total, done)} registrations")
        if not done:
            self.stdout.write(f"{what} none")
