"""Does the org's policy offer sign-up to this app, and does the address have to be proven as this site says?"""

from collections.abc import Iterator

from django.utils.translation import gettext_noop as _

from selfreg.doctor.evidence import Evidence, OrgSettings
from selfreg.doctor.findings import Found, found
from selfreg.idx.steps import is_error

# Parts of the message keys of an org whose policy allows sign-up, but that is unable to at the moment.
UNAVAILABLE = ("safe.mode", "unavailable", "not.completed", "generic")


def judge(evidence: Evidence) -> Iterator[Found]:
    """Findings about self-service registration."""
    settings = evidence.settings
    policy = settings.profile_policy if isinstance(settings, OrgSettings) else None
    if policy is not None and not policy.sign_up:
        yield found("signup-denied", _("policy “%(policy)s”"), policy=policy.name)
    elif evidence.response is not None and evidence.form is None:
        said = "; ".join(m.text for m in evidence.response.messages if is_error(m))
        allowed = policy is not None or any(p in m.key for m in evidence.response.messages for p in UNAVAILABLE)
        yield found("signup-unavailable" if allowed else "signup-denied", org=said)
    if isinstance(settings, OrgSettings) and settings.app and policy is None:
        yield found("signup-policy")
    if policy is not None and policy.sign_up and isinstance(settings, OrgSettings):
        yield from _proof(evidence.site.email_is_mandatory, policy.email_verification)


def _proof(mandatory: bool, required: bool) -> Iterator[Found]:
    if mandatory and not required:
        yield found("email-verification-off")
    elif required and not mandatory:
        yield found("email-verification-on")
