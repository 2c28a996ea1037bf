"""Conditions that several queries share: the rows of an org, and those that still wait for a link."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from selfreg.conf import DEFAULT, Conf, orgs
from selfreg.statuses import Status


def belongs_to(settings: Conf, path: str = "") -> models.Q:
    """Return the condition for rows of an org. Those of an org that was removed belong to the default one.

    :param path: of a related row, such as "registration__"
    """
    if settings.org != DEFAULT:
        return models.Q((f"{path}org", settings.org))
    others = [name for name in orgs() if name != DEFAULT]
    return ~models.Q((f"{path}org__in", others)) if others else models.Q()


def waits_for_link(settings: Conf) -> models.Q:
    """Return the condition for registrations of an org that the link in Okta's mail may still complete."""
    moment = timezone.now() - timedelta(days=settings.activation_link_days)
    return models.Q(status=Status.AWAITING_EMAIL, updated_at__gte=moment)
