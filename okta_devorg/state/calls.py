"""The log of protocol calls. Secrets are cut out before anything is kept."""

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
    """One call. `status` is None when the connection was dropped without an answer; `at` is org time.

    `thread` is the same for all calls of one sign-up or sign-in, empty for others.
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
    def __init__(self) -> None:
        self.calls: deque[Call] = deque(maxlen=10_000)

    def matching(self, path: str | None = None) -> list[Call]:
        """Oldest first; all, or those whose path ends with `path`."""
        return [call for call in self.calls if path is None or call.path.endswith(path)]


def redacted_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: REDACTED if name.lower() in SECRET_HEADERS else value for name, value in headers.items()}


def redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: redact_member(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return value


def redact_member(key: str, item: Any) -> Any:
    return REDACTED if key in SECRET_KEYS and not isinstance(item, dict | list) else redacted(item)


def read_body(raw: bytes, content_type: str) -> Any:
    """JSON or a form as an object; anything else is only measured."""
    if "json" in content_type:
        body = parse_json(raw)
        return f"{len(raw)} bytes, not JSON" if body is None else redacted(body)
    if "x-www-form-urlencoded" in content_type:
        return redacted(dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)))
    return f"{len(raw)} bytes" if raw else None


def summary(raw: bytes, content_type: str) -> dict[str, Any]:
    """What a person would see of the answer: the steps offered and every message's text."""
    if "json" not in content_type or not raw:
        return {}
    document = parse_json(raw)
    steps = (
        [step["name"] for step in document.get("remediation", {}).get("value", [])]
        if isinstance(document, dict)
        else []
    )
    if isinstance(document, dict) and "successWithInteractionCode" in document:
        steps = ["success"]
    found = list(dict.fromkeys(texts(document)))
    return {**({"steps": steps} if steps else {}), **({"messages": found} if found else {})}


def texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    if not isinstance(value, dict):
        return []
    own = [
        str(value[key]) for key in ("message", "error_description", "errorSummary") if isinstance(value.get(key), str)
    ]
    return own + [text for item in value.values() for text in texts(item)]
