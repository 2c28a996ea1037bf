"""What the page of one registration shows."""

from typing import Any

from selfreg.addresses import masked
from selfreg.admin import labels
from selfreg.admin.actions import ACTIONS, AdminAction
from selfreg.admin.explanation import Explanation, explain, system_log_url
from selfreg.admin.roles import RegistrationPermission
from selfreg.models import Registration, RegistrationEvent

MAX_EVENTS = 500
REFRESH_SECONDS = 5


def page_context(user: Any, registration: Registration, email: str = "") -> dict[str, Any]:
    """Returns the context of ``registration/detail.html``.

    :param user: the administrator
    :param email: the whole address, for the one page that reveals it; else the masked one is shown
    """
    events = list(registration.events.order_by("-at", "-pk")[:MAX_EVENTS])[::-1]
    explanation = explain(registration, events[-1] if events else None)
    actions = _available(registration, explanation)
    return {
        "registration": registration,
        "object": registration,
        "email": email or masked(registration.email) or labels.NOTHING,
        "may_reveal": bool(registration.email) and not email and RegistrationPermission.REVEAL.is_held_by(user),
        "badge": labels.badge(registration),
        "workflow": labels.workflow_label(registration.workflow),
        "step": labels.step_label(registration.step),
        "failure": labels.failure_label(registration.failure),
        "time_left": labels.time_left(registration),
        "account": labels.user_label(registration.user),
        "explanation": explanation,
        "actions": [action for action in actions if action.permission.is_held_by(user)],
        "forbidden_actions": [action for action in actions if not action.permission.is_held_by(user)],
        "timeline": [_line(event) for event in events],
        "max_events": MAX_EVENTS if len(events) == MAX_EVENTS else 0,
        "refresh_seconds": REFRESH_SECONDS if registration.is_open and not email else 0,
    }


def _available(registration: Registration, explanation: Explanation) -> list[AdminAction]:
    return [
        action
        for action in ACTIONS
        if action.is_available(registration) and (action.name != "resend" or explanation.can_resend)
    ]


def _line(event: RegistrationEvent) -> dict[str, Any]:
    """One row of the timeline."""
    return {
        "event": event,
        "step": labels.step_label(event.step),
        "outcome": labels.failure_label(event.outcome),
        "duration": labels.event_duration(event),
        "by": labels.event_actor(event),
        "log_url": system_log_url(event.request_id),
    }
