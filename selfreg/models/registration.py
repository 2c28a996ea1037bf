"""Registrations and their events. A row has everything a sign-up needs to continue: any worker can serve any step.

A status changes as ``statuses.TRANSITIONS`` allows, and a row changes only by compare-and-set on its ``version``: when
two requests read the same version, one of them writes and the other gets ``Conflict``. Handles and codes are encrypted
in one column, which a database constraint keeps empty in every final status.
"""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, router, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from selfreg.conf import DEFAULT, Conf, orgs, settings_for
from selfreg.database_connections import retried
from selfreg.email_addresses import masked
from selfreg.monitoring import events as monitoring
from selfreg.signals import announce, registration_started
from selfreg.statuses import FINAL, OPEN, TRANSITIONS, Status


def link_digest(state: str) -> str:
    """Return the digest of an email link's ``state``. It is stored instead of the state, to find the registration."""
    return hashlib.sha256(state.encode()).hexdigest()[:40]


class ForbiddenTransition(Exception):
    """The new status cannot follow the current one: a bug in the caller."""


class Conflict(Exception):
    """Another request changed the row first, or is waiting for the org's answer. Nothing was written.

    ``registration`` is the row's id; None when there is no row yet.
    """

    def __init__(self, why: str, registration: uuid.UUID | None = None) -> None:
        super().__init__(why)
        self.registration = registration


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


class RegistrationQuerySet(models.QuerySet["Registration"]):
    """Filters that several parts of the app use."""

    def open(self) -> "RegistrationQuerySet":
        """Keep registrations whose status is not final."""
        return self.filter(status__in=OPEN)

    def of_org(self, settings: Conf) -> "RegistrationQuerySet":
        """Keep registrations of an org, see ``belongs_to``."""
        return self.filter(belongs_to(settings))

    def under_way(self, settings: Conf) -> "RegistrationQuerySet":
        """Keep an org's open registrations that are not abandoned yet, see ``ABANDONED_AFTER_SECONDS``."""
        limit = timedelta(seconds=settings.abandoned_after_seconds)
        return self.of_org(settings).open().filter(updated_at__gte=timezone.now() - limit)

    def untouched_since(self, moment: datetime, settings: Conf) -> "RegistrationQuerySet":
        """Keep an org's open registrations that did not change since ``moment``, except those that wait for an
        administrator or for the link in Okta's mail, which may take longer.
        """
        untouched = self.of_org(settings).open().filter(updated_at__lt=moment)
        return untouched.exclude(status=Status.AWAITING_APPROVAL).exclude(waits_for_link(settings))


