"""Fixtures: browsers of the site's staff, and registrations."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from selfreg.admin.roles import make_groups
from selfreg.models import Registration, RegistrationEvent
from selfreg.statuses import FINAL, Status
from support.staff import MANAGER, NO_ROLE


@pytest.fixture
def staff(db: None, configure: Callable[..., None]) -> Callable[[str], Client]:
    """Return a function that logs in a staff user with a role. (``configure`` sets the key of the sessions.)"""

    def browser(role: str) -> Client:
        user = get_user_model().objects.create_user(f"{role} {uuid.uuid4().hex[:6]}", is_staff=True)
        if role != NO_ROLE:
            user.groups.add(make_groups()[role])
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return browser


@pytest.fixture
def manager(staff: Callable[[str], Client]) -> Client:
    return staff(MANAGER)


@pytest.fixture
def make_registration(db: None) -> Callable[..., Registration]:
    """Return a function that creates a registration with events ``(kind, step, outcome, seconds)``."""

    def make(minutes: float = 10, events: tuple[tuple[Any, ...], ...] = (), **values: Any) -> Registration:
        started_at = timezone.now() - timedelta(minutes=minutes)
        status = values.get("status", Status.STARTED)
        defaults = {
            "issuer": "https://dev-1.okta.com",
            "workflow": "mandatory",
            "policy": "a" * 16,
            "language": "en",
            "created_at": started_at,
            "updated_at": started_at,
            "finished_at": timezone.now() if status in FINAL else None,
            "okta_user_id": "00uSomebody" if status == Status.COMPLETED else "",
        }
        registration = Registration.objects.create(**defaults | values)
        for kind, step, outcome, seconds in events:
            RegistrationEvent.objects.create(
                registration=registration,
                kind=kind,
                step=step,
                outcome=outcome,
                at=started_at + timedelta(seconds=seconds),
            )
        return registration

    return make
