"""What can go wrong between us and the org, split by whose fault it is.

::

    IdxError
    ├── OrgUnreachable        the network: nothing was sent, nothing changed (DNS, refused, TLS)
    ├── AnswerLost            the network or the org: sent, but no whole answer came back; the change MAY have been made
    │   └── MalformedAnswer   the org or a proxy before it: an answer, but not the protocol
    ├── ForeignHref           the org: its answer points outside its own origin, or nowhere; never followed
    ├── RateLimited           the org: too many requests; ``retry_after`` seconds
    ├── TransactionExpired    time: the handle is stale; start again
    ├── OrgRefused            the configuration or the policy of the org, in its own words (``code``, ``description``)
    └── NotOffered            the visitor (an old page) or us: the org does not offer this step now

A wrong code, a weak password or a taken address are no errors: they are messages of an ``IdxResponse``.
No error carries a request body or a handle.
"""


class IdxError(Exception):
    """Root of everything this package raises."""

    request_id: str = ""
    description: str = ""
    """The org's own sentence, if it gave one."""


class OrgUnreachable(IdxError):
    """No connection to the org; nothing was sent."""


class AnswerLost(IdxError):
    """The request went out and no whole answer came back. Ask (introspect) before trying again."""


class MalformedAnswer(AnswerLost):
    """The org's address answered, but not with a document of the protocol."""


class ForeignHref(IdxError):
    """The org told us to call an address that is not its own, or is none."""


class RateLimited(IdxError):
    """HTTP 429 without a step to go on with. ``retry_after`` is in seconds, never negative."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many requests, retry after {retry_after} s")
        self.retry_after = retry_after


class TransactionExpired(IdxError):
    """``idx.session.expired``: the handle is unknown or too old."""


class OrgRefused(IdxError):
    """An OAuth error or a classic API error. ``code`` is machine readable, ``description`` the org's own sentence."""

    def __init__(self, code: str, description: str, status: int) -> None:
        super().__init__(f"{code} (HTTP {status}): {description}")
        self.code, self.description, self.status = code, description, status


class NotOffered(IdxError):
    """A remediation was asked for that the org's last answer does not hold."""
