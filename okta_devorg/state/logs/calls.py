"""The log of protocol calls. Secrets are removed before anything is stored."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from okta_devorg.wire.replies import parse_json

REDACTED = "[redacted]"
SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization"}
SECRET_KEYS = {
    "passcode", "password", "answer", "value", "token", "client_secret", "client_assertion", "code", "code_verifier",
    "interaction_code", "refresh_token", "access_token", "id_token", "id_token_hint", "activation_token",
    "recovery_token", "stateHandle", "stateToken", "interactionHandle", "otp", "nonce", "state",
    "request_uri", "captchaToken",
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One call of the protocol.

    `status` is None if the connection was dropped without an answer. `at` is org time. `body` is the request's.
    `summary` holds the `steps` and `messages` of the answer, as far as there are any. `thread` is the same for all
    calls of one sign-up or sign-in, empty for other calls.
    """

    method: str
    path: str
    status: int | None
    headers: dict[str, str]
    query: Any
    body: Any
    at: float
    milliseconds: float
    request_id: str
    fault: str | None
    summary: dict[str, Any]
    thread: str = ""


class CallLog:
    """The newest 10,000 calls."""

    def __init__(self) -> None:
        self.calls: deque[Call] = deque(maxlen=10_000)

    def matching(self, path: str | None = None) -> list[Call]:
        """Return the calls whose path ends with `path`, all without one; oldest first."""
        return [call for call in self.calls if path is None or call.path.endswith(path)]


def redacted_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with the secret ones redacted."""
    return {name: REDACTED if name.lower() in SECRET_HEADERS else value for name, value in headers.items()}


def redacted(value: Any) -> Any:
    """Return the decoded JSON with every scalar under a secret key redacted."""
    if isinstance(value, dict):
        return {key: _redacted_member(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return value


def _redacted_member(key: str, value: Any) -> Any:
    return REDACTED if key in SECRET_KEYS and not isinstance(value, dict | list) else redacted(value)


def redacted_body(raw: bytes, content_type: str) -> Any:
    """Return a JSON or form body, decoded and redacted; of any other body its length as text; None if empty."""
    if "json" in content_type:
        body = parse_json(raw)
        return f"{len(raw)} bytes, not JSON" if body is None else redacted(body)
    if "x-www-form-urlencoded" in content_type:
        return redacted(dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)))
    return f"{len(raw)} bytes" if raw else None


def summarize_answer(raw: bytes, content_type: str) -> dict[str, Any]:
    """Return a summary of an answer: the names of the `steps` it offers, the texts of its `messages`."""
    if "json" not in content_type or not raw:
        return {}
    document = parse_json(raw)
    steps: list[str] = []
    if isinstance(document, dict):
        steps = [step["name"] for step in document.get("remediation", {}).get("value", [])]
        if "successWithInteractionCode" in document:
            steps = ["success"]
    messages = list(dict.fromkeys(_message_texts(document)))
    return {**({"steps": steps} if steps else {}), **({"messages": messages} if messages else {})}


def _message_texts(value: Any) -> list[str]:
    """Return the texts of all messages and errors at any depth."""
    if isinstance(value, list):
        return [text for item in value for text in _message_texts(item)]
    if not isinstance(value, dict):
        return []
    keys = ("message", "error_description", "errorSummary")
    texts = [str(value[key]) for key in keys if isinstance(value.get(key), str)]
    return texts + [text for item in value.values() for text in _message_texts(item)]
