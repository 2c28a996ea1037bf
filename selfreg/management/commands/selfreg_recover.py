"""``manage.py selfreg_recover``: settles stuck registrations. Run it every few minutes."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from selfreg.conf import orgs
from selfreg.management.handling import TRY_LATER, explained
from selfreg.management.progress import Run, add_limits, recorded, summary
from selfreg.models import Registration, RegistrationQuerySet
from selfreg.okta_api.client import is_configured
from selfreg.registration import recovery

NOT_CONFIGURED = (
    "--accounts needs Okta's Management API. Set SELFREG['API_TOKEN'], or SELFREG['API_CLIENT_ID'] and "
    "SELFREG['API_PRIVATE_KEY'] of an OAuth service app."
)

# A name, the rows, and the function that handles them.
Step = tuple[str, RegistrationQuerySet, Callable[[], Iterator[tuple[Registration, str]]]]


class Command(BaseCommand):
    """Handles stuck registrations, abandoned ones, and unfinished Okta accounts, and prints the outcomes."""

    help = (
        "Asks Okta about calls whose answer was lost, expires abandoned registrations, and with --accounts handles "
        "their unfinished Okta accounts. Run it every few minutes, and before selfreg_purge."
    )

    run: Run
    """The last run of this object."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        add_limits(parser)
        parser.add_argument(
            "--accounts",
            choices=("report", "activate", "remove"),
            default="",
            help="what to do with unfinished accounts of abandoned registrations; needs an API token or a service app",
        )

    @explained
    def handle(self, *args: Any, accounts: str, dry_run: bool, limit: int | None, **options: Any) -> None:
        """Run the command.

        :raises CommandError: ``--accounts`` without access to the Management API; the command was stopped; or Okta did
            not answer for some registrations (exit status 75, try again later)
        """
        if accounts and not any(map(is_configured, orgs().values())):
            raise CommandError(NOT_CONFIGURED)
        steps: list[Step] = [
            ("in doubt", recovery.stuck(), recovery.settle_stuck),
            ("abandoned", recovery.to_expire(), recovery.expire_abandoned),
        ]
        if accounts:
            handle = partial(recovery.handle_orphaned_accounts, accounts)
            steps.append(("accounts", recovery.all_with_orphaned_account(), handle))
        if dry_run:
            for what, rows, _results in steps:
                self.stdout.write(f"{what}: {rows.count()}")
            return
        self.work(steps, limit, options["verbosity"])

    def work(self, steps: list[Step], limit: int | None, verbosity: int) -> None:
        """Run the steps, and print how often each outcome occurred.

        :param limit: the maximum number of registrations; None for all
        """
        run = self.run = Run("selfreg_recover", self.stdout, verbosity, limit)
        with recorded(run):
            for what, rows, results in steps:
                counts = run.follow(what, self.outcomes(islice(results(), run.left), verbosity), rows)
                run.say(f"{what}: {summary(counts)}")
        if unsettled := run.counts[f"in doubt: {recovery.IN_DOUBT}"]:
            raise CommandError(
                f"Okta didn't answer for {unsettled} registrations. The next run asks again.", returncode=TRY_LATER
            )

    def outcomes(self, results: Iterable[tuple[Registration, str]], verbosity: int) -> Iterator[tuple[str, int]]:
        """Yield the outcomes. With ``-v 2``, also print a line for each registration."""
        for registration, outcome in results:
            if verbosity > 1:
                self.stdout.write(f"{registration.pk} {outcome}")
            yield outcome, 1
