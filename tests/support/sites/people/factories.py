"""User factories and backends of example sites."""

import datetime
from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from selfreg.auth import OktaBackend

# The model is another one on each site.
get_model: Callable[[], Any] = get_user_model


def colleague(*, claims: dict[str, Any], registration: Any, profile: dict[str, str]) -> Any:
    """Fills in columns without a claim."""
    return get_model()(
        username=claims["sub"],
        email=claims["email"],
        first_name=claims["given_name"].upper(),
        company=f"{profile.get('lastName', 'nobody')} of {registration.workflow if registration else 'nowhere'}",
        birthday=datetime.date(1815, 12, 10),
        employer=Group.objects.get_or_create(name="Analysts")[0],
    )


def nobody(**_: Any) -> None:
    """Returns no user."""


class OwnBackend(OktaBackend):
    """A subclass in place of a factory."""

    def create_user(self, claims: dict[str, Any]) -> Any:
        return get_model().objects.create(
            username=f"own-{claims['sub']}",
            email=claims["email"],
            company="Own",
            birthday=datetime.date(1815, 12, 10),
            employer=Group.objects.get_or_create(name="Analysts")[0],
        )
