import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from selfreg.conf import conf
from selfreg.doctor import collect, documents, site_checks
from selfreg.doctor.examination import examine, write_down
from selfreg.doctor.setup.apply import Interrupted, carry_out, take_back
from selfreg.doctor.setup.journal import Ledger, UnusableLedger, load
from selfreg.doctor.setup.plan import CannotPlan, Change, plan
from selfreg.idx.errors import IdxError, OrgRefused
from selfreg.okta_api import scopes
from selfreg.okta_api.client import ManagementClient, is_configured, lacks_rights

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
        if not is_configured(conf()):
            raise CommandError(NO_TOKEN)
        if wrong := site_checks.unusable(site_checks.judge()):
            raise CommandError(
                "\n".join(f"{found.finding.id} {found.finding.sentence} {found.said}" for found in wrong)
            )
        site = collect.site()
        api = ManagementClient(conf(), scopes.to_change_org(conf()))
        try:
            ledger = load(Path(options["plan_file"]), site.issuer)
            if options["undo"]:
                self.undo(api, ledger, options)
            else:
                self.apply(api, ledger, plan(site, documents.read(api, site)), options)
        except (CannotPlan, UnusableLedger) as problem:
            raise CommandError(str(problem)) from problem
        except IdxError as error:
            raise CommandError(f"Nothing was changed. {in_words(error)}") from error
        except Interrupted as stopped:
            raise CommandError(self.how_far(stopped, options)) from stopped
        except KeyboardInterrupt as stopped:
            text = f"Stopped. If anything was changed, it stands in {options['plan_file']}; --undo takes it back."
            raise CommandError(text) from stopped

    def apply(
        self, api: ManagementClient, ledger: Ledger, changes: tuple[Change, ...], options: dict[str, Any]
    ) -> None:
        self.stdout.write(self.style.HTTP_INFO(f"{api.origin}, for {collect.site().base_url}"))
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

    def rest(self, api: ManagementClient) -> tuple[Change, ...]:
        site = collect.site()
        try:
            return plan(site, documents.read(api, site))
        except IdxError as error:
            raise CommandError(f"Changed, but it could not be read back. {in_words(error)} Run it again.") from error

    def undo(self, api: ManagementClient, ledger: Ledger, options: dict[str, Any]) -> None:
        self.stdout.write(self.style.HTTP_INFO(api.origin))
        for entry in ledger.to_undo:
            self.tell(f"take back: {entry.name}", entry.lines_back)
        if not ledger.to_undo:
            self.stdout.write(f"Nothing to take back: {ledger.path} holds no change.")
        elif self.is_agreed(options):
            take_back(api, ledger, lambda name: self.stdout.write(f"taken back: {name}"))

    def is_agreed(self, options: dict[str, Any]) -> bool:
        if options["dry_run"] or not (options["yes"] or sys.stdin.isatty()):
            self.stdout.write(self.style.WARNING("Nothing was changed. --yes changes it without asking."))
            return False
        if options["yes"] or asked("Change the org? [y/N] "):
            return True
        self.stdout.write("Nothing was changed.")
        return False

    def tell(self, name: str, lines: tuple[str, ...]) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(name))
        for line in lines:
            self.stdout.write(f"    {line}")

    def verify(self) -> None:
        report = examine()
        write_down(report)
        for found in report.findings:
            self.stdout.write(f"{found.finding.id} {found.finding.sentence} {found.said}")
        if report.errors:
            raise CommandError("Changed, but something is still wrong: manage.py selfreg_doctor tells what to do.")
        self.stdout.write(self.style.SUCCESS("The doctor finds nothing that keeps people from signing up."))

    def how_far(self, stopped: Interrupted, options: dict[str, Any]) -> str:
        verb = "--undo" if options["undo"] else "it"
        state = "MAY HAVE BEEN MADE, its answer was lost" if stopped.unsure else "was NOT made"
        lines = (
            f"Stopped in the middle. {in_words(stopped.cause)}",
            f"  done: {listed(stopped.done)}",
            f"  {stopped.name}: this change {state}. {stopped.hint}".rstrip(),
            f"  not begun: {listed(stopped.left)}",
            f"This is written down in {options['plan_file']}. Run {verb} again to go on from here"
            + ("." if options["undo"] else ", or --undo to take back what was done."),
        )
        return "\n".join(lines)


def listed(names: tuple[str, ...]) -> str:
    """One on each line."""
    return "\n        ".join(names) or "nothing"


def asked(question: str) -> bool:
    """Whether the answer is yes; the end of input is none."""
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False


def in_words(error: IdxError) -> str:
    """For the administrator."""
    if isinstance(error, OrgRefused) and lacks_rights(error):
        return f"The API token may not do this ({error.description}): it needs more rights, see docs/org-setup.md."
    if isinstance(error, OrgRefused) and error.status == 401:
        return f"The org does not accept the API token ({error.description}): Security > API > Tokens."
    if isinstance(error, OrgRefused):
        return f"The org says: {error.description or error.code}"
    return f"The org says: {error}"
