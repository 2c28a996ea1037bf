"""``manage.py selfreg_doctor``: finds wrong settings, in the org and in this site."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext

from selfreg.conf import has_several_orgs, orgs
from selfreg.doctor.examination import Report, examine, save_report
from selfreg.doctor.findings import Finding
from selfreg.management.handling import explained
from selfreg.management.options import add_org, settings_of


class Command(BaseCommand):
    """Prints a report of findings, and saves it for the admin."""

    help = (
        "Finds wrong settings, in the org and here. It changes nothing and creates no users. "
        "The exit code is 1 if something prevents people from signing up; with --fail-level warning, at any finding."
    )
    # The system checks are part of the report.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument(
            "--json",
            action="store_true",
            help="print JSON instead of text: one object, or one for each of several orgs by name",
        )
        add_org(parser, "every org")
        parser.add_argument(
            "--fail-level", choices=("error", "warning"), default="error", help="which findings make the exit code 1"
        )

    @explained
    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command.

        :raises SystemExit: with 1, see ``help``
        :raises CommandError: the report was printed, and could not be saved
        """
        named = [settings_of(options["org"])] if options["org"] else list(orgs().values())
        reports = [examine(settings) for settings in named]
        if options["json"]:
            as_json = {report.org: report.as_json() for report in reports}
            self.stdout.write(json.dumps(as_json if len(as_json) > 1 else as_json.popitem()[1], indent=2))
        else:
            for report in reports:
                self.print_report(report)
        for report in reports:
            save_report(report)
        if any(r.errors or (options["fail_level"] == "warning" and r.findings) for r in reports):
            raise SystemExit(1)

    def print_report(self, report: Report) -> None:
        """Print the report as text, in the active language."""
        self.stdout.write(f"{report.org}: {report.issuer}\n" if has_several_orgs() else f"{report.issuer}\n")
        for finding in report.findings:
            self.print_finding(finding)
        if report.findings:
            self.stdout.write("")
        for fact in report.facts:
            self.stdout.write(f"  {gettext(fact.subject)}: {fact.detail}")
        self.stdout.write(self.summary(report))

    def summary(self, report: Report) -> str:
        """Return the last line of the report."""
        errors, warnings = len(report.errors), len(report.findings) - len(report.errors)
        if not report.findings:
            return self.style.SUCCESS(gettext("No problems found."))
        if not errors:
            return self.style.WARNING(gettext("People can sign up. Warnings: %(warnings)d.") % {"warnings": warnings})
        text = gettext("Something prevents people from signing up. Errors: %(errors)d, warnings: %(warnings)d.")
        return self.style.ERROR(text % {"errors": errors, "warnings": warnings})

    def print_finding(self, finding: Finding) -> None:
        """Print a finding: what is wrong, the details, and where to change it."""
        kind = finding.kind
        style = self.style.ERROR if kind.severity == "error" else self.style.WARNING
        self.stdout.write(f"\n{style(kind.id)} {kind.sentence}")
        rows = (
            (gettext("seen"), str(finding.detail)),
            (gettext("where"), kind.path),
            (gettext("in older versions"), kind.older_path if kind.older_path != kind.path else ""),
            (gettext("command"), kind.command),
        )
        width = max(len(name) for name, _text in rows)
        for name, text in rows:
            if text:
                self.stdout.write(f"    {name:{width}}  {text}")
