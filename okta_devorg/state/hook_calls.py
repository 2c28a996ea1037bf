"""Calling hooks: with a deadline, one more try after a time-out or a 5xx, and without following redirects."""

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
# A header or host name that cannot be encoded is a ValueError.
CANNOT_CALL = (requests.RequestException, ValueError)


class HookFailed(Exception):
    """A hook gave no answer in time, none at all, or one with an error status."""


def hook_envelope(event_type: str, source: str) -> Json:
    """Return the members that the body of every hook call begins with."""
    return {
        "eventId": str(uuid.uuid4()),
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "eventType": event_type,
        "eventTypeVersion": "1.0",
        "contentType": "application/json",
        "source": source,
    }


def call_hook(url: str, headers: tuple[Header, ...], body: Json, timeout: float) -> object:
    """POST the body to a hook and return the JSON of its answer, None for an empty one. `timeout` is in seconds.

    :raises HookFailed: if there is no answer with a 2xx status.
    """
    all_headers = {"User-Agent": "okta-devorg", **{header.key: header.value for header in headers}}
    for tries_left in reversed(range(TRIES)):
        try:
            reply = _session().post(url, json=body, headers=all_headers, timeout=timeout, allow_redirects=False)
        except CANNOT_CALL as error:
            if not tries_left:
                raise HookFailed("no answer") from error
            continue
        if reply.status_code < 500 or not tries_left:
            break
    if not 200 <= reply.status_code < 300:
        raise HookFailed(f"status {reply.status_code}")
    return parse_json(reply.content) if reply.content else None


def verify_event_hook(hook: EventHook, timeout: float) -> bool:
    """Return whether the hook passes Okta's one-time verification: it must send back the challenge of a GET header."""
    challenge = secrets.token_urlsafe(24)
    headers = {header.key: header.value for header in hook.headers} | {"x-okta-verification-challenge": challenge}
    try:
        reply = _session().get(hook.url, headers=headers, timeout=timeout, allow_redirects=False)
    except CANNOT_CALL:
        return False
    answer = parse_json(reply.content) if reply.status_code == 200 else None
    return isinstance(answer, dict) and answer.get("verification") == challenge


def _session() -> requests.Session:
    """Return a session without proxy and netrc: the hooks of a local org are local."""
    session = requests.Session()
    session.trust_env = False
    return session


class EventHookQueue:
    """Calls event hooks in a thread of its own, so that no request waits for them. It starts with the first call."""

    def __init__(self) -> None:
        self._pending_calls: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def add(self, hook: EventHook, body: Json, timeout: float) -> None:
        """Call the hook with this body soon. Failures are logged."""
        self._pending_calls.put(partial(call_hook, hook.url, hook.headers, body, timeout))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="okta-devorg-event-hooks", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                self._pending_calls.get()()
            except HookFailed as error:
                log.warning("an event hook was not delivered: %s", error)
