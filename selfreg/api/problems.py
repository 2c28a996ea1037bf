"""What can be wrong with a request, as problem details (RFC 9457)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from selfreg.api.schemas import Problem
from selfreg.idx.errors import AnswerLost, IdxError, OrgUnreachable, RateLimited
from selfreg.registration import outcome as outcomes
from selfreg.registration.outcome import Outcome

TYPE = "urn:problem-type:selfreg:"
# Name -> status, title. The title explains the type to a developer; `detail` speaks to the visitor.
PROBLEMS: Mapping[str, tuple[int, str]] = {
    "malformed": (400, "The request is not what the document of this interface describes"),
    "token": (401, "The token is unknown or too old"),
    "csrf": (403, "The header X-CSRFToken is missing or wrong"),
    "closed": (403, "The organization offers no sign-up"),
    "no-registration": (404, "No registration was begun"),
    "signed-in": (409, "Somebody is signed in"),
    "stale": (409, "This step is not the present one, or does not offer that"),
    "busy": (409, "Another request of this registration is under way"),
    "link": (409, "The link in the mail cannot be used here"),
    "invitation": (410, "The invitation is used, expired or unknown"),
    "input": (422, "Something has to be put right"),
    "wait": (429, "Too much at once"),
    "bad-answer": (502, "The organization refused, or its answer cannot be used"),
    "unreachable": (503, "The organization does not answer"),
}
# Kinds of error of a failed exchange -> the problem it is; the first that fits.
FAILURES: tuple[tuple[type[IdxError], str], ...] = (
    (OrgUnreachable, "unreachable"),
    (AnswerLost, "unreachable"),
    (RateLimited, "wait"),
    (IdxError, "bad-answer"),
)
# Where nobody said how long.
USUAL_WAITS = {"busy": 2, "unreachable": 5, "wait": 5}


class Refusal(Exception):
    """Ends a request as a problem.

    :param name: of ``PROBLEMS``
    :param retry_after: seconds, 0 for the usual
    :param more: further members of ``Problem``
    """

    def __init__(self, name: str, *, retry_after: int = 0, **more: Any) -> None:
        super().__init__(name)
        self.name, self.more = name, more
        self.retry_after = retry_after or USUAL_WAITS.get(name, 0)

    @property
    def response(self) -> HttpResponse:
        """As it goes out."""
        status, title = PROBLEMS[self.name]
        problem = Problem(
            type=TYPE + self.name, title=title, status=status, retry_after=self.retry_after or None, **self.more
        )
        response = JsonResponse(
            problem.model_dump(exclude_none=True), status=status, content_type="application/problem+json"
        )
        if self.retry_after:
            response["Retry-After"] = str(self.retry_after)
        if status == 401:
            response["WWW-Authenticate"] = "Bearer"
        return response


def refusal_of(outcome: Outcome, **more: Any) -> Refusal:
    """The problem that an outcome is.

    :param more: further members of ``Problem``
    """
    match outcome:
        case outcomes.Waiting(seconds):
            return Refusal("wait", retry_after=seconds, **more)
        case outcomes.Stale() | outcomes.NotOffered():
            return Refusal("stale", **more)
        case outcomes.Failed(error) | outcomes.Unsure(error):
            name = next(name for kind, name in FAILURES if isinstance(error, kind))
            return Refusal(name, retry_after=error.retry_after if isinstance(error, RateLimited) else 0, **more)
        case _:
            return Refusal("input", **more)


def answer_refusal(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """For the interface's exception handler."""
    return refusal.response
