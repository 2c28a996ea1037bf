"""One examination: ask, judge, write down."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import translation
from django.utils.translation import gettext_noop as _

from selfreg.conf import conf
from selfreg.doctor import (
    assignment,
    authenticators,
    collect,
    form_fields,
    grants,
    issuer,
    network,
    sign_up,
    site_checks,
    uris,
)
from selfreg.doctor.evidence import Evidence, OrgSettings
from selfreg.doctor.findings import Found, Said
from selfreg.models import DoctorRun
from selfreg.okta_api import client

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
# Subjects of facts.
ORG = _("org")
FORM, LIMITS, URIS, TOKEN = _("form"), _("limits"), _("URIs"), _("token")
AUTHENTICATORS, SIGN_UP = _("authenticators"), _("sign-up")
NEEDED = {"setting": "SELFREG['API_TOKEN']"}


Fact = tuple[str, Said]


@dataclass(frozen=True, slots=True)
class Report:
    """What an examination came to. ``facts`` are worth knowing, and nothing to put right: (subject, what was seen)."""

    issuer: str
    with_token: bool
    findings: tuple[Found, ...]
    facts: tuple[Fact, ...]

    @property
    def errors(self) -> tuple[Found, ...]:
        """What keeps people from signing up."""
        return tuple(f for f in self.findings if f.finding.severity == "error")

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it and ``DoctorRun`` keeps it: in English, whoever reads it. Without secrets."""
        with translation.override("en"):
            return {
                "ok": not self.errors,
                "issuer": self.issuer,
                "with_token": self.with_token,
                "findings": [_finding_json(f) for f in self.findings],
                "facts": [{"subject": subject, "text": str(said), **_parts(said)} for subject, said in self.facts],
            }


def examine() -> Report:
    """Asks this site, then the org, unless this site's own settings make that impossible. Creates nobody."""
    here = tuple(site_checks.judge())
    if site_checks.unusable(here):
        text = _("not asked: this site's own settings come first")
        return Report(conf().issuer, client.is_configured(conf()), here, ((ORG, Said(text)),))
    evidence = collect.gather()
    everything = [*(f for judge in JUDGES for f in judge(evidence)), *here]
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
        if len(str(found.said)) > len(str(known.said)):
            by_id[found.finding.id] = found
    return tuple(by_id.values())


def _facts(evidence: Evidence) -> Iterator[Fact]:
    if evidence.form:
        yield FORM, Said(_("asks for: %(fields)s"), {"fields": ", ".join(form_fields.asked_for(evidence.form))})
    if evidence.lifetime:
        text = _("a sign-up may take %(minutes)d minutes to its first answer")
        yield FORM, Said(text, {"minutes": round(evidence.lifetime / 60)})
    if evidence.rate_limit:
        text = _("%(remaining)d of %(limit)d calls left: so many sign-ups can begin in this minute")
        yield LIMITS, Said(text, {"remaining": evidence.rate_limit.remaining, "limit": evidence.rate_limit.limit})
    settings = evidence.settings
    if isinstance(settings, OrgSettings):
        yield from _facts_of_an_administrator(settings)
        if settings.app and settings.app.email_callback_uri is None:
            text = _("look by hand: the Email Verification Experience URI must be %(uri)s")
            yield URIS, Said(text, {"uri": evidence.site.email_callback_uri})
    elif not evidence.has_token:
        yield TOKEN, Said(_("none: assignment, authenticators and policies cannot be read (%(setting)s)"), NEEDED)


def _facts_of_an_administrator(settings: OrgSettings) -> Iterator[Fact]:
    words = ((_("the policy requires: %(keys)s"), REQUIRED), (_("the policy offers: %(keys)s"), OPTIONAL))
    for text, enroll in words:
        keys = [key for key, value in settings.enrollment.items() if value == enroll]
        yield AUTHENTICATORS, Said(text, {"keys": ", ".join(keys) or "-"})
    policy = settings.profile_policy
    if policy and policy.email_verification:
        text = _("policy “%(policy)s”; the address is proven before access is granted")
        yield SIGN_UP, Said(text, {"policy": policy.name})
    elif policy:
        yield SIGN_UP, Said(_("policy “%(policy)s”; the address need not be proven"), {"policy": policy.name})
    if settings.email_minutes:
        text = _("mailed codes and links are valid for %(minutes)d minutes")
        yield AUTHENTICATORS, Said(text, {"minutes": settings.email_minutes})


def _parts(said: Said) -> dict[str, Any]:
    """For programs, and for telling it again in another language."""
    return {"template": said.text, "values": dict(said.values)}


def _finding_json(found: Found) -> dict[str, Any]:
    finding = found.finding
    return {
        "id": finding.id,
        "severity": finding.severity,
        "sentence": str(finding.sentence),
        "detail": str(found.said),
        **_parts(found.said),
        "path": finding.path,
        "older_path": finding.older_path,
        "command": finding.command,
    }
