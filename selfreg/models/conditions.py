"""Conditions that several queries share: the rows of an org, and those that still wait for a link."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from selfreg.conf import DEFAULT, Conf, orgs
from selfreg.statuses import Status


def belongs_to(settings: Conf) -> models.Q:
    """Return the condition for rows of an org. Those of an org that was removed belong to the default one."""
    if settings.org != DEFAULT:
        return models.Q(org=settings.org)
    others = [name for name in orgs() if name != DEFAULT]
    return ~models.Q(org__in=others) if others else models.Q()


def waits_for_link(settings: Conf) -> models.Q:
    """Return the condition for registrations of an org that the link in Okta's mail may still complete."""
    moment = timezone.now() - timedelta(days=settings.activation_link_days)
    return models.Q(status=Status.AWAITING_EMAIL, updated_at__gte=moment)
