"""What the app reports. Each function writes a log line and counts."""

import logging
from collections.abc import Mapping
from typing import Any

from selfreg.conf import orgs
from selfreg.monitoring import log, metrics

logger = logging.getLogger("selfreg.events")

HINT = "`manage.py selfreg_doctor` tells why"
WARNINGS = {"trouble", "failed"}
ENDINGS = {"failed", "expired", "cancelled"}


def registration(kind: str, org: str, fields: Mapping[str, Any]) -> None:
    """Report an event of a registration.

    :param fields: ``registration``, ``step``, ``outcome``, ``okta_request_id``, and the ``milliseconds`` that the org
        took (None without a call)
    """
    of_org = {"org": org} if len(orgs()) > 1 else {}
    level = logging.WARNING if kind in WARNINGS else logging.INFO
    log.write(logger, level, f"registration.{kind}", {**fields, **of_org})
    # An administrator's outcome goes on with a sentence in their language, after the name of the action.
    counted = fields["outcome"].partition(":")[0] if kind == "administered" else fields["outcome"]
    step, outcome = metrics.label(fields["step"]), metrics.label(counted)
    metrics.of_org(metrics.events, org, kind, step, outcome).inc()
    if kind == "started":
        metrics.of_org(metrics.started, org).inc()
    elif kind == "completed":
        metrics.of_org(metrics.completed, org).inc()
    elif kind in ENDINGS:
        metrics.of_org(metrics.ended, org, kind, outcome).inc()
    if fields["milliseconds"] is not None:
        metrics.step_seconds.labels(step).observe(fields["milliseconds"] / 1000)


def limit_reached(limit: str, seconds: int) -> None:
    """Report that a limit of this site refused a request."""
    log.write(logger, logging.WARNING, "limit.reached", {"limit": limit, "wait_seconds": seconds})
    metrics.limit_refusals.labels(limit).inc()


def form_refused(reason: str) -> None:
    """Report that a form was refused.

    :param reason: "honeypot", "too fast", "token" (missing, of another browser, or too old)
    """
    log.write(logger, logging.INFO, "form.refused", {"reason": reason})
    metrics.form_refusals.labels(reason).inc()


def sign_up_unavailable(reason: str, detail: str = "") -> None:
    """Report that a visitor got a page without a form.

    :param reason: class of the error, or keys of the org's messages; "not offered" without either
    :param detail: the error, for the log
    """
    log.write(logger, logging.WARNING, f"sign_up.unavailable: {HINT}", {"reason": reason, "detail": detail})
    metrics.unavailable.labels(metrics.label(reason)).inc()


def database_away(error: str) -> None:
    """Report that a request failed because the database is away.

    :param error: class of the exception
    """
    log.write(logger, logging.ERROR, "database.away", {"error": error})
    metrics.outages.inc()


def person_erased(counts: Mapping[str, int]) -> None:
    """Report that a person's data was erased on request.

    :param counts: "registrations", "sessions", "identities", "users"; the log holds nothing that names the person
    """
    log.write(logger, logging.INFO, "person.erased", counts)


def signed_in(user: object, backend: str) -> None:
    """Report that a user logged in.

    :param user: the primary key
    :param backend: dotted path of the authentication backend
    """
    log.write(logger, logging.INFO, "sign_in.succeeded", {"user": user, "backend": backend})


def signed_out(user: object) -> None:
    """Report that a user logged out, or that their session timed out."""
    log.write(logger, logging.INFO, "sign_out", {"user": user})


def sign_in_refused() -> None:
    """Report that no backend accepted a name and a password."""
    log.write(logger, logging.WARNING, "sign_in.refused", {})


def sessions_ended(user: object) -> None:
    """Report that a user ended their sessions in all other browsers."""
    log.write(logger, logging.INFO, "sessions.ended", {"user": user})
