"""``manage.py selfreg_recover``: settles stuck registrations. Run it every few minutes."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from selfreg.conf import conf
from selfreg.models import Registration
from selfreg.okta_api.client import is_configured
from selfreg.registration import recovery

NOT_CONFIGURED = (
    "--accounts uses Okta's Management API: set SELFREG['API_TOKEN'], or SELFREG['API_CLIENT_ID'] and "
    "SELFREG['API_PRIVATE_KEY'] of an OAuth service app."
)


class Command(BaseCommand):
    """Prints what became of stuck registrations, of abandoned ones, and of accounts at Okta."""

    help = (
        "Asks Okta what became of calls whose answer was lost, ends registrations that nobody came back to, and sees "
        "to accounts at Okta that were begun and left. Run it every few minutes, and before selfreg_purge."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declares the options."""
        parser.add_argument(
            "--accounts",
            choices=("report", "activate", "remove"),
            default="",
            help="what to do with half-made accounts of abandoned registrations; needs an API token or a service app",
        )

    def handle(self, *args: Any, accounts: str, **options: Any) -> None:
        """Runs the command.

        :raises CommandError: ``--accounts`` without access to the Management API
        """
        if accounts and not is_configured(conf()):
            raise CommandError(NOT_CONFIGURED)
        self.print_outcomes("in doubt", recovery.settle_stuck(), options["verbosity"])
        self.print_outcomes("abandoned", recovery.expire_abandoned(), options["verbosity"])
        if accounts:
            self.print_outcomes("accounts", recovery.handle_orphaned_accounts(accounts), options["verbosity"])

    def print_outcomes(self, what: str, results: Iterator[tuple[Registration, str]], verbosity: int) -> None:
        """Prints how often each outcome occurred; with ``-v 2`` also a line for each registration."""
        counts: Counter[str] = Counter()
        for registration, outcome in results:
            counts[outcome] += 1
            if verbosity > 1:
                self.stdout.write(f"{registration.pk} {outcome}")
        summary = ", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items()))
        self.stdout.write(f"{what}: {summary or 'none'}")
