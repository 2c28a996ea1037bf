"""The tables: registrations and their events, Okta identities, rate limit counters, and what reports are made of."""

from selfreg.models.identities import OktaIdentity
from selfreg.models.rate_limits import RateLimitCounter
from selfreg.models.records import DoctorRun, OktaEvent, PolicyVersion, TalliedHour
from selfreg.models.registration import (
    Conflict,
    ForbiddenTransition,
    Registration,
    RegistrationEvent,
    RegistrationQuerySet,
    RowValues,
    link_digest,
    waits_for_link,
)
from selfreg.statuses import Status

__all__ = [
    "Conflict",
    "DoctorRun",
    "ForbiddenTransition",
    "OktaEvent",
    "OktaIdentity",
    "PolicyVersion",
    "RateLimitCounter",
    "Registration",
    "RegistrationEvent",
    "RegistrationQuerySet",
    "RowValues",
    "Status",
    "TalliedHour",
    "link_digest",
    "waits_for_link",
]
