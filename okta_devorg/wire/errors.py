"""Exceptions that end a request with an error answer, one class for each protocol the org speaks.

They may be raised anywhere below the endpoints. `okta_devorg.idx.serving` turns an `IdxError` into a document;
`okta_devorg.app` turns the other two into JSON.
"""

from dataclasses import dataclass, field

from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.ion import Json, message


@dataclass(eq=False)
class IdxError(Exception):
    """An IDX request that does not lead to the next step.

    The answer has the HTTP `status` and the `messages`. With `repeats_step` it also repeats the current step, so that
    the client can try again; without, it has no remediation. `field_messages` maps the path of a field of the step's
    first remediation, its names joined by dots, to the messages of that field.
    """

    status: int
    messages: list[Json] = field(default_factory=list)
    field_messages: dict[str, list[Json]] = field(default_factory=dict)
    repeats_step: bool = True


@dataclass(eq=False)
class OAuthError(Exception):
    """An error answer of an OAuth endpoint (RFC 6749, section 5.2; docs/protocol.md, sections 1.3 and 6)."""

    status: int
    error: str
    description: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class ApiError(Exception):
    """An error answer of Okta's other APIs: `code` such as `E0000007`, a summary, and the texts of the causes."""

    status: int
    code: str
    summary: str
    causes: tuple[str, ...] = ()

    def body(self) -> Json:
        """Return the JSON body."""
        return {
            "errorCode": self.code,
            "errorSummary": self.summary,
            "errorLink": self.code,
            "errorId": new_id("oae"),
            "errorCauses": [{"errorSummary": cause} for cause in self.causes],
        }


def bad_request() -> IdxError:
    """Return the error for a request body that does not fit the step."""
    return IdxError(400, [message("Bad request.", "E0000020")], repeats_step=False)


def access_denied(status: int = 403) -> IdxError:
    """Return the error for a request that is not allowed now, such as one for another step."""
    text = "You do not have permission to perform the requested action."
    return IdxError(status, [message(text, "security.access_denied")], repeats_step=False)


def session_expired(status: int = 401) -> IdxError:
    """Return the error for a handle that is unknown or has expired (docs/protocol.md, section 2.2)."""
    return IdxError(status, [message("The session has expired.", "idx.session.expired")], repeats_step=False)


def too_many_requests() -> list[Json]:
    """Return the messages of an IDX answer with status 429 (docs/protocol.md, section 4.12)."""
    return [message("Too many requests", "tooManyRequests")]


def idx_rate_limited(body: str) -> Exception:
    """Return the error for an IDX request over a rate limit. `body` is the setting `limits.idx_body`."""
    if body == "classic":
        return rate_limited()
    return IdxError(429, too_many_requests(), repeats_step=body == "page")


def rate_limited() -> ApiError:
    """Return the error of Okta's other APIs for a request over a rate limit."""
    return ApiError(429, "E0000047", "API call exceeded rate limit due to too many requests.")


def forbidden() -> ApiError:
    """Return the error for a caller without permission."""
    return ApiError(403, "E0000006", "You do not have permission to perform the requested action")
