"""Whom does the org see, and how many sign-ups does it let begin?"""

from collections.abc import Iterator

from django.utils.translation import gettext_noop as _

from selfreg.doctor.evidence import Evidence, OrgSettings
from selfreg.doctor.findings import Found, found
from selfreg.idx.errors import IdxError, OrgRefused, RateLimited
from selfreg.okta_api.client import lacks_rights

# What the doctor claims as the visitor's address: of the block that is reserved for documentation (RFC 5737).
CLAIMED_ADDRESS = "192.0.2.1"
LOW = 0.1


def judge(evidence: Evidence) -> Iterator[Found]:
    """Findings about addresses, limits and the API token."""
    limit, settings = evidence.rate_limit, evidence.settings
    spent = isinstance(evidence.interact or evidence.token, RateLimited)
    if limit and limit.limit and limit.remaining < limit.limit * LOW and not spent:
        text = _("%(remaining)d of %(limit)d calls left in this minute")
        yield found("rate-limit-low", text, remaining=limit.remaining, limit=limit.limit)
    if isinstance(settings, OrgRefused):
        yield found("token-rights" if lacks_rights(settings) else "token-refused", org=settings.description)
    elif isinstance(settings, IdxError):
        yield found("issuer-failing", org=f"Management API: {settings}")
    elif isinstance(settings, OrgSettings) and _sees_another(settings):
        yield found("visitor-address", _("the System Log shows %(address)s"), address=settings.seen_address)


def _sees_another(settings: OrgSettings) -> bool:
    """A public app may not name the visitor's address at all: that is another finding."""
    public = settings.app is None or settings.app.auth_method == "none"
    return not public and settings.seen_address not in (None, CLAIMED_ADDRESS)
