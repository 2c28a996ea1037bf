"""The row is the flow: everything a sign-up needs to go on lives in ``Registration``, so any worker serves any step.

Statuses move along ``TRANSITIONS`` only, and a row changes only by compare-and-set on its ``version``: of two requests
that saw the same state one wins and the other learns that it lost. Bearer values sit in one sealed text that is emptied
in every final status, which a constraint of the database enforces. Nothing here knows HTTP or the protocol.
"""

import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from selfreg import encryption
from selfreg.addresses import masked
from selfreg.conf import conf
from selfreg.signals import announce, registration_started
from selfreg.statuses import FINAL, OPEN, TRANSITIONS
from selfreg.statuses import Status as Status


def link_digest(state: str) -> str:
    """Finds the registration that an e-mail link or a returning browser belongs to, without keeping its ``state``."""
    return hashlib.sha256(state.encode()).hexdigest()[:40]


class ForbiddenTransition(Exception):
    """A status that cannot follow the present one: a defect of the caller."""


class Conflict(Exception):
    """Another request changed the row first. Read it again and show what it says.

    ``registration`` is its id; None when there is no row yet. ``is_busy``: the other request still waits for the org.
    """

    def __init__(self, why: str, registration: uuid.UUID | None = None, *, is_busy: bool = False) -> None:
        super().__init__(why)
        self.registration, self.is_busy = registration, is_busy


class RowValues(TypedDict, total=False):
    """Columns of a registration that a change may write, beside its status."""

    step: str
    sealed: str
    unsure: bool
    email: str
    email_canonical: str
    email_verified_at: datetime
    okta_user_id: str
    user: Any
    failure: str
    failure_text: str
    expires_at: datetime | None
    erase_asked_at: datetime


def waits_for_link() -> models.Q:
    """Registrations that the org's link may still complete."""
    moment = timezone.now() - timedelta(days=conf().activation_link_days)
    return models.Q(status=Status.AWAITING_EMAIL, updated_at__gte=moment)


class RegistrationQuerySet(models.QuerySet["Registration"]):
    """Questions asked of registrations."""

    def open(self) -> "RegistrationQuerySet":
        """Neither finished nor given up."""
        return self.filter(status__in=OPEN)

    def under_way(self) -> "RegistrationQuerySet":
        """Open ones that may still be gone on with; the others are about to be expired."""
        return self.open().filter(updated_at__gte=timezone.now() - timedelta(seconds=conf().abandoned_after_seconds))

    def untouched_since(self, moment: Any) -> "RegistrationQuerySet":
        """Open ones that nobody moved since ``moment``. What waits for an administrator is not the person's delay."""
        return (
            self.open().filter(updated_at__lt=moment).exclude(status=Status.AWAITING_APPROVAL).exclude(waits_for_link())
        )


