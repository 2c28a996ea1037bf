"""Checks the connection to the org: issuer, signing keys, clocks, rate limits, access to the Management API."""

from collections.abc import Iterator

from django.utils.translation import gettext_noop as _

from selfreg.doctor.evidence import CLAIMED_ADDRESS, Evidence
from selfreg.doctor.findings import Finding, finding
from selfreg.idx.client import origin_of
from selfreg.idx.errors import AnswerLost, IdxError, MalformedAnswer, OrgRefused, OrgUnreachable, RateLimited
from selfreg.okta_api.client import lacks_rights

CLOCK_TOLERANCE_SECONDS = 60.0
LOW_SHARE = 0.1


def check_issuer(evidence: Evidence) -> Iterator[Finding]:
    """Check the discovery document, the signing keys and the clock. Other findings may follow from these."""
    discovery = evidence.discovery
    if isinstance(discovery, IdxError):
        yield _missing_discovery(evidence.site.issuer, discovery)
        return
    if discovery.issuer != evidence.site.issuer:
        text = _("configured: %(configured)s; the org says: %(org)s")
        yield finding("issuer-mismatch", text, configured=evidence.site.issuer, org=discovery.issuer)
    elif foreign := [url for url in discovery.endpoints if origin_of(url) != origin_of(evidence.site.issuer)]:
        yield finding("issuer-endpoints", endpoints=", ".join(foreign))
    if isinstance(evidence.key_count, IdxError):
        yield finding("issuer-keys", org=str(evidence.key_count))
    elif not evidence.key_count:
        yield finding("issuer-keys", _("the list of keys is empty"))
    if not clocks_agree(evidence):
        difference = evidence.clock_difference or 0.0
        text = _("the org is %(seconds)d s ahead") if difference > 0 else _("the org is %(seconds)d s behind")
        yield finding("clock-difference", text, seconds=round(abs(difference)))


def check_access(evidence: Evidence) -> Iterator[Finding]:
    """Check the rate limits, the visitor's IP address, and the rights at the Management API."""
    limit, org = evidence.rate_limit, evidence.org
    is_spent = isinstance(evidence.interact_error or evidence.token_error, RateLimited)
    if limit and limit.limit and limit.remaining < limit.limit * LOW_SHARE and not is_spent:
        text = _("%(remaining)d of %(limit)d calls left in this minute")
        yield finding("rate-limit-low", text, remaining=limit.remaining, limit=limit.limit)
    if isinstance(org, OrgRefused):
        yield finding("token-rights" if lacks_rights(org) else "token-refused", org=org.description)
    elif isinstance(org, IdxError):
        yield finding(_failure_name(org), org=f"Management API: {org}")
    elif org is not None and _may_name_the_visitor(evidence) and org.seen_address not in (None, CLAIMED_ADDRESS):
        yield finding("visitor-address", _("the System Log shows %(address)s"), address=org.seen_address)


def clocks_agree(evidence: Evidence) -> bool:
    """Return whether the clocks agree, or can't be compared. If not, times from the org are useless."""
    return abs(evidence.clock_difference or 0.0) <= CLOCK_TOLERANCE_SECONDS


def _missing_discovery(issuer: str, error: IdxError) -> Finding:
    if isinstance(error, OrgUnreachable):
        return finding("issuer-tls" if "TLS" in str(error) else "issuer-unreachable", org=str(error))
    if isinstance(error, RateLimited):
        return finding("rate-limited", org=str(error))
    if isinstance(error, OrgRefused | MalformedAnswer):
        return finding("issuer-unknown", org=f"{issuer}: {error}")
    if isinstance(error, AnswerLost) and "connection broke" in str(error):
        return finding("issuer-unreachable", org=str(error))
    return finding("issuer-failing", org=str(error))


def _failure_name(error: IdxError) -> str:
    """Return the finding for an org that answered at first, but then did not."""
    if isinstance(error, RateLimited):
        return "rate-limited"
    return "issuer-unreachable" if isinstance(error, OrgUnreachable) else "issuer-failing"


def _may_name_the_visitor(evidence: Evidence) -> bool:
    """Return whether Okta accepts the visitor's IP address from the app, which has to be confidential."""
    return evidence.app is not None and not evidence.app.is_public and evidence.site.confidential
