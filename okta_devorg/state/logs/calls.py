"""The log of protocol calls. Secrets are removed before anything is stored."""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from okta_devorg.wire.replies import parse_json

REDACTED = "[redacted]"
# A referer may be a page whose address has a token in it.
SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization", "referer"}
# Names in JSON and forms, in lower case and without underscores: whole names, and how names end.
SECRET_NAMES = {
    "answer",
    "value",
    "salt",
    "code",
    "interactioncode",
    "otp",
    "nonce",
    "state",
    "requesturi",
    "devicecode",
    "usercode",
}
SECRET_ENDINGS = (
    "token", "tokenhint", "secret", "password", "passcode", "verifier", "assertion", "handle",
)  # fmt: skip
# Under these keys answers have texts for people.
MESSAGE_KEYS = ("message", "error_description", "errorSummary")
# What follows these in a path is a token.
SECRET_IN_PATH = re.compile(
    r"(/(?:signin(?:/reset-password)?|okta-verify|tokens|welcome|api/v1/sessions)/+)(?!reset-password/)[^/]+", re.I
)
# Longer parts of a path that leads nowhere may be tokens; ids have twenty characters.
LONGEST_READABLE_PART = 24


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


def redacted_path(path: str, leads_somewhere: bool) -> str:
    """Return the path with the tokens in it redacted. `leads_somewhere`: whether it is one of the org's."""
    path = SECRET_IN_PATH.sub(rf"\1{REDACTED}", path)
    if leads_somewhere:
        return path
    return "/".join(part if len(part) <= LONGEST_READABLE_PART else REDACTED for part in path.split("/"))


def redacted(value: Any, is_secret: bool = False) -> Any:
    """Return the decoded JSON with everything redacted that is under the name of a secret, at any depth."""
    if isinstance(value, dict):
        return {key: redacted(item, is_secret or _names_a_secret(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item, is_secret) for item in value]
    return REDACTED if is_secret and value is not None else value


def _names_a_secret(key: str) -> bool:
    name = key.replace("_", "").lower()
    return name in SECRET_NAMES or name.endswith(SECRET_ENDINGS)


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
    has_messages = any(f'"{key}"'.encode() in raw for key in MESSAGE_KEYS)
    messages = list(dict.fromkeys(_message_texts(document))) if has_messages else []
    return {**({"steps": steps} if steps else {}), **({"messages": messages} if messages else {})}


def _message_texts(value: Any) -> list[str]:
    """Return the texts of all messages and errors at any depth."""
    if isinstance(value, list):
        return [text for item in value for text in _message_texts(item)]
    if not isinstance(value, dict):
        return []
    texts = [str(value[key]) for key in MESSAGE_KEYS if isinstance(value.get(key), str)]
    return texts + [text for item in value.values() for text in _message_texts(item)]
