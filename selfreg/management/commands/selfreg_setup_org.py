"""``manage.py selfreg_setup_org``: sets up the org for this site with the Management API, and can undo it."""

import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from selfreg.conf import DEFAULT, Conf
from selfreg.doctor.checks.site import check_site, prevents_calls
from selfreg.doctor.collect import describe_site
from selfreg.doctor.documents import read_documents
from selfreg.doctor.evidence import Site
from selfreg.doctor.examination import examine, save_report
from selfreg.doctor.findings import Finding
from selfreg.doctor.setup.apply import Interrupted, apply_changes, secrets_of, undo_changes
from selfreg.doctor.setup.journal import Journal, UnusableJournal, load_journal
from selfreg.doctor.setup.plan import CannotPlan, Change, plan_changes
from selfreg.idx.errors import IdxError, OrgRefused
from selfreg.management.handling import explained
from selfreg.management.options import add_org, settings_of
from selfreg.okta_api import scopes
from selfreg.okta_api.client import UNAUTHORIZED, ManagementClient, is_configured, lacks_rights

JOURNAL = "selfreg-org-setup.json"
NO_TOKEN = (
    "This command needs SELFREG['API_TOKEN'], or SELFREG['API_CLIENT_ID'] and SELFREG['API_PRIVATE_KEY'] of an OAuth "
    "service app. To make the same changes by hand, see docs/org-setup.md."
)


