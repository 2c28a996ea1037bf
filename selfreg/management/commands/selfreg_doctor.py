import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from selfreg.doctor.examination import Report, examine, write_down
from selfreg.doctor.findings import Found


class Command(BaseCommand):
    help = (
        "Looks for what is set wrong, in the org and here. Changes nothing, creates nobody. "
        "Exit code: 0 when nothing keeps people from signing up, else 1."
    )
    # The system checks are part of the report.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
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
        for subject, text in report.facts:
            self.stdout.write(f"  {subject}: {text}")
        if not report.findings:
            self.stdout.write(self.style.SUCCESS("Nothing to put right."))
        elif not report.errors:
            self.stdout.write(self.style.WARNING(f"People can sign up; warnings: {len(report.findings)}."))
        else:
            self.stdout.write(self.style.ERROR(f"To put right: {len(report.errors)}."))

    def tell_one(self, found: Found) -> None:
        finding = found.finding
        style = self.style.ERROR if finding.severity == "error" else self.style.WARNING
        self.stdout.write(f"\n{style(finding.id)} {finding.sentence}")
        older = f"  (older: {finding.older_path})" if finding.older_path not in ("", finding.path) else ""
        lines = (
            ("seen", found.detail),
            ("where", finding.path + older if finding.path else ""),
            ("command", finding.command),
        )
        for name, text in lines:
            if text:
                self.stdout.write(f"    {name:8}{text}")
        self.stdout.write("")
