"""One examination: ask, judge, write down."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from selfreg.doctor import (
    asking,
    assignment,
    authenticators,
    form_fields,
    grants,
    issuer,
    network,
    sign_up,
    this_side,
    uris,
)
from selfreg.doctor.evidence import Evidence, OrgSettings
from selfreg.doctor.findings import Found
from selfreg.models import DoctorRun

Judge = Callable[[Evidence], Iterator[Found]]
JUDGES: tuple[Judge, ...] = (
    issuer.judge,
    grants.judge,
    uris.judge,
    sign_up.judge,
    assignment.judge,
    authenticators.judge,
    form_fields.judge,
    network.judge,
)
REQUIRED, OPTIONAL = "REQUIRED", "OPTIONAL"


@dataclass(frozen=True, slots=True)
class Report:
    """What an examination came to. ``facts`` are (subject, sentence): worth knowing, nothing to put right."""

    issuer: str
    with_token: bool
    findings: tuple[Found, ...]
    facts: tuple[tuple[str, str], ...]

    @property
    def errors(self) -> tuple[Found, ...]:
        """What keeps people from signing up."""
        return tuple(f for f in self.findings if f.finding.severity == "error")

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it and ``DoctorRun`` keeps it. Without secrets."""
        return {
            "ok": not self.errors,
            "issuer": self.issuer,
            "with_token": self.with_token,
            "findings": [_finding_json(f) for f in self.findings],
            "facts": [{"subject": subject, "text": text} for subject, text in self.facts],
        }


def examine() -> Report:
    """Asks the org and this site. Creates nobody."""
    evidence = asking.gather()
    everything = [f for judge in JUDGES for f in judge(evidence)] + list(this_side.judge())
    return Report(evidence.site.issuer, evidence.has_token, _once(everything), tuple(_facts(evidence)))


def write_down(report: Report) -> DoctorRun:
    """Keeps the report for the admin page and the deploy check; only the last ``DoctorRun.KEPT`` stay."""
    run = DoctorRun.objects.create(issuer=report.issuer, ok=not report.errors, report=report.as_json())
    kept = DoctorRun.objects.values_list("pk", flat=True)[: DoctorRun.KEPT]
    DoctorRun.objects.exclude(pk__in=list(kept)).delete()
    return run


def _once(everything: Iterable[Found]) -> tuple[Found, ...]:
    """Two witnesses of one thing are one finding: the first, and the more telling detail."""
    by_id: dict[str, Found] = {}
    for found in everything:
        known = by_id.setdefault(found.finding.id, found)
        if len(found.detail) > len(known.detail):
            by_id[found.finding.id] = found
    return tuple(by_id.values())


def _facts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    if evidence.form:
        yield "form", f"asks for: {', '.join(form_fields.asked_for(evidence.form))}"
    if evidence.lifetime:
        yield "form", f"a sign-up may take {evidence.lifetime / 60:.0f} minutes to its first answer"
    if evidence.rate_limit:
        limit = evidence.rate_limit
        yield "limits", f"{limit.remaining} of {limit.limit} calls left: so many sign-ups can begin in this minute"
    settings = evidence.settings
    if isinstance(settings, OrgSettings):
        yield from _facts_of_an_administrator(settings)
        if settings.app and settings.app.email_callback_uri is None:
            yield (
                "URIs",
                f"look by hand: the Email Verification Experience URI must be {evidence.site.email_callback_uri}",
            )
    elif not evidence.has_token:
        yield "token", "none: assignment, authenticators and policies cannot be read (SELFREG['API_TOKEN'])"


def _facts_of_an_administrator(settings: OrgSettings) -> Iterator[tuple[str, str]]:
    for word, enroll in (("requires", REQUIRED), ("offers", OPTIONAL)):
        keys = [key for key, value in settings.enrollment.items() if value == enroll]
        yield "authenticators", f"the policy {word}: {', '.join(keys) or 'nothing'}"
    if settings.profile_policy:
        proof = "before access is granted" if settings.profile_policy.email_verification else "not asked for"
        yield "sign-up", f"policy “{settings.profile_policy.name}”; proof of the address: {proof}"
    if settings.email_minutes:
        yield "authenticators", f"mailed codes and links are valid for {settings.email_minutes} minutes"


def _finding_json(found: Found) -> dict[str, str]:
    finding = found.finding
    return {
        "id": finding.id,
        "severity": finding.severity,
        "sentence": finding.sentence,
        "detail": found.detail,
        "path": finding.path,
        "older_path": finding.older_path,
        "command": finding.command,
    }
