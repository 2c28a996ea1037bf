"""What can go wrong between this site and the org, and whose fault it is.

::

    IdxError
    ├── OrgUnreachable        the network: nothing was sent, nothing changed (DNS, refused, TLS)
    ├── AnswerLost            the network or the org: sent, but no whole answer came back; the change MAY have been made
    │   └── MalformedAnswer   the org or a proxy in front of it: an answer, but not one of the protocol
    ├── ForeignHref           the org: its answer says to call an address that is not its own; never followed
    ├── RateLimited           the org: too many requests; wait ``retry_after`` seconds
    ├── TransactionExpired    time: the handle is too old; start again
    └── OrgRefused            the org's configuration or policy, in its own words (``code``, ``description``)

A wrong code, a weak password or a taken address is not an error but a message of an ``IdxResponse``.
No error contains a request body or a handle.
"""

__all__ = ["IdxError"]


class IdxError(Exception):
    """Base class of everything that this package raises about the org."""

    request_id: str = ""
    """Okta's id of the call, for its System Log; "" if it sent none."""
    description: str = ""
    """The org's own sentence, "" if it gave none."""


class OrgUnreachable(IdxError):
    """No connection to the org; nothing was sent."""


class AnswerLost(IdxError):
    """The request was sent, but no usable answer came back. It may have been processed: introspect before a retry."""


class MalformedAnswer(AnswerLost):
    """Something answered at the org's address, but not with a document of the protocol."""


class ForeignHref(IdxError):
    """The org's answer says to call an address outside its origin, or something that is not an address."""


class RateLimited(IdxError):
    """HTTP 429 without a page.

    :param retry_after: seconds to wait, never negative
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many requests, retry after {retry_after} s")
        self.retry_after = retry_after


class TransactionExpired(IdxError):
    """``idx.session.expired``: the handle is unknown or too old."""


class OrgRefused(IdxError):
    """An OAuth error (RFC 6749, section 5.2) or an error of Okta's Management API.

    :param code: machine-readable: ``invalid_grant``, ``E0000011``
    :param description: the org's own sentence
    :param status: the HTTP status
    :param cause: the part of it that is about what a person entered, "" if there is none
    """

    def __init__(self, code: str, description: str, status: int, cause: str = "") -> None:
        super().__init__(f"{code} (HTTP {status}): {description}")
        self.code, self.description, self.status, self.cause = code, description, status, cause


AWAY = (OrgUnreachable, AnswerLost, RateLimited)
"""Errors of an org that cannot answer at the moment. They pass by themselves."""
