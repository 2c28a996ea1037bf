"""The System Log: what happened in the org, as `GET /api/v1/logs` and event hooks tell it."""

import uuid
from collections import deque
from dataclasses import dataclass, field

from okta_devorg.state.clock import Clock
from okta_devorg.state.users import User
from okta_devorg.wire.ion import Json

DISPLAY_MESSAGES = {
    "user.lifecycle.create": "Create Okta user",
    "user.lifecycle.activate": "Activate Okta user",
    "user.lifecycle.reactivate": "Reactivate Okta user",
    "user.lifecycle.deactivate": "Deactivate Okta user",
    "user.lifecycle.suspend": "Suspend Okta user",
    "user.lifecycle.unsuspend": "Unsuspend Okta user",
    "user.lifecycle.delete.initiated": "Delete Okta user initiated",
    "user.account.update_profile": "Update user profile for Okta",
    "user.account.update_password": "User update password for Okta",
    "user.mfa.factor.activate": "Activate factor for user",
    "user.session.start": "User login to Okta",
    "user.authentication.sso": "User single sign on to app",
    "group.user_membership.add": "Add user to group membership",
    "group.user_membership.remove": "Remove user from group membership",
    "system.email.delivery": "Email delivery",
    "inline_hook.executed": "Inline hook executed",
    "inline_hook.response.processed": "Inline hook response processed",
    "policy.rule.update": "Update policy rule",
}


@dataclass(frozen=True)
class LogEvent:
    """One event. `target` is the user or object it is about: `id`, `type`, `displayName`. `at` is org time."""

    event_type: str
    at: float
    target: Json
    outcome: str = "SUCCESS"
    reason: str | None = None
    debug: Json = field(default_factory=dict)
    address: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class SystemLog:
    """The newest 10,000 events, oldest first."""

    def __init__(self) -> None:
        self.events: deque[LogEvent] = deque(maxlen=10_000)


def user_target(user: User) -> Json:
    """Return the target of an event about a user."""
    return {"id": user.id, "type": "User", "alternateId": user.login, "displayName": user.name}


def event_json(clock: Clock, event: LogEvent) -> Json:
    """Return an event as the Management API and event hooks send it."""
    return {
        "uuid": event.id,
        "published": clock.iso(event.at),
        "eventType": event.event_type,
        "version": "0",
        "severity": "INFO" if event.outcome == "SUCCESS" else "WARN",
        "legacyEventType": None,
        "displayMessage": DISPLAY_MESSAGES.get(event.event_type, event.event_type),
        "actor": event.target if event.target.get("type") == "User" else {"id": "local", "type": "SystemPrincipal"},
        "client": {"ipAddress": event.address} if event.address else None,
        "outcome": {"result": event.outcome, "reason": event.reason},
        "target": [event.target],
        "transaction": {"type": "WEB", "id": event.id, "detail": {}},
        "debugContext": {"debugData": event.debug},
        "authenticationContext": {"authenticationStep": 0, "externalSessionId": "unknown"},
        "securityContext": None,
        "request": {"ipChain": []},
    }
