"""The answers to exceptions, a table by class. Those of the IDX endpoints come from `okta_devorg.idx.serving`."""

import logging
from collections.abc import Callable
from itertools import chain
from typing import Any

from flask import Response, request
from werkzeug.exceptions import HTTPException

from okta_devorg.idx.documents.document import messages_only
from okta_devorg.policy.serialization import PolicyError
from okta_devorg.wire.errors import ApiError, IdxError, OAuthError
from okta_devorg.wire.replies import json_reply, message_page

log = logging.getLogger(__name__)
CANNOT_GO_ON = "This cannot go on"
MALFORMED_BODY = ("E0000003", "The request body was not well-formed.")
# By status: code and summary.
HTTP_ERRORS = {
    404: ("E0000007", "Not found: Resource not found."),
    405: ("E0000022", "The endpoint does not support the provided HTTP method"),
    413: MALFORMED_BODY,
}


def api_error_reply(error: ApiError) -> Response:
    """Return the answer to an error of Okta's APIs other than IDX and OAuth."""
    return json_reply(error.body(), error.status)


def _oauth_error_reply(error: OAuthError) -> Response:
    if _wants_page():
        return message_page(CANNOT_GO_ON, error.description, error.status)
    reply = json_reply({"error": error.error, "error_description": error.description}, error.status)
    reply.headers.update(error.headers)
    return reply


def _idx_error_reply(error: IdxError) -> Response:
    """Answer an error of a step that came up outside of the IDX endpoints: on a page as a page."""
    messages = [*error.messages, *chain(*error.field_messages.values())]
    if _wants_page():
        return message_page(CANNOT_GO_ON, " ".join(message["message"] for message in messages), error.status)
    return json_reply(messages_only(messages), error.status)


def _wants_page() -> bool:
    """Return whether a browser asks for a page: no program asks for HTML."""
    return "text/html" in request.headers.get("Accept", "")


def _policy_error_reply(error: PolicyError) -> Response:
    return json_reply({"error": str(error)}, 400)


def _http_error_reply(error: HTTPException) -> Response:
    status = error.code or 500
    code, summary = HTTP_ERRORS.get(status, MALFORMED_BODY)
    return api_error_reply(ApiError(status, code, summary))


def _unexpected_error_reply(error: Exception) -> Response:
    """Answer a bug of this program as Okta answers one of its own; the log gets the traceback."""
    log.error("unexpected error", exc_info=error)
    return api_error_reply(ApiError(500, "E0000009", "Internal Server Error"))


ERROR_HANDLERS: dict[type[Exception], Callable[[Any], Response]] = {
    IdxError: _idx_error_reply,
    OAuthError: _oauth_error_reply,
    ApiError: api_error_reply,
    PolicyError: _policy_error_reply,
    HTTPException: _http_error_reply,
    Exception: _unexpected_error_reply,
}
