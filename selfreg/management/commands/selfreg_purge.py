"""``manage.py selfreg_purge``: erases old registrations as the settings say. Run it every hour."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import router, transaction
from django.utils import timezone

from selfreg.accounts.okta_events import KEPT_FOR
from selfreg.management.handling import explained
from selfreg.management.progress import Run, add_limits, positive, recorded
from selfreg.models import OktaEvent, RateLimitCounter, RegistrationQuerySet
from selfreg.registration import retention


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the purge. ``rows`` are its registrations, and ``parts`` the same, each in the order of an index."""

    verb: str
    rows: Callable[[], RegistrationQuerySet]
    parts: Callable[[], list[retention.Part]]
    work: Callable[[RegistrationQuerySet, int, str, int | None], Iterator[int]]


STEPS = (
    Step("erased", retention.to_erase, retention.to_erase_in_parts, retention.erase),
    Step("reduced", retention.finished, lambda: [(retention.finished(), "finished_at")], retention.reduce),
    Step("counted", retention.completed, lambda: [(retention.completed(), "id")], retention.count),
)


class Command(BaseCommand):
    """Erases, reduces and counts registrations in batches. Each batch is a transaction."""

    help = (
        "Erases abandoned registrations and those marked for erasure, and removes personal data from completed ones, "
        "after SELFREG['ERASE_ABANDONED_AFTER_SECONDS'] and ['REDUCE_FINISHED_AFTER_SECONDS']. Erased people stay "
        "counted in the admin's funnel. You can stop the command at any time."
    )
    run: Run
    """The last run of this object."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        add_limits(parser)
        parser.add_argument("--batch", type=positive, default=retention.BATCH, help="rows per transaction")

    @explained
    def handle(self, *args: Any, dry_run: bool, limit: int | None, batch: int, **options: Any) -> None:
        """Run the command.

        :raises CommandError: the command was stopped, or the database is away
        """
        if dry_run:
            erased, reduced = retention.to_erase().count(), retention.finished().count()
            self.stdout.write(f"would erase {erased} and reduce {reduced} registrations")
            return
        run = self.run = Run("selfreg_purge", self.stdout, options["verbosity"], limit)
        with recorded(run):
            for step in STEPS:
                done = run.follow(step.verb, batches(step, batch, run), step.rows()).total()
                run.say(f"{step.verb} {done or 'none'}{' registrations' if done else ''}")
            clean_up(run)


def batches(step: Step, batch: int, run: Run) -> Iterator[tuple[str, int]]:
    """Do the work of a step, up to the limit, and yield the size of each batch."""
    for rows, column in step.parts():
        for size in step.work(rows, batch, column, run.left):
            yield "registrations", size


def clean_up(run: Run) -> None:
    """Delete other old rows, which no limit is about."""
    run.say(f"deleted {delete_old_counters(run)} old rate-limit counters")
    # Too old to be accepted again.
    deleted, _ = OktaEvent.objects.filter(at__lt=timezone.now() - KEPT_FOR).delete()
    run.say(f"deleted {deleted} old Okta events")
    run.go_on()
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    run.say("deleted sessions that have ended")


def delete_old_counters(run: Run) -> int:
    """Delete rate limit counters whose window is over, and return how many.

    Those that a request counts again at this moment stay. Waiting for them could deadlock, because the request locks
    several in another order.
    """
    database, total, deleted = router.db_for_write(RateLimitCounter), 0, 1
    old = RateLimitCounter.objects.using(database).filter(until__lt=timezone.now().timestamp())
    while deleted:
        with transaction.atomic(using=database):
            keys = list(retention.unlocked(old).values_list("key", flat=True)[: retention.BATCH])
            deleted, _ = old.filter(key__in=keys).delete()
        total += deleted
        run.go_on()
    return total
