"""The content of the page of one registration."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from selfreg.admin import labels, reasons
from selfreg.admin.actions import ACTIONS, AdminAction
from selfreg.admin.addresses import mask, may_see_addresses, name_for
from selfreg.admin.console import person_url
from selfreg.admin.explanation import Explanation, explain
from selfreg.admin.story import story
from selfreg.admin.way_back import kept_filters
from selfreg.conf import has_several_orgs
from selfreg.models import Registration
from selfreg.reports.attention import is_stuck

MAX_EVENTS = 500
MAX_OTHERS = 5
REFRESH_SECONDS = 5


def page_context(request: HttpRequest, registration: Registration) -> dict[str, Any]:
    """Return the context of ``registration/detail.html``."""
    user: Any = request.user
    events = list(registration.events.order_by("-at", "-pk")[:MAX_EVENTS])[::-1]
    activity = reasons.activities([registration]).get(registration.pk, reasons.Activity())
    attempts = reasons.attempts(registration, activity)
    explanation = explain(registration, events[-1] if events else None, attempts)
    possible = _possible(registration, explanation)
    actions = [action for action in possible if action.permission.is_held_by(user)]
    recommended = _recommended(registration, actions)
    return {
        "registration": registration,
        "object": registration,
        "name": (may_see_addresses(user) and registration.email) or mask(registration.email) or str(registration.pk),
        "person": name_for(user, registration),
        "badge": labels.badge(registration),
        "workflow": labels.workflow_label(registration.workflow),
        "step": labels.step_label(registration.step),
        "failure": labels.failure_label(registration.failure),
        "time_left": labels.time_left(registration),
        "account": labels.user_label(registration.user),
        "org": registration.org if has_several_orgs() else "",
        "console_url": person_url(registration.issuer, registration.okta_user_id),
        "times": {name: labels.when(getattr(registration, name)) for name in TIMES},
        "explanation": explanation,
        "language": labels.language_label(registration.language),
        "recommended": recommended,
        "other_actions": [a for a in actions if a is not recommended and not a.is_destructive],
        "destructive_actions": [a for a in actions if a.is_destructive],
        "forbidden_actions": [action for action in possible if action not in actions],
        "story": list(story(events)),
        "max_events": MAX_EVENTS if len(events) == MAX_EVENTS else 0,
        "others": [(other, labels.badge(other), labels.when(other.created_at)) for other in _others(registration)],
        "kept_filters": kept_filters(request),
        "refresh_seconds": REFRESH_SECONDS if registration.is_open else 0,
    }


TIMES = ("email_verified_at", "created_at", "updated_at", "expires_at", "finished_at")


def _possible(registration: Registration, explanation: Explanation) -> list[AdminAction]:
    """Return the actions that are possible now, whoever may use them."""
    return [
        action
        for action in ACTIONS
        if action.is_available(registration)
        and (explanation.is_readable or not action.needs_state)
        and (explanation.can_resend or action.name != "resend")
    ]


def _recommended(registration: Registration, actions: Sequence[AdminAction]) -> AdminAction | None:
    """Return the action that most likely helps this person; None if waiting does."""
    by_name = {action.name: action for action in actions}
    does_not_get_on = not registration.is_open or is_stuck(registration, timezone.now()) or not registration.sealed
    names = ("approve", "resend", *(("repair", "expire") if does_not_get_on else ()))
    return next((by_name[name] for name in names if name in by_name), None)


def _others(registration: Registration) -> list[Registration]:
    """Return the newest other registrations with the same address."""
    if not registration.email_canonical:
        return []
    same: QuerySet[Registration] = Registration.objects.filter(email_canonical=registration.email_canonical)
    return list(same.exclude(pk=registration.pk).defer("sealed")[:MAX_OTHERS])
