"""Examines the org and the site: collects the evidence, runs the checks, and makes the report."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import translation

from selfreg.conf import Conf
from selfreg.doctor.checks import app, connection, policy, site
from selfreg.doctor.collect import collect_evidence
from selfreg.doctor.evidence import Evidence
from selfreg.doctor.facts import Fact, facts_of, not_examined
from selfreg.doctor.findings import Detail, Finding
from selfreg.models import DoctorRun
from selfreg.okta_api.client import is_configured

Check = Callable[[Evidence], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (
    connection.check_issuer,
    app.check_client,
    app.check_uris,
    policy.check_sign_up,
    app.check_assignment,
    policy.check_authenticators,
    policy.check_form,
    connection.check_access,
)
"""In the order of the report, which ends with the checks of this site's own settings."""


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an examination. ``with_token`` is whether the Management API is configured."""

    org: str
    issuer: str
    with_token: bool
    findings: tuple[Finding, ...]
    facts: tuple[Fact, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that prevent sign-ups."""
        return tuple(finding for finding in self.findings if finding.kind.severity == "error")

    def as_json(self) -> dict[str, Any]:
        """Return the report as ``--json`` prints it and ``DoctorRun`` stores it: in English and without secrets.

        The keys are ``ok``, ``issuer``, ``with_token``, ``findings`` (objects with ``id``, ``severity``, ``sentence``,
        ``detail``, ``template``, ``values``, ``path``, ``older_path``, ``command``) and ``facts`` (objects with
        ``subject``, ``text``, ``template``, ``values``).
        """
        with translation.override("en"):
            return {
                "ok": not self.errors,
                "issuer": self.issuer,
                "with_token": self.with_token,
                "findings": [_finding_json(finding) for finding in self.findings],
                "facts": [_fact_json(fact) for fact in self.facts],
            }


def examine(settings: Conf) -> Report:
    """Examine this site, then the org, unless this site's settings make that impossible. Create no account."""
    site_findings = tuple(site.check_site(settings))
    if any(site.prevents_calls(finding) for finding in site_findings):
        return Report(settings.org, settings.issuer, is_configured(settings), site_findings, (not_examined(),))
    evidence = collect_evidence(settings)
    org_findings = [finding for check in CHECKS for finding in check(evidence)]
    findings = (*_without_repetition(org_findings), *site_findings)
    return Report(settings.org, evidence.site.issuer, evidence.has_api_access, findings, tuple(facts_of(evidence)))


def save_report(report: Report) -> DoctorRun:
    """Store the report for the admin and the deploy check. Delete all but the org's last
    ``DoctorRun.MAX_RUNS`` reports."""
    run = DoctorRun.objects.create(issuer=report.issuer, org=report.org, ok=not report.errors, report=report.as_json())
    of_org = DoctorRun.objects.filter(org=report.org)
    last_runs = of_org.values_list("pk", flat=True)[: DoctorRun.MAX_RUNS]
    of_org.exclude(pk__in=list(last_runs)).delete()
    return run


def _without_repetition(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Keep one finding of each kind, with the longest detail, because several checks may notice the same mistake."""
    by_id: dict[str, Finding] = {}
    for finding in findings:
        other = by_id.setdefault(finding.id, finding)
        if len(str(finding.detail)) > len(str(other.detail)):
            by_id[finding.id] = finding
    return tuple(by_id.values())


def _finding_json(finding: Finding) -> dict[str, Any]:
    kind = finding.kind
    return {
        "id": kind.id,
        "severity": kind.severity,
        "sentence": str(kind.sentence),
        "detail": str(finding.detail),
        **_parts(finding.detail),
        "path": kind.path,
        "older_path": kind.older_path,
        "command": kind.command,
    }


def _fact_json(fact: Fact) -> dict[str, Any]:
    return {"subject": fact.subject, "text": str(fact.detail), **_parts(fact.detail)}


def _parts(detail: Detail) -> dict[str, Any]:
    """Return the parts of a detail, for programs and for translating the report later."""
    return {"template": detail.text, "values": dict(detail.values)}
