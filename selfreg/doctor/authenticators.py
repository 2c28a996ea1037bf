"""Can people enroll what this site wants, and only what a web page can enroll?"""

from collections.abc import Iterator

from django.utils.translation import gettext_noop as _

from selfreg.doctor.evidence import Evidence, OrgSettings
from selfreg.doctor.findings import Found, found
from selfreg.doctor.issuer import clocks_agree
from selfreg.idx.authenticators import by_key

DISABLED = {"okta_email": "email-disabled", "phone_number": "phone-disabled", "okta_password": "password-not-required"}
LONGEST_EMAIL_MINUTES = 10
SHORTEST_TRANSACTION = 300.0


def judge(evidence: Evidence) -> Iterator[Found]:
    """Findings about authenticators, and about how long codes and sign-ups live."""
    lifetime = evidence.lifetime
    if lifetime is not None and lifetime < SHORTEST_TRANSACTION and clocks_agree(evidence):
        yield found("transaction-lifetime", _("%(seconds)d seconds"), seconds=round(lifetime))
    settings = evidence.settings
    if not isinstance(settings, OrgSettings):
        return
    for key in evidence.site.authenticators:
        enroll = "INACTIVE" if key in settings.inactive else settings.enrollment.get(key, "NOT_ALLOWED")
        if enroll in ("INACTIVE", "NOT_ALLOWED") or (key == "okta_password" and enroll != "REQUIRED"):
            yield found(DISABLED.get(key, "authenticator-disabled"), authenticator=f"{key}: {enroll}")
    required = [key for key, enroll in settings.enrollment.items() if enroll == "REQUIRED"]
    infeasible = [key for key in required if not by_key(key).can_be_enrolled]
    if infeasible:
        yield found("authenticator-unsupported", authenticators=", ".join(infeasible))
    if settings.email_minutes is not None and settings.email_minutes > LONGEST_EMAIL_MINUTES:
        yield found("email-lifetime", _("%(minutes)d minutes"), minutes=settings.email_minutes)
