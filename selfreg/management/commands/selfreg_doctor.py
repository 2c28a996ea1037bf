"""``manage.py selfreg_doctor``: what is set wrong, in the org and here."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext

from selfreg.doctor.examination import Report, examine, write_down
from selfreg.doctor.findings import Found


class Command(BaseCommand):
    """Prints a report of findings, and saves it for the admin."""

    help = (
        "Looks for what is set wrong, in the org and here. Changes nothing, creates nobody. "
        "Exit code: 0 when nothing keeps people from signing up, else 1."
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
        report = examine()
        write_down(report)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), indent=2))
        else:
            self.tell(report)
        if report.errors or (options["fail_level"] == "warning" and report.findings):
            raise SystemExit(1)

    def tell(self, report: Report) -> None:
        """For people."""
        self.stdout.write(f"{report.issuer}\n")
        for found in report.findings:
            self.tell_one(found)
        if report.findings:
            self.stdout.write("")
        for subject, said in report.facts:
            self.stdout.write(f"  {gettext(subject)}: {said}")
        errors, warnings = len(report.errors), len(report.findings) - len(report.errors)
        if not report.findings:
            self.stdout.write(self.style.SUCCESS(gettext("Nothing to put right.")))
        elif not report.errors:
            self.stdout.write(
                self.style.WARNING(gettext("People can sign up; warnings: %(warnings)d.") % {"warnings": warnings})
            )
        else:
            text = gettext("People cannot sign up as they should. Errors: %(errors)d, warnings: %(warnings)d.")
            self.stdout.write(self.style.ERROR(text % {"errors": errors, "warnings": warnings}))

    def tell_one(self, found: Found) -> None:
        finding = found.finding
        style = self.style.ERROR if finding.severity == "error" else self.style.WARNING
        self.stdout.write(f"\n{style(finding.id)} {finding.sentence}")
        older = finding.older_path if finding.older_path != finding.path else ""
        lines = (
            (gettext("seen"), str(found.said)),
            (gettext("where"), finding.path),
            (gettext("older words"), older),
            (gettext("command"), finding.command),
        )
        width = max(len(name) for name, _text in lines)
        for name, text in lines:
            if text:
                self.stdout.write(f"    {name:{width}}  {text}")