class Command(BaseCommand):
    """Plans the changes, asks for confirmation, makes them, and has the doctor check the result."""

    help = (
        "Sets up the org for this site: shows every change, asks, makes the changes, and runs the doctor. "
        "It changes nothing else."
    )
    # ``handle`` runs the ones that matter here.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--dry-run", action="store_true", help="only show the plan; the default without a terminal")
        parser.add_argument("--yes", "--no-input", action="store_true", dest="yes", help="apply without asking")
        parser.add_argument("--undo", action="store_true", help="undo what this command changed")
        parser.add_argument(
            "--plan-file",
            default="",
            help=f"the file that records the changes ({JOURNAL}, or one with the org's name)",
        )
        add_org(parser, "the default org")

    @explained
    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command.

        :raises CommandError: the org was not changed, or not completely; the text says what was changed
        """
        settings = settings_of(options["org"] or DEFAULT)
        options["plan_file"] = options["plan_file"] or journal_name(settings.org)
        if not is_configured(settings):
            raise CommandError(NO_TOKEN)
        if findings := [finding for finding in check_site(settings) if prevents_calls(finding)]:
            raise CommandError("\n".join(as_line(finding) for finding in findings))
        try:
            client = ManagementClient(settings, scopes.to_change_org(settings))
            journal = load_journal(Path(options["plan_file"]), settings.issuer)
            if options["undo"]:
                self.undo(client, journal, settings, options)
            else:
                self.apply(client, journal, settings, options)
        except (CannotPlan, UnusableJournal) as problem:
            raise CommandError(str(problem)) from problem
        except IdxError as error:
            raise CommandError(f"Nothing was changed. {explain(error)}") from error
        except Interrupted as interruption:
            raise CommandError(explain_interruption(interruption, options)) from interruption
        except KeyboardInterrupt as interruption:
            text = f"Stopped. Changes that were made are recorded in {options['plan_file']}. To undo them, use --undo."
            raise CommandError(text) from interruption

    def apply(self, client: ManagementClient, journal: Journal, settings: Conf, options: dict[str, Any]) -> None:
        """Show the plan, ask, and make its changes."""
        site, secrets, on_done = describe_site(settings), secrets_of(settings), partial(self.print_done, "done")
        changes = plan_changes(site, read_documents(client, site))
        self.stdout.write(self.style.HTTP_INFO(f"{client.origin}, for {site.base_url}"))
        for change in changes:
            self.print_change(change.name, change.lines)
        if not changes:
            self.stdout.write(self.style.SUCCESS("Nothing to change."))
        elif self.is_confirmed(options):
            apply_changes(client, changes, journal, secrets, on_done)
            # Some settings of a new app can only be changed when it exists. The plan listed them with the app.
            apply_changes(client, remaining_changes(client, site), journal, secrets, on_done)
            self.stdout.write(f"Recorded in {journal.path}. To undo the changes, use --undo.")
            self.verify(settings)

    def undo(self, client: ManagementClient, journal: Journal, settings: Conf, options: dict[str, Any]) -> None:
        """Show the changes in the journal, ask, and undo them."""
        self.stdout.write(self.style.HTTP_INFO(client.origin))
        for entry in journal.undoable:
            self.print_change(f"undo: {entry.name}", entry.undo_lines)
        if not journal.undoable:
            self.stdout.write(f"Nothing to undo: {journal.path} has no changes.")
        elif self.is_confirmed(options):
            undo_changes(client, journal, secrets_of(settings), partial(self.print_done, "undone"))

    def is_confirmed(self, options: dict[str, Any]) -> bool:
        """Return whether the changes may be made. Only a terminal is asked; otherwise, ``--yes`` is necessary."""
        if options["dry_run"] or not (options["yes"] or sys.stdin.isatty()):
            self.stdout.write(self.style.WARNING("Nothing was changed. To make the changes, use --yes."))
            return False
        if options["yes"] or is_answered_with_yes("Change the org? [y/N] "):
            return True
        self.stdout.write("Nothing was changed.")
        return False

    def verify(self, settings: Conf) -> None:
        """Let the doctor examine the org, and print its findings.

        :raises CommandError: some of them are errors
        """
        report = examine(settings)
        for finding in report.findings:
            self.stdout.write(as_line(finding))
        save_report(report)
        if report.errors:
            raise CommandError("Changed, but something is still wrong. Run manage.py selfreg_doctor to see what to do.")
        self.stdout.write(self.style.SUCCESS("The doctor found nothing that prevents people from signing up."))

    def print_change(self, name: str, lines: Iterable[str]) -> None:
        """Print a change and its differences."""
        self.stdout.write(self.style.MIGRATE_HEADING(name))
        for line in lines:
            self.stdout.write(f"    {line}")

    def print_done(self, verb: str, name: str) -> None:
        """Print that a change was made or undone."""
        self.stdout.write(f"{verb}: {name}")


def journal_name(org: str) -> str:
    """Return the name of the file that records the changes of an org."""
    return JOURNAL if org == DEFAULT else JOURNAL.replace(".json", f"-{org}.json")


def remaining_changes(client: ManagementClient, site: Site) -> tuple[Change, ...]:
    """Return the changes that are left after the first plan.

    :raises CommandError: the org's documents could not be read again, or lack something
    """
    try:
        return plan_changes(site, read_documents(client, site))
    except CannotPlan as problem:
        raise CommandError(
            f"Only the changes shown above were made. {problem} Then run this again, or undo the changes with --undo."
        ) from problem
    except IdxError as error:
        raise CommandError(f"Changed, but the org couldn't be read again. {explain(error)} Run this again.") from error


def is_answered_with_yes(question: str) -> bool:
    """Ask on the terminal, and return whether the answer is yes. The end of the input means no."""
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False


def as_line(finding: Finding) -> str:
    """Return a finding as one line."""
    return f"{finding.id} {finding.kind.sentence} {finding.detail}"


def explain(error: IdxError) -> str:
    """Return a sentence that says why the org refused a call."""
    if isinstance(error, OrgRefused) and lacks_rights(error):
        return f"The API token needs more rights ({error.description}): see docs/org-setup.md."
    if isinstance(error, OrgRefused) and error.status == UNAUTHORIZED:
        return f"The org doesn't accept the API token ({error.description}). Check Security > API > Tokens."
    if isinstance(error, OrgRefused):
        return f"The org says: {error.description or error.code}"
    return f"The org says: {error}"


def explain_interruption(interruption: Interrupted, options: dict[str, Any]) -> str:
    """Return a text that lists the changes that were made, and those that were not."""
    state = "MAY HAVE BEEN MADE (the answer was lost)" if interruption.unsure else "was NOT made"
    lines = (
        f"Stopped in the middle. {explain(interruption.cause)}",
        f"  done: {name_list(interruption.done)}",
        f"  {interruption.name}: this change {state}. {interruption.hint}".rstrip(),
        f"  not started: {name_list(interruption.remaining)}",
        f"{options['plan_file']} records this. To continue, run {'--undo' if options['undo'] else 'it'} again"
        + ("." if options["undo"] else ". To undo what was done, use --undo."),
    )
    return "\n".join(lines)


def name_list(names: tuple[str, ...]) -> str:
    """Return the names, one per line, or "nothing"."""
    return "\n        ".join(names) or "nothing"
