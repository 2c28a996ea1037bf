"""``manage.py selfreg_doctor``: finds wrong settings, in the org and in this site."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext

from selfreg.conf import conf
from selfreg.doctor.examination import Report, examine, save_report
from selfreg.doctor.findings import Finding


class Command(BaseCommand):
    """Prints a report of findings, and saves it for the admin."""

    help = (
        "Looks for what is set wrong, in the org and here. Changes nothing, creates nobody. "
        "Exit code 1 when something keeps people from signing up, or at any finding with --fail-level warning."
    )
    # The system checks are part of the report.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declares the options."""
        parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
        parser.add_argument(
            "--fail-level", choices=("error", "warning"), default="error", help="what the exit code 1 is for"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs the command.

        :raises SystemExit: with 1, see ``help``
        """
        report = examine(conf())
        save_report(report)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), indent=2))
        else:
            self.print_report(report)
        if report.errors or (options["fail_level"] == "warning" and report.findings):
            raise SystemExit(1)

    def print_report(self, report: Report) -> None:
        """Prints the report as text, in the active language."""
        self.stdout.write(f"{report.issuer}\n")
        for finding in report.findings:
            self.print_finding(finding)
        if report.findings:
            self.stdout.write("")
        for fact in report.facts:
            self.stdout.write(f"  {gettext(fact.subject)}: {fact.detail}")
        self.stdout.write(self.summary(report))

    def summary(self, report: Report) -> str:
        """Returns the last line of the report."""
        errors, warnings = len(report.errors), len(report.findings) - len(report.errors)
        if not report.findings:
            return self.style.SUCCESS(gettext("Nothing to put right."))
        if not errors:
            return self.style.WARNING(gettext("People can sign up; warnings: %(warnings)d.") % {"warnings": warnings})
        text = gettext("People cannot sign up as they should. Errors: %(errors)d, warnings: %(warnings)d.")
        return self.style.ERROR(text % {"errors": errors, "warnings": warnings})

    def print_finding(self, finding: Finding) -> None:
        """Prints a finding: what is wrong, what was seen, and where to change it."""
        kind = finding.kind
        style = self.style.ERROR if kind.severity == "error" else self.style.WARNING
        self.stdout.write(f"\n{style(kind.id)} {kind.sentence}")
        rows = (
            (gettext("seen"), str(finding.detail)),
            (gettext("where"), kind.path),
            (gettext("older words"), kind.older_path if kind.older_path != kind.path else ""),
            (gettext("command"), kind.command),
        )
        width = max(len(name) for name, _text in rows)
        for name, text in rows:
            if text:
                self.stdout.write(f"    {name:{width}}  {text}")
