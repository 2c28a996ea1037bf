"""The tables: registrations and their events, Okta identities, rate limit counters, and what reports are made of."""

# ruff: isort: skip_file
from selfreg.models.identities import OktaIdentity
from selfreg.models.rate_limits import RateLimitCounter as RateLimitCounter
from selfreg.models.records import (
    CommandRun as CommandRun,
    DoctorRun as DoctorRun,
    OktaEvent as OktaEvent,
    PolicyVersion as PolicyVersion,
    TalliedHour as TalliedHour,
)
from selfreg.models.registration import (
    Conflict as Conflict,
    ForbiddenTransition as ForbiddenTransition,
    Registration,
    RegistrationEvent,
    RegistrationQuerySet as RegistrationQuerySet,
    belongs_to as belongs_to,
    link_digest as link_digest,
    waits_for_link as waits_for_link,
)
from selfreg.statuses import Status as Status

# What sites may import; the rest is this app's own.
__all__ = ["OktaIdentity", "Registration", "RegistrationEvent"]
