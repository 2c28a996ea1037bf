"""The error of a failed reply, for IDX, the OAuth endpoints and the Management API."""

import pytest

from selfreg.idx.errors import AnswerLost, IdxError, MalformedAnswer, OrgRefused, RateLimited, TransactionExpired
from selfreg.idx.failures import failure_of, with_origin
from selfreg.idx.transport import Reply
from selfreg.secret import Secret

NOW = 1_000.0
OAUTH = {"error": "invalid_client", "error_description": "The client secret is invalid."}
CLASSIC = {"errorCode": "E0000001", "errorSummary": "Api validation failed", "errorCauses": [{"errorSummary": "login"}]}


def reply(status: int, body: object = None, **headers: str) -> Reply:
    return Reply(status, body, Secret(""), headers, 0.1, "req-1")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, OAUTH, OrgRefused),
        (404, CLASSIC, OrgRefused),
        (404, {}, MalformedAnswer),
        (403, [], MalformedAnswer),
        (400, {"errorCode": 7}, MalformedAnswer),
        (200, {}, MalformedAnswer),
        (200, OAUTH, MalformedAnswer),
        (500, CLASSIC, AnswerLost),
        (503, None, AnswerLost),
        (429, CLASSIC, RateLimited),
        (429, OAUTH, RateLimited),
    ],
)
def test_each_failed_reply_has_one_kind_of_error_with_its_request_id(
    status: int, body: object, kind: type[IdxError]
) -> None:
    error = failure_of(reply(status, body), NOW)
    assert type(error) is kind
    assert error.request_id == "req-1"


@pytest.mark.parametrize(
    ("body", "code", "description"),
    [
        (OAUTH, "invalid_client", "The client secret is invalid."),
        (CLASSIC, "E0000001", "Api validation failed login"),
        ({"errorCode": "E0000009", "errorCauses": "none"}, "E0000009", ""),
        ({"error": "x" * 200, "error_description": "y" * 600}, "x" * 100, "y" * 500),
    ],
)
def test_a_refusal_has_the_code_and_the_description_of_the_org(body: object, code: str, description: str) -> None:
    error = failure_of(reply(400, body), NOW)
    assert isinstance(error, OrgRefused)
    assert (error.code, error.description, error.status) == (code, description, 400)


@pytest.mark.parametrize(("headers", "seconds"), [({"X-Rate-Limit-Reset": "1041"}, 41), ({}, 30)])
def test_a_rate_limit_error_has_the_seconds_to_wait(headers: dict[str, str], seconds: int) -> None:
    error = failure_of(reply(429, CLASSIC, **headers), NOW)
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


def test_an_error_from_a_document_has_the_text_of_its_messages() -> None:
    error = with_origin(TransactionExpired("idx.session.expired"), reply(401), "You have been logged out.")
    assert (error.request_id, error.description) == ("req-1", "You have been logged out.")