class Registration(models.Model):
    """One attempt to sign up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(_("status"), max_length=20, choices=Status.choices, default=Status.STARTED)
    step = models.CharField(_("step"), max_length=100, blank=True)
    version = models.PositiveIntegerField(default=0)
    busy_until = models.DateTimeField(null=True, blank=True)
    unsure = models.BooleanField(default=False)

    email = models.CharField(_("email"), max_length=254, blank=True)
    email_canonical = models.CharField(max_length=254, blank=True)
    email_verified_at = models.DateTimeField(_("email verified"), null=True, blank=True)
    issuer = models.CharField(_("issuer"), max_length=255)
    org = models.CharField(_("org"), max_length=50, default=DEFAULT, db_default=DEFAULT)
    """A key of ``SELFREG["ORGS"]``, or ``DEFAULT``: an issuer may have several apps."""
    okta_user_id = models.CharField(_("Okta user id"), max_length=100, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="registrations"
    )
    workflow = models.CharField(_("workflow"), max_length=10)
    policy = models.CharField(_("policy version"), max_length=16, blank=True)
    next_url = models.CharField(max_length=2000, blank=True)
    language = models.CharField(_("language"), max_length=35, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    browser = models.CharField(_("browser"), max_length=60, blank=True)
    link_digest = models.CharField(max_length=40, blank=True, editable=False)
    failure = models.CharField(_("failure"), max_length=100, blank=True)
    failure_text = models.TextField(_("in the org's words"), blank=True)
    """The sentences that the visitor saw, one per line, in the visitor's language."""

    created_at = models.DateTimeField(_("started"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("last change"), default=timezone.now)
    expires_at = models.DateTimeField(_("valid until"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    erase_asked_at = models.DateTimeField(_("to be erased since"), null=True, blank=True)
    tallied = models.BooleanField(default=False, editable=False)
    """Whether it is counted in a ``TalliedHour``, so that the funnel ignores its events."""
    sealed = models.TextField(blank=True, editable=False)
    """The encrypted state of the IDX transaction, see ``registration.state.seal``; empty in every final status."""

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        ordering = ("-created_at", "-id")
        default_permissions = ("view",)
        permissions = (
            ("reveal_registration", _("Can see full email addresses of registrations")),
            ("export_registration", _("Can export registrations")),
            ("resend_registration", _("Can send emails and codes again")),
            ("cancel_registration", _("Can cancel registrations")),
            ("expire_registration", _("Can expire registrations")),
            ("erase_registration", _("Can mark registrations for erasure")),
            ("repair_registration", _("Can repair unfinished Okta accounts")),
            ("remove_okta_account", _("Can delete unfinished Okta accounts")),
            ("approve_registration", _("Can approve and reject registrations")),
        )
        # The admin's list is newest first, and each of its filters has an index in that order, so that a page reads
        # only the rows it shows. No index holds ``updated_at`` or another column that a claim or a rejected input
        # changes: PostgreSQL then updates the row without touching an index (a HOT update).
        indexes = (
            models.Index(fields=["created_at", "id"], name="selfreg_created"),
            models.Index(fields=["status", "created_at", "id"], name="selfreg_by_status"),
            models.Index(fields=["step", "created_at", "id"], name="selfreg_by_step"),
            models.Index(fields=["workflow", "created_at", "id"], name="selfreg_by_workflow"),
            models.Index(fields=["policy", "created_at", "id"], name="selfreg_by_policy"),
            models.Index(fields=["failure", "created_at", "id"], name="selfreg_by_failure"),
            models.Index(fields=["org", "created_at", "id"], name="selfreg_by_org", condition=~models.Q(org=DEFAULT)),
            models.Index(fields=["created_at", "id"], name="selfreg_open", condition=models.Q(status__in=OPEN)),
            models.Index(fields=["status", "finished_at"], name="selfreg_finished"),
            models.Index(fields=["link_digest"], name="selfreg_link"),
            # With this class PostgreSQL finds the start of an address, whatever the collation.
            models.Index(fields=["email_canonical"], name="selfreg_email", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["okta_user_id", "issuer"], name="selfreg_okta_user"),
            models.Index(
                fields=["id"], name="selfreg_untallied", condition=models.Q(status=Status.COMPLETED, tallied=False)
            ),
            models.Index(
                fields=["erase_asked_at"], name="selfreg_to_erase", condition=models.Q(erase_asked_at__isnull=False)
            ),
        )
        constraints = (
            models.CheckConstraint(
                name="selfreg_final_is_finished_and_wiped",
                condition=models.Q(status__in=OPEN, finished_at__isnull=True)
                | models.Q(status__in=FINAL, finished_at__isnull=False, sealed=""),
            ),
            models.CheckConstraint(
                name="selfreg_completed_has_identity",
                condition=~models.Q(status=Status.COMPLETED) | ~models.Q(okta_user_id=""),
            ),
        )

    def __str__(self) -> str:
        return f"{masked(self.email) or self.pk} ({self.get_status_display()})"

    @property
    def settings(self) -> Conf:
        """The settings of its org; those of the default one if its org was removed."""
        return settings_for(self.org)

    @property
    def is_open(self) -> bool:
        """Whether the status is not final."""
        return self.status in OPEN

    @property
    def is_new(self) -> bool:
        """Whether the row is not in the database yet."""
        return self._state.adding

    @property
    def is_busy(self) -> bool:
        """Whether a worker is calling the org for this registration, or died doing so and its claim has not expired."""
        return self.busy_until is not None and self.busy_until > timezone.now()

    @property
    def in_doubt(self) -> bool:
        """Whether the org may or may not have carried out the last call, and has to be asked before the next one."""
        return not self.is_busy and (self.unsure or self.busy_until is not None)

    def claim(self, seconds: float, wait: Callable[[], int] = lambda: 0, **values: Any) -> int:
        """Mark the row as busy for so many seconds, before the org is called. Create the row if it is new.

        A doubt about an earlier call stays.

        :param wait: called in the same transaction, for the seconds until the call may be made
        :param values: columns to write with the claim; the status changes by ``commit(to=...)`` only
        :return: what ``wait`` returned; if it is not 0, nothing was written
        :raises Conflict: the row is busy, or another request changed it
        """
        if self.is_busy:
            raise Conflict("busy", self.pk)
        until = timezone.now() + timedelta(seconds=seconds)
        return self._write({**values, "busy_until": until, "unsure": self.in_doubt}, (), wait)

    def commit(
        self, *, to: Status | None = None, events: Sequence["RegistrationEvent"] = (), hold: float = 0.0, **values: Any
    ) -> None:
        """Write columns and events in one transaction, if the row did not change since it was read. End a claim. The
        first commit also writes the event of the start.

        :param to: the next status; a final one empties ``sealed``
        :param hold: seconds for which the row stays claimed, where another call follows at once
        :raises ForbiddenTransition: ``to`` cannot follow the current status
        :raises Conflict: another request changed the row; nothing was written
        """
        now = timezone.now()
        columns: dict[str, Any] = {
            "updated_at": now,
            "busy_until": now + timedelta(seconds=hold) if hold else None,
            "unsure": False,
            **values,
        }
        if to is not None:
            if to not in TRANSITIONS[Status(self.status)]:
                raise ForbiddenTransition(f"{self.status} -> {to}")
            columns |= {"status": to, "finished_at": None}
            if to in FINAL:
                columns |= {"sealed": "", "finished_at": now, "busy_until": None, "unsure": False}
        if self.updated_at == self.created_at:  # so far it was only claimed
            events = [self.event(RegistrationEvent.Kind.STARTED, at=self.created_at), *events]
        self._write(columns, events)

    def mark_for_erasure(self) -> None:
        """Make the next ``selfreg_purge`` erase the row with its events.

        :raises Conflict: another request changed the row; nothing was written
        """
        self._write({"erase_asked_at": timezone.now(), "updated_at": timezone.now()}, ())

    def _write(
        self, columns: dict[str, Any], events: Sequence["RegistrationEvent"], wait: Callable[[], int] = lambda: 0
    ) -> int:
        """Insert a new row, or update the row by compare-and-set. Return what ``wait`` did.

        :raises Conflict: the row exists already, or another request changed it
        """
        is_new, values = self.is_new, {**columns, "version": self.version + 1}

        def once() -> int:
            alias = router.db_for_write(Registration)
            with transaction.atomic(using=alias):
                if seconds := wait():
                    transaction.set_rollback(True, using=alias)
                    return seconds
                if is_new:
                    self._insert(values)
                elif not Registration.objects.filter(pk=self.pk, version=self.version, status=self.status).update(
                    **values
                ):
                    raise Conflict("changed by another request", self.pk)
                RegistrationEvent.objects.bulk_create(events)
                return 0

        if seconds := retried(once):
            return seconds
        for name, value in values.items():
            setattr(self, name, value)
        for event in events:
            event.report()
        if is_new:
            announce(registration_started, Registration, registration=self)
        return 0

    def _insert(self, values: dict[str, Any]) -> None:
        self._state.adding = True  # again, after a try that was rolled back
        for name, value in values.items():
            setattr(self, name, value)
        try:
            self.save(force_insert=True)
        except IntegrityError as error:
            raise Conflict("created by another request", self.pk) from error

    def event(self, kind: "RegistrationEvent.Kind", **details: Any) -> "RegistrationEvent":
        """Return an unsaved event. ``details`` are columns of the event: keys, counts and times, never typed text."""
        details = {"step": self.step, **details}
        details["actor"] = details.get("actor", "")[:150]
        return RegistrationEvent(registration=self, kind=kind, **details)

    def note(self, kind: "RegistrationEvent.Kind", **details: Any) -> "RegistrationEvent":
        """Save an event without changing the row, and return it."""
        event = self.event(kind, **details)
        event.save()
        event.report()
        return event


class RegistrationEvent(models.Model):
    """Something that happened to a registration. Holds no secret and no typed text."""

    class Kind(models.TextChoices):
        """What happened."""

        STARTED = "started", _("Started")
        ANSWERED = "answered", _("Step submitted")
        RESENT = "resent", _("Sent again")
        SKIPPED = "skipped", _("Skipped")
        RECOVERED = "recovered", _("Recovered")
        TROUBLE = "trouble", _("Trouble")
        VERIFIED = "verified", _("Email verified")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Expired")
        FAILED = "failed", _("Failed")
        ADMINISTERED = "administered", _("Administrator acted")

    OWN_WORDS = "refused"
    """The outcome if the org refused with a text without i18n key, followed by ":" and the name of the field, if any.
    The text may contain a name, so it is not stored."""

    THIS_SITE = "this site"
    """The actor if the site continued by itself, because the visitor had nothing to choose."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(_("at"), default=timezone.now)
    kind = models.CharField(_("what"), max_length=20, choices=Kind.choices)
    step = models.CharField(_("step"), max_length=100, blank=True)
    outcome = models.CharField(_("outcome"), max_length=200, blank=True)
    """"ok", keys of the org's messages separated by spaces, or what an administrator's action came to."""
    milliseconds = models.PositiveIntegerField(_("milliseconds"), null=True, blank=True)
    request_id = models.CharField(_("Okta request id"), max_length=64, blank=True)
    actor = models.CharField(_("by"), max_length=150, blank=True)
    """Name of the administrator or of the management command, or ``THIS_SITE``; empty for what the visitor or the org
    did.
    """

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        default_permissions = ("view",)
        ordering = ("at", "pk")
        indexes = (
            models.Index(fields=["kind", "at", "registration"], name="selfreg_event_kind_at"),
            models.Index(fields=["request_id"], name="selfreg_event_request", condition=models.Q(request_id__gt="")),
        )

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.get_kind_display()} {self.step} {self.outcome}".rstrip()

    def report(self) -> None:
        """Log and count the event. Call it after the commit."""
        fields = {
            "registration": str(self.registration_id),
            "step": self.step,
            "outcome": self.outcome,
            "milliseconds": self.milliseconds,
            "okta_request_id": self.request_id,
        }
        monitoring.registration(self.kind, self.registration.org, fields)
