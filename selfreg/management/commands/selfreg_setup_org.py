import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from selfreg.doctor import asking, documents
from selfreg.doctor.examination import examine, write_down
from selfreg.doctor.management_api import Management, is_configured
from selfreg.idx.errors import IdxError, OrgRefused
from selfreg.setup_org.carry_out import Interrupted, carry_out, take_back
from selfreg.setup_org.ledger import Ledger, UnreadableLedger, load
from selfreg.setup_org.plan import CannotPlan, Change, plan

LEDGER = "selfreg-org-setup.json"
NO_TOKEN = (
    "This needs an API token: SELFREG['API_TOKEN'], or SELFREG['API_CLIENT_ID'] and SELFREG['API_PRIVATE_KEY'] of an "
    "OAuth service app. Without one, docs/org-setup.md goes through the same steps by hand."
)


class Command(BaseCommand):
    help = (
        "Sets the org up for this site: shows what would change, asks, changes it, and looks whether it is right now. "
        "Changes nothing that it does not name."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only show; the default away from a terminal")
        parser.add_argument("--yes", "--no-input", action="store_true", dest="yes", help="change without asking")
        parser.add_argument("--undo", action="store_true", help="take back what this command has changed")
        parser.add_argument("--plan-file", default=LEDGER, help=f"where changes are written down ({LEDGER})")

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_configured():
            raise CommandError(NO_TOKEN)
        site = asking.site()
        if not site.client_id:
            raise CommandError("SELFREG['CLIENT_ID'] is not set. For an app that is yet to be made, choose any.")
        api = Management()
        try:
            ledger = load(Path(options["plan_file"]), site.issuer)
            if options["undo"]:
                self.undo(api, ledger, options)
            else:
                self.apply(api, ledger, plan(site, documents.read(api, site.client_id)), options)
        except (CannotPlan, UnreadableLedger) as problem:
            raise CommandError(str(problem)) from problem
        except IdxError as error:
            raise CommandError(f"Nothing was changed. {in_words(error)}") from error
        except Interrupted as stopped:
            raise CommandError(self.how_far(stopped, options)) from stopped

    def apply(self, api: Management, ledger: Ledger, changes: tuple[Change, ...], options: dict[str, Any]) -> None:
        for change in changes:
            self.tell(change.name, change.lines)
        if not changes:
            self.stdout.write(self.style.SUCCESS("Nothing to change."))
        elif self.is_agreed(options):
            carry_out(api, changes, ledger, lambda name: self.stdout.write(f"done: {name}"))
            # What a new app shows by itself now, and was announced with it.
            carry_out(api, self.rest(api), ledger, lambda name: self.stdout.write(f"done: {name}"))
            self.stdout.write(f"Written down in {ledger.path}; --undo takes it back.")
            self.verify()

    def rest(self, api: Management) -> tuple[Change, ...]:
        site = asking.site()
        try:
            return plan(site, documents.read(api, site.client_id))
        except IdxError as error:
            raise CommandError(f"Changed, but it could not be read back. {in_words(error)} Run it again.") from error

    def undo(self, api: Management, ledger: Ledger, options: dict[str, Any]) -> None:
        for entry in ledger.to_undo:
            self.tell(f"take back: {entry.name}", entry.lines)
        if not ledger.to_undo:
            self.stdout.write(f"Nothing to take back: {ledger.path} holds no change.")
        elif self.is_agreed(options):
            take_back(api, ledger, lambda name: self.stdout.write(f"taken back: {name}"))

    def is_agreed(self, options: dict[str, Any]) -> bool:
        if options["dry_run"] or not (options["yes"] or sys.stdin.isatty()):
            self.stdout.write(self.style.WARNING("Nothing was changed. --yes changes it without asking."))
            return False
        agreed = options["yes"] or input("Change the org? [y/N] ").strip().lower() in ("y", "yes")
        if not agreed:
            self.stdout.write("Nothing was changed.")
        return bool(agreed)

    def tell(self, name: str, lines: tuple[str, ...]) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(name))
        for line in lines:
            self.stdout.write(f"    {line}")

    def verify(self) -> None:
        report = examine()
        write_down(report)
        for found in report.findings:
            self.stdout.write(f"{found.finding.id} {found.finding.sentence} {found.detail}")
        if report.errors:
            raise CommandError("Changed, but something is still wrong: manage.py selfreg_doctor tells what to do.")
        self.stdout.write(self.style.SUCCESS("The doctor finds nothing that keeps people from signing up."))

    def how_far(self, stopped: Interrupted, options: dict[str, Any]) -> str:
        verb = "--undo" if options["undo"] else "it"
        state = "MAY HAVE BEEN MADE, its answer was lost" if stopped.unsure else "was NOT made"
        lines = (
            f"Stopped in the middle. {in_words(stopped.cause)}",
            f"  done: {', '.join(stopped.done) or 'nothing'}",
            f"  {stopped.name}: this change {state}",
            f"  not begun: {', '.join(stopped.left) or 'nothing'}",
            f"Run {verb} again to go on from here"
            + ("." if options["undo"] else ", or --undo to take back what was done."),
        )
        return "\n".join(lines)


def in_words(error: IdxError) -> str:
    """For the administrator."""
    if isinstance(error, OrgRefused) and error.status == 401:
        return f"The org does not accept the API token ({error.description}): Security > API > Tokens."
    if isinstance(error, OrgRefused) and error.status == 403:
        return f"The API token may not do this ({error.description}): its administrator needs more rights."
    return f"The org says: {error}"
