"""Errors of the JSON API as problem details (RFC 9457)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, JsonResponse

from selfreg.api.schemas import Problem
from selfreg.idx.errors import AnswerLost, OrgUnreachable, RateLimited
from selfreg.registration import outcome as outcomes
from selfreg.registration.outcome import Outcome

PROBLEM_JSON = "application/problem+json"
TYPE = "urn:problem-type:selfreg:"
# Name -> HTTP status, title. The title is for developers, the member `detail` for visitors.
PROBLEMS: Mapping[str, tuple[int, str]] = {
    "malformed": (400, "The request doesn't match the OpenAPI document"),
    "token": (401, "The token is unknown or too old"),
    "csrf": (403, "The header X-CSRFToken is missing or wrong"),
    "closed": (403, "The organization doesn't offer sign-up"),
    "no-registration": (404, "No registration was started"),
    "signed-in": (409, "The visitor is already signed in"),
    "stale": (409, "This isn't the current step, or it doesn't offer this action"),
    "busy": (409, "Another request for this registration is in progress"),
    "link": (409, "The link in the email can't be used here"),
    "invitation": (410, "The invitation was used, has expired or is unknown"),
    "input": (422, "The visitor has to correct something"),
    "wait": (429, "Too many attempts"),
    "bad-answer": (502, "The organization refused, or its answer can't be used"),
    "unreachable": (503, "The organization doesn't answer"),
    "database": (503, "This site's database doesn't answer"),
}
# Seconds to wait, if the org does not say.
DEFAULT_WAITS = {"busy": 2, "unreachable": 5, "database": 2, "wait": 5}


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
    """Return the problem for an outcome that is not a success.

    :param members: further members of ``Problem``
    """
    match outcome:
        case outcomes.Waiting(seconds):
            return Refusal("wait", retry_after=seconds, **members)
        case outcomes.Stale() | outcomes.NotOffered():
            return Refusal("stale", **members)
        case outcomes.Failed(error) | outcomes.Unsure(error):
            if isinstance(error, RateLimited):
                return Refusal("wait", retry_after=error.retry_after, **members)
            return Refusal("unreachable" if isinstance(error, OrgUnreachable | AnswerLost) else "bad-answer", **members)
        case _:
            return Refusal("input", **members)
