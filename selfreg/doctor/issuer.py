"""Is the issuer there, does it spell itself as configured, do the clocks agree?"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop as _

from selfreg.doctor.evidence import Evidence
from selfreg.doctor.findings import Found, found
from selfreg.idx.errors import AnswerLost, IdxError, MalformedAnswer, OrgRefused, OrgUnreachable, RateLimited

CLOCKS_MAY_DIFFER = 60.0
NOT_FOUND = 404


def judge(evidence: Evidence) -> Iterator[Found]:
    """Findings about the issuer; none of the others can be trusted while one of these is there."""
    discovery = evidence.discovery
    if isinstance(discovery, IdxError):
        yield _no_discovery(evidence.site.issuer, discovery)
        return
    if discovery.issuer != evidence.site.issuer:
        text = _("configured: %(configured)s; the org says: %(org)s")
        yield found("issuer-mismatch", text, configured=evidence.site.issuer, org=discovery.issuer)
    elif elsewhere := [e for e in discovery.endpoints if _origin(e) != _origin(evidence.site.issuer)]:
        yield found("issuer-endpoints", endpoints=", ".join(elsewhere))
    if isinstance(evidence.keys, IdxError):
        yield found("issuer-keys", org=str(evidence.keys))
    elif not evidence.keys:
        yield found("issuer-keys", _("the list of keys is empty"))
    if not clocks_agree(evidence):
        difference = evidence.clock_difference or 0.0
        text = _("the org is %(seconds)d s ahead") if difference > 0 else _("the org is %(seconds)d s behind")
        yield found("clock-difference", text, seconds=round(abs(difference)))


def clocks_agree(evidence: Evidence) -> bool:
    """As far as is known. If not, no moment that the org names means anything here."""
    return abs(evidence.clock_difference or 0.0) <= CLOCKS_MAY_DIFFER


def _no_discovery(issuer: str, error: IdxError) -> Found:
    if isinstance(error, OrgUnreachable):
        return found("issuer-tls" if "TLS" in str(error) else "issuer-unreachable", org=str(error))
    if isinstance(error, RateLimited):
        return found("rate-limited", org=str(error))
    if isinstance(error, OrgRefused | MalformedAnswer):
        return found("issuer-unknown", org=f"{issuer}: {error}")
    if isinstance(error, AnswerLost) and "connection broke" in str(error):
        return found("issuer-unreachable", org=str(error))
    return found("issuer-failing", org=str(error))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
