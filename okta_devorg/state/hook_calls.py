"""Calling out to hooks: a deadline, one more try after a time-out or a 5xx, redirects not followed."""

import logging
import queue
import secrets
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import requests

from okta_devorg.policy.settings import EventHook, Header
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import parse_json

log = logging.getLogger(__name__)
TRIES = 2


class HookFailed(Exception):
    """No answer in time, none at all, or one with an error status."""


def http() -> requests.Session:
    """Hooks of a local org are local: no proxy, no netrc."""
    session = requests.Session()
    session.trust_env = False
    return session


def envelope(event_type: str, source: str) -> Json:
    return {
        "eventId": str(uuid.uuid4()),
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "eventType": event_type,
        "eventTypeVersion": "1.0",
        "contentType": "application/json",
        "source": source,
    }


def call(url: str, headers: tuple[Header, ...], body: Json, timeout: float) -> object:
    """The JSON of a 2xx answer, None for an empty one. Raises HookFailed."""
    sent = {"User-Agent": "okta-devorg", **{header.key: header.value for header in headers}}
    for left in reversed(range(TRIES)):
        try:
            reply = http().post(url, json=body, headers=sent, timeout=timeout, allow_redirects=False)
        except requests.RequestException as error:
            if not left:
                raise HookFailed("no answer") from error
            continue
        if reply.status_code < 500 or not left:
            break
    if not 200 <= reply.status_code < 300:
        raise HookFailed(f"status {reply.status_code}")
    return parse_json(reply.content) if reply.content else None


def verify(hook: EventHook, timeout: float) -> bool:
    """The one-time request: a GET whose header must come back in the answer."""
    challenge = secrets.token_urlsafe(24)
    headers = {header.key: header.value for header in hook.headers} | {"x-okta-verification-challenge": challenge}
    try:
        reply = http().get(hook.url, headers=headers, timeout=timeout, allow_redirects=False)
    except requests.RequestException:
        return False
    answer = parse_json(reply.content) if reply.status_code == 200 else None
    return isinstance(answer, dict) and answer.get("verification") == challenge


class Deliveries:
    """Event hooks run beside the org: nobody waits for them. The thread starts with the first delivery."""

    def __init__(self) -> None:
        self.waiting: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self.thread: threading.Thread | None = None

    def add(self, hook: EventHook, body: Json, timeout: float) -> None:
        self.waiting.put(partial(call, hook.url, hook.headers, body, timeout))
        if self.thread is None:
            self.thread = threading.Thread(target=self.run, name="okta-devorg-event-hooks", daemon=True)
            self.thread.start()

    def run(self) -> None:
        while True:
            try:
                self.waiting.get()()
            except HookFailed as error:
                log.warning("an event hook was not delivered: %s", error)
