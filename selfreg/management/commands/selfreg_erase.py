"""``manage.py selfreg_erase EMAIL``: erases the data of a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import ProtectedError, QuerySet, RestrictedError

from selfreg.accounts.linking import is_staff
from selfreg.idx.client import Visitor
from selfreg.management import erasure
from selfreg.management.handling import TRY_LATER, explained
from selfreg.management.progress import Run, add_limits, recorded
from selfreg.models import Conflict, OktaIdentity, RegistrationQuerySet
from selfreg.monitoring import events
from selfreg.registration import endings, retention
from selfreg.registration.exchange import open_row
from selfreg.registration.policy import connect

OPTIONS = {
    "--with-sessions": "also end the person's sessions, and delete them",
    "--with-identities": "also erase the links between the Django user and Okta accounts; implies --with-sessions",
    "--with-user": "also delete the Django user and everything that depends on it; implies the other two",
}
STAFF = "Nothing was erased: the user is staff. Remove the staff status first, or leave out --with-user."


@dataclass(frozen=True, slots=True)
class Request:
    """What to erase. ``users`` is empty if only registrations are erased."""

    registrations: RegistrationQuerySet
    users: QuerySet[Any]
    sessions: bool
    identities: bool
    user: bool

    @property
    def owned_identities(self) -> QuerySet[OktaIdentity]:
        """The Okta identities of the users."""
        return OktaIdentity.objects.filter(user__in=self.users)


class Command(BaseCommand):
    """Erases all registrations of an address, and what else the options ask for."""

    help = (
        "Erases every registration of an email address, with its events. Open registrations are cancelled first. The "
        "options add sessions, Okta identities and the Django user. The account at Okta stays: delete it there first, "
        "or its owner can sign in again."
    )
    run: Run
    """The last run of this object."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the argument and the options."""
        parser.add_argument("email", help="the address, in any spelling")
        for option, explanation in OPTIONS.items():
            parser.add_argument(option, action="store_true", help=explanation)
        add_limits(parser)

    @explained
    def handle(self, *args: Any, email: str, dry_run: bool, limit: int | None, **options: Any) -> None:
        """Run the command.

        :raises CommandError: the user can't be deleted; the command was stopped; or some registrations are left (exit
            status 75, try again later)
        """
        request = request_of(email, options)
        if request.user and any(map(is_staff, request.users)):
            raise CommandError(STAFF)
        if dry_run:
            self.preview(request)
            return
        run = self.run = Run("selfreg_erase", self.stdout, options["verbosity"], limit)
        with recorded(run):
            try:
                self.erase(request, run)
            finally:
                events.person_erased(erased(run))

    def preview(self, request: Request) -> None:
        """Print what would be erased."""
        rows = request.registrations
        self.stdout.write(f"would erase {rows.count()} registrations, {rows.open().count()} of them open")
        if request.sessions:
            listed = sum(1 for _ in erasure.stored_sessions(request.users)) if erasure.sessions_are_listed() else "all"
            self.stdout.write(f"would end {listed} sessions")
        if request.identities:
            self.stdout.write(f"would erase {request.owned_identities.count()} Okta identities")
        if request.user:
            self.stdout.write(f"would delete {request.users.count()} users")

    def erase(self, request: Request, run: Run) -> None:
        """Erase sessions first, so that the person can no longer do anything.

        :raises CommandError: see ``handle``
        """
        if request.sessions:
            run.count("erased: sessions", erasure.delete_sessions(request.users))
        run.follow("erased", self.registrations(request.registrations, run), request.registrations)
        if request.registrations.exists():
            raise CommandError("Some registrations are left. Run this again.", returncode=TRY_LATER)
        if request.identities and not request.user:
            run.count("erased: identities", request.owned_identities.delete()[0])
        if request.user:
            delete_users(request, run)
        counts = ", ".join(f"{number} {what}" for what, number in erased(run).items())
        run.say(f"erased {counts or '0 registrations'}. The account at Okta wasn't changed.")

    def registrations(self, rows: RegistrationQuerySet, run: Run) -> Iterator[tuple[str, int]]:
        """Erase registrations one by one, up to the limit."""
        for row in rows.order_by("created_at")[: run.left]:
            attempt = open_row(row, connect(row.settings, Visitor()))
            try:
                if row.is_open and attempt.is_readable:
                    endings.cancel(attempt)
                elif row.is_open:
                    endings.fail(attempt, "erased")
            except Conflict:
                self.stderr.write(f"{row.pk} is in use right now")
                continue
            if number := sum(retention.erase(rows.filter(pk=row.pk))):
                yield "registrations", number


def erased(run: Run) -> dict[str, int]:
    """Return what was erased, and how many of each."""
    return {outcome.removeprefix("erased: "): number for outcome, number in run.counts.items() if number}


def request_of(email: str, options: dict[str, Any]) -> Request:
    """Return what the options ask for. Each option includes the previous one."""
    user = bool(options.get("with_user"))
    identities = user or bool(options.get("with_identities"))
    sessions = identities or bool(options.get("with_sessions"))
    rows = retention.of(email)
    users = erasure.users_of(email, rows)
    if user:
        # Rows without personal data still have the user and the Okta account.
        rows = rows.model.objects.filter(pk__in=[r.pk for r in (*rows, *erasure.registrations_of(users))])
    return Request(rows, users if sessions else users.none(), sessions, identities, user)


def delete_users(request: Request, run: Run) -> None:
    """Delete the users, and their identities with them.

    :raises CommandError: other data of the site does not allow it
    """
    identities, users = request.owned_identities.count(), list(request.users)
    try:
        for user in users:
            user.delete()
    except (ProtectedError, RestrictedError) as error:
        models = ", ".join(sorted({str(row._meta.label) for row in (error.args[1] if len(error.args) > 1 else ())}))
        raise CommandError(f"The user wasn't deleted, because other data depends on it: {models}.") from error
    run.count("erased: identities", identities)
    run.count("erased: users", len(users))
