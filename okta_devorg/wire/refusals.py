"""Why the org says no. Raised anywhere, turned into an answer in one place per protocol (idx, oauth, management)."""

from dataclasses import dataclass, field

from okta_devorg.wire.ion import Json, message


@dataclass(eq=False)
class IdxRefusal(Exception):
    """An IDX answer that is not the next step.

    `page` true: the current step is sent again with the messages on it. False: messages only, no remediation.
    `fields` maps a dotted field path of the first remediation to its messages.
    """

    status: int
    messages: list[Json] = field(default_factory=list)
    fields: dict[str, list[Json]] = field(default_factory=dict)
    page: bool = True


def bad_request() -> IdxRefusal:
    return IdxRefusal(400, [message("Bad request.", "E0000020")], page=False)


def access_denied(status: int = 403) -> IdxRefusal:
    text = "You do not have permission to perform the requested action."
    return IdxRefusal(status, [message(text, "security.access_denied")], page=False)


def session_expired(status: int = 401) -> IdxRefusal:
    return IdxRefusal(status, [message("The session has expired.", "idx.session.expired")], page=False)


@dataclass(eq=False)
class OAuthError(Exception):
    status: int
    error: str
    description: str


@dataclass(eq=False)
class ApiError(Exception):
    """The classic error body of Okta's APIs."""

    status: int
    code: str
    summary: str
    causes: tuple[str, ...] = ()

    def body(self) -> Json:
        return {
            "errorCode": self.code,
            "errorSummary": self.summary,
            "errorLink": self.code,
            "errorId": "oaeLocalDevOrg000000",
            "errorCauses": [{"errorSummary": cause} for cause in self.causes],
        }


def idx_rate_limited(body: str) -> Exception:
    """In the shape `limits.idx_body` asks for."""
    if body == "classic":
        return rate_limited()
    return IdxRefusal(429, too_many_messages(), page=body == "page")


def too_many_messages() -> list[Json]:
    return [message("Too many requests", "tooManyRequests")]


def rate_limited() -> ApiError:
    return ApiError(429, "E0000047", "API call exceeded rate limit due to too many requests.")
