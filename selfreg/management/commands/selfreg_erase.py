"""``manage.py selfreg_erase EMAIL``: erases the data of a person who asks for it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from selfreg.conf import conf
from selfreg.idx.client import Visitor
from selfreg.models import Conflict
from selfreg.registration import endings, retention
from selfreg.registration.exchange import open_row
from selfreg.registration.policy import connect


class Command(BaseCommand):
    """Erases all registrations of an address. Fails if one of them is in use by another process."""

    help = (
        "Erases every registration of an e-mail address, with its events. Open registrations are cancelled first. The "
        "Django user and the account at Okta are not touched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declares the argument."""
        parser.add_argument("email", help="the address, in any spelling")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        """Runs the command.

        :raises CommandError: some registrations are in use, and were not erased
        """
        rows = retention.of(email)
        for registration in rows.open():
            attempt = open_row(registration, connect(conf(), Visitor()))
            try:
                if attempt.is_readable:
                    endings.cancel(attempt)
                else:
                    endings.fail(attempt, "erased")
            except Conflict:
                self.stderr.write(f"{registration.pk} is being used right now")
        erased = sum(retention.erase(rows))
        if rows.exists():
            raise CommandError("Some are being used right now: run this again.")
        self.stdout.write(f"erased {erased} registrations. The person's Django user and Okta account were not changed.")