class Registration(models.Model):
    """One attempt to sign up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(_("status"), max_length=20, choices=Status.choices, default=Status.STARTED)
    step = models.CharField(_("step"), max_length=100, blank=True)
    version = models.PositiveIntegerField(default=0)
    busy_until = models.DateTimeField(null=True, blank=True)
    unsure = models.BooleanField(default=False)

    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    email_canonical = models.CharField(max_length=254, blank=True)
    email_verified_at = models.DateTimeField(_("e-mail proven"), null=True, blank=True)
    issuer = models.CharField(_("issuer"), max_length=255)
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

    created_at = models.DateTimeField(_("started"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("last change"), default=timezone.now)
    expires_at = models.DateTimeField(_("valid until"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    erase_asked_at = models.DateTimeField(_("to be erased since"), null=True, blank=True)
    tallied = models.BooleanField(default=False, editable=False)
    """Counted in a ``TalliedHour``; its events are not counted any more."""
    sealed = models.TextField(blank=True, editable=False)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        ordering = ("-created_at", "-id")
        default_permissions = ("view",)
        permissions = (
            ("reveal_registration", _("Can see whole e-mail addresses of registrations")),
            ("export_registration", _("Can export registrations")),
            ("resend_registration", _("Can have a mail or code sent again")),
            ("cancel_registration", _("Can cancel registrations")),
            ("expire_registration", _("Can expire registrations")),
            ("erase_registration", _("Can mark registrations for erasure")),
            ("repair_registration", _("Can repair half-made Okta accounts")),
            ("remove_okta_account", _("Can remove half-made Okta accounts")),
            ("approve_registration", _("Can approve and reject registrations")),
        )
        # The list is newest first. Each filter has an index in that order: a page reads no more than it shows. No index
        # holds ``updated_at`` or anything else that a claim or a rejected input changes, so that PostgreSQL can update
        # such a row in place (HOT) without touching an index.
        indexes = (
            models.Index(fields=["created_at", "id"], name="selfreg_created"),
            models.Index(fields=["status", "created_at", "id"], name="selfreg_by_status"),
            models.Index(fields=["step", "created_at", "id"], name="selfreg_by_step"),
            models.Index(fields=["workflow", "created_at", "id"], name="selfreg_by_workflow"),
            models.Index(fields=["policy", "created_at", "id"], name="selfreg_by_policy"),
            models.Index(fields=["failure", "created_at", "id"], name="selfreg_by_failure"),
            models.Index(fields=["created_at", "id"], name="selfreg_open", condition=models.Q(status__in=OPEN)),
            models.Index(fields=["status", "finished_at"], name="selfreg_finished"),
            models.Index(fields=["link_digest"], name="selfreg_link"),
            models.Index(fields=["email_canonical"], name="selfreg_email"),
            models.Index(fields=["okta_user_id", "issuer"], name="selfreg_okta_user"),
            models.Index(fields=["id"], name="selfreg_untallied", condition=models.Q(tallied=False)),
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
    def is_open(self) -> bool:
        """Neither finished nor given up."""
        return self.status in OPEN

    @property
    def is_new(self) -> bool:
        """Not written to the database yet."""
        return self._state.adding

    @property
    def is_busy(self) -> bool:
        """A call for this registration is under way in some worker, or its worker died a moment ago."""
        return self.busy_until is not None and self.busy_until > timezone.now()

    @property
    def in_doubt(self) -> bool:
        """Nobody knows whether the org carried out the last call: ask before doing anything else."""
        return not self.is_busy and (self.unsure or self.busy_until is not None)

    def decrypted(self) -> Any:
        """The state that is kept, as JSON; None when there is none.

        :raises encryption.Unreadable: its key is gone
        """
        return encryption.decrypt(self.sealed, self._place()) if self.sealed else None

    def encrypted(self, state: Any) -> str:
        """A state (JSON) as this row keeps it, for ``claim`` and ``commit``."""
        return encryption.encrypt(state, self._place())

    def _place(self) -> str:
        return f"registration:{self.pk}:sealed"

    def claim(self, seconds: float, **values: Unpack[RowValues]) -> None:
        """Marks a call to the org as under way, for so many seconds, before it is made; a new row is created by that.

        :raises Conflict: another request has a call under way, or changed the row
        """
        if self.is_busy:
            raise Conflict("busy", self.pk, is_busy=True)
        until = timezone.now() + timedelta(seconds=seconds)
        self._write({**values, "busy_until": until}, ())

    def commit(
        self,
        *,
        to: Status | None = None,
        events: Sequence["RegistrationEvent"] = (),
        hold: float = 0.0,
        **values: Unpack[RowValues],
    ) -> None:
        """Writes columns and events in one transaction, if nobody changed the row since it was read; ends a claim.

        :param to: the next status; a final one wipes the state
        :param hold: seconds for which the claim goes on, for a call that follows at once
        :raises ForbiddenTransition: ``to`` cannot follow the present status
        :raises Conflict: somebody changed the row; nothing was written
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
        self._write(columns, events)

    def mark_for_erasure(self) -> None:
        """The next purge erases the row with its events."""
        self._write({"erase_asked_at": timezone.now(), "updated_at": timezone.now()}, ())

    def _write(self, columns: dict[str, Any], events: Sequence["RegistrationEvent"]) -> None:
        """Inserts a new row with its first event, or updates by compare-and-set.

        :raises Conflict: the row exists already, or somebody changed it
        """
        values = {**columns, "version": self.version + 1}
        # Only an insert can fail in a way that a surrounding transaction has to be protected from.
        with transaction.atomic(savepoint=self.is_new):
            if self.is_new:
                events = [self._insert(values), *events]
                is_written = True
            else:
                is_written = bool(self._update(values))
            if is_written:
                RegistrationEvent.objects.bulk_create(events)
        if not is_written:
            raise Conflict("changed by another request", self.pk)
        for name, value in values.items():
            setattr(self, name, value)

    def _insert(self, values: dict[str, Any]) -> "RegistrationEvent":
        first_event = self.event(RegistrationEvent.Kind.STARTED)
        for name, value in values.items():
            setattr(self, name, value)
        try:
            self.save(force_insert=True)
        except IntegrityError as error:
            raise Conflict("already begun", self.pk) from error
        announce(registration_started, Registration, registration=self)
        return first_event

    def _update(self, values: dict[str, Any]) -> int:
        rows = Registration.objects.filter(pk=self.pk, version=self.version, status=self.status)
        return rows.update(**values)

    def event(self, kind: "RegistrationEvent.Kind", **details: Any) -> "RegistrationEvent":
        """An unsaved event of this registration. Details hold keys, counts and times; never what anybody typed."""
        details = {"step": self.step, **details}
        details["actor"] = details.get("actor", "")[:150]
        return RegistrationEvent(registration=self, kind=kind, **details)

    def note(self, kind: "RegistrationEvent.Kind", **details: Any) -> "RegistrationEvent":
        """Writes an event by itself, where the row does not change with it."""
        event = self.event(kind, **details)
        event.save()
        return event


