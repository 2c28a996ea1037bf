"""Errors of the JSON API as problem details (RFC 9457)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, JsonResponse

from selfreg.api.schemas import Problem
from selfreg.idx.errors import AnswerLost, IdxError, OrgUnreachable, RateLimited
from selfreg.registration import outcome as outcomes
from selfreg.registration.outcome import Outcome

PROBLEM_JSON = "application/problem+json"
TYPE = "urn:problem-type:selfreg:"
# Name -> HTTP status, title. The title is for developers, the member `detail` for visitors.
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
# Class of a failed call's error -> name of the problem; the first that fits.
FAILURES: tuple[tuple[type[IdxError], str], ...] = (
    (OrgUnreachable, "unreachable"),
    (AnswerLost, "unreachable"),
    (RateLimited, "wait"),
    (IdxError, "bad-answer"),
)
# Seconds to wait, where the org does not say how long.
DEFAULT_WAITS = {"busy": 2, "unreachable": 5, "wait": 5}


class Refusal(Exception):
    """Raised to answer a request with a problem.

    :param name: a key of ``PROBLEMS``
    :param retry_after: seconds; 0 for ``DEFAULT_WAITS``
    :param members: further members of ``Problem``
    """

    def __init__(self, name: str, *, retry_after: int = 0, **members: Any) -> None:
        super().__init__(name)
        self.name, self.members = name, members
        self.retry_after = retry_after or DEFAULT_WAITS.get(name, 0)

    @property
    def response(self) -> HttpResponse:
        """The HTTP response."""
        status, title = PROBLEMS[self.name]
        problem = Problem(
            type=TYPE + self.name, title=title, status=status, retry_after=self.retry_after or None, **self.members
        )
        response = JsonResponse(problem.model_dump(exclude_none=True), status=status, content_type=PROBLEM_JSON)
        if self.retry_after:
            response["Retry-After"] = str(self.retry_after)
        if status == 401:
            response["WWW-Authenticate"] = "Bearer"
        return response


def refusal_of(outcome: Outcome, **members: Any) -> Refusal:
    """Returns the problem for an outcome that is not a success.

    :param members: further members of ``Problem``
    """
    match outcome:
        case outcomes.Waiting(seconds):
            return Refusal("wait", retry_after=seconds, **members)
        case outcomes.Stale() | outcomes.NotOffered():
            return Refusal("stale", **members)
        case outcomes.Failed(error) | outcomes.Unsure(error):
            name = next(name for kind, name in FAILURES if isinstance(error, kind))
            return Refusal(name, retry_after=error.retry_after if isinstance(error, RateLimited) else 0, **members)
        case _:
            return Refusal("input", **members)
