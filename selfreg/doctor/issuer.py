"""Is the issuer there, does it spell itself as configured, do the clocks agree?"""

from collections.abc import Iterator
from urllib.parse import urlsplit

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
        yield found("issuer-mismatch", f"configured: {evidence.site.issuer}; the org says: {discovery.issuer}")
    elif elsewhere := [e for e in discovery.endpoints if _origin(e) != _origin(evidence.site.issuer)]:
        yield found("issuer-endpoints", ", ".join(elsewhere))
    if isinstance(evidence.keys, IdxError):
        yield found("issuer-keys", str(evidence.keys))
    elif not evidence.keys:
        yield found("issuer-keys", "the list of keys is empty")
    if not clocks_agree(evidence):
        difference = evidence.clock_difference or 0.0
        yield found("clock-difference", f"the org is {abs(difference):.0f} s {'ahead' if difference > 0 else 'behind'}")


def clocks_agree(evidence: Evidence) -> bool:
    """As far as is known. If not, no moment that the org names means anything here."""
    return abs(evidence.clock_difference or 0.0) <= CLOCKS_MAY_DIFFER


def _no_discovery(issuer: str, error: IdxError) -> Found:
    if isinstance(error, OrgUnreachable):
        return found("issuer-tls" if "TLS" in str(error) else "issuer-unreachable", str(error))
    if isinstance(error, RateLimited):
        return found("rate-limited", str(error))
    if isinstance(error, OrgRefused | MalformedAnswer):
        return found("issuer-unknown", f"{issuer}: {error}")
    if isinstance(error, AnswerLost) and "connection broke" in str(error):
        return found("issuer-unreachable", str(error))
    return found("issuer-failing", str(error))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