class RegistrationEvent(models.Model):
    """Something that happened to a registration. Holds no secret and nothing typed."""

    class Kind(models.TextChoices):
        STARTED = "started", _("Started")
        ANSWERED = "answered", _("Step submitted")
        RESENT = "resent", _("Sent again")
        SKIPPED = "skipped", _("Skipped")
        RECOVERED = "recovered", _("Recovered")
        TROUBLE = "trouble", _("Trouble")
        VERIFIED = "verified", _("E-mail proven")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Expired")
        FAILED = "failed", _("Failed")
        ADMINISTERED = "administered", _("Administrator acted")

    OWN_WORDS = "refused"
    """The outcome where the org refused with a text and no i18n key; its text may name the person and is not kept."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(_("at"), default=timezone.now)
    kind = models.CharField(_("what"), max_length=20, choices=Kind.choices)
    step = models.CharField(_("step"), max_length=100, blank=True)
    outcome = models.CharField(_("outcome"), max_length=200, blank=True)
    milliseconds = models.PositiveIntegerField(_("milliseconds"), null=True, blank=True)
    request_id = models.CharField(_("Okta request id"), max_length=64, blank=True)
    actor = models.CharField(_("by"), max_length=150, blank=True)
    """The administrator's user name; empty for what the person or the org did."""

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        default_permissions = ("view",)
        ordering = ("at", "pk")
        indexes = (models.Index(fields=["kind", "at", "registration"], name="selfreg_event_kind_at"),)

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.get_kind_display()} {self.step} {self.outcome}".rstrip()


class TalliedHour(models.Model):
    """What became of those who started in one hour and are done with: numbers, kept when the people are erased."""

    hour = models.DateTimeField(primary_key=True)
    numbers = models.JSONField(default=dict)
    """As ``tally.Tally`` writes them."""

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00}"


class OktaEvent(models.Model):
    """An event of Okta's that was handled: event hooks deliver at least once."""

    id = models.CharField(primary_key=True, max_length=100, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.id


class Allowance(models.Model):
    """How often something was done since ``until`` minus the length of its limit. See ``limits``; never read alone."""

    key = models.CharField(primary_key=True, max_length=64)
    used = models.PositiveIntegerField()
    until = models.BigIntegerField(db_index=True)
    """Seconds since the epoch: one number that every database compares alike."""

    def __str__(self) -> str:
        return f"{self.key[:8]}: {self.used}"


class OktaIdentity(models.Model):
    """Whose Django user an Okta account is. The pair of issuer and subject is the identity; an address never is."""

    class Approval(models.TextChoices):
        NOT_NEEDED = "", _("Not needed")
        AWAITED = "awaited", _("Awaited")
        GIVEN = "given", _("Given")
        REFUSED = "refused", _("Refused")

    issuer = models.CharField(_("issuer"), max_length=255)
    subject = models.CharField(_("subject"), max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="okta_identities")
    email_verified_at = models.DateTimeField(_("e-mail proven"), null=True, blank=True)
    linked_at = models.DateTimeField(_("joined with an older account"), null=True, blank=True)
    approval = models.CharField(_("approval"), max_length=10, choices=Approval.choices, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("Okta identity")
        verbose_name_plural = _("Okta identities")
        constraints = (models.UniqueConstraint(fields=["issuer", "subject"], name="selfreg_identity_unique"),)

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


class PolicyVersion(models.Model):
    """What the sign-up form asked for from ``seen_at`` until the next row of the same issuer and language."""

    issuer = models.CharField(_("issuer"), max_length=255)
    language = models.CharField(_("language"), max_length=35, blank=True)
    fingerprint = models.CharField(_("policy version"), max_length=16)
    fields = models.JSONField(_("fields"), default=list)
    seen_at = models.DateTimeField(_("first seen"), default=timezone.now)

    class Meta:
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        default_permissions = ("view",)
        ordering = ("-seen_at", "-pk")
        indexes = (models.Index(fields=["issuer", "language", "-seen_at"], name="selfreg_policy_seen"),)

    def __str__(self) -> str:
        return f"{self.fingerprint} ({self.language})"


class DoctorRun(models.Model):
    """One examination of the org and of this site by ``selfreg.doctor``, as it was reported. Holds no secret."""

    KEPT = 50

    at = models.DateTimeField(_("at"), default=timezone.now)
    issuer = models.CharField(_("issuer"), max_length=255)
    ok = models.BooleanField(_("nothing that keeps people from signing up"))
    report = models.JSONField(_("report"), default=dict)

    class Meta:
        verbose_name = _("doctor run")
        verbose_name_plural = _("doctor runs")
        default_permissions = ("view",)
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.issuer}"
