"""Maps failed HTTP calls to errors. Pure.

The Identity Engine, the OAuth endpoints and the Management API of an org fail in the same ways.
"""

from collections.abc import Mapping
from typing import TypeVar

from selfreg.idx.errors import AnswerLost, IdxError, MalformedAnswer, OrgRefused, RateLimited
from selfreg.idx.transport import Reply, retry_after

CODE_LIMIT, SENTENCE_LIMIT = 100, 500

AnyError = TypeVar("AnyError", bound=IdxError)


def failure_of(reply: Reply, now: float) -> IdxError:
    """Return the error for a reply, with its request id and the org's own sentence.

    - HTTP 429: ``RateLimited`` with the wait that the reply names, see ``retry_after``
    - 4xx with the code of an OAuth error (RFC 6749 5.2) or of a classic API error: ``OrgRefused``
    - 5xx: ``AnswerLost``, the work may have been done
    - anything else: ``MalformedAnswer``

    :param now: seconds since the epoch
    """
    return with_origin(_error(reply, now), reply)


def with_origin(error: AnyError, reply: Reply, sentence: str = "") -> AnyError:
    """Return the same error, with the id of its call and the org's explanation.

    :param sentence: the explanation, if the reply is a document of the protocol; "" takes it from the error body
    """
    error.request_id = reply.request_id
    error.description = sentence[:SENTENCE_LIMIT] or _sentence(reply.body)
    return error


def _error(reply: Reply, now: float) -> IdxError:
    if reply.status == 429:
        return RateLimited(retry_after(reply.headers, now))
    body = reply.body if isinstance(reply.body, Mapping) else {}
    code = body.get("error") or body.get("errorCode")
    if isinstance(code, str) and 400 <= reply.status < 500:
        return OrgRefused(code[:CODE_LIMIT], _sentence(body), reply.status, " ".join(_causes(body))[:SENTENCE_LIMIT])
    if reply.status >= 500:
        return AnswerLost(f"HTTP {reply.status}")
    return MalformedAnswer(f"HTTP {reply.status}, not a document of the protocol")


def _sentence(body: object) -> str:
    """Return the text of an OAuth error, of a plain ``{"message": ...}``, or of a classic API error with its causes."""
    members = body if isinstance(body, Mapping) else {}
    text = members.get("error_description") or members.get("errorSummary") or members.get("message")
    return " ".join(part for part in (text, *_causes(members)) if isinstance(part, str))[:SENTENCE_LIMIT]


def _causes(body: Mapping[str, object]) -> list[str]:
    """Return the sentences of a classic API error about what was sent, such as the words of a hook."""
    causes = body.get("errorCauses")
    details = [c.get("errorSummary") for c in causes if isinstance(c, Mapping)] if isinstance(causes, list) else []
    return [text for text in details if isinstance(text, str)]
