"""Tables that only reports and hooks use."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from selfreg.conf import DEFAULT


class TalliedHour(models.Model):
    """Counts of the registrations that started in one hour and were moved into this row, so that they can be erased."""

    hour = models.DateTimeField(primary_key=True)
    numbers = models.JSONField(default=dict)
    """As ``reports.counts.Tally.as_json`` returns them; below "orgs" those of each org that is not the default one."""

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00}"


class OktaEvent(models.Model):
    """An event of Okta's event hook that was handled. Okta may deliver an event more than once."""

    id = models.CharField(primary_key=True, max_length=100, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.id


class PolicyVersion(models.Model):
    """The sign-up form from ``seen_at`` until the next row of the same org and language."""

    issuer = models.CharField(_("issuer"), max_length=255)
    org = models.CharField(_("org"), max_length=50, default=DEFAULT, db_default=DEFAULT)
    language = models.CharField(_("language"), max_length=35, blank=True)
    fingerprint = models.CharField(_("policy version"), max_length=16)
    fields = models.JSONField(_("fields"), default=list)
    """A list of objects as ``registration.policy_history.summary`` returns them."""
    seen_at = models.DateTimeField(_("first seen"), default=timezone.now)

    class Meta:
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        default_permissions = ("view",)
        ordering = ("-seen_at", "-pk")
        indexes = (models.Index(fields=["issuer", "language", "-seen_at"], name="selfreg_policy_seen"),)

    def __str__(self) -> str:
        return f"{self.fingerprint} ({self.language})"


class CommandRun(models.Model):
    """The last run of a management command that a timer starts periodically."""

    command = models.CharField(primary_key=True, max_length=40, editable=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    """When a run last ended; not changed by one that was killed."""
    counts = models.JSONField(default=dict)
    """What the last run did so far: outcome -> how often."""

    def __str__(self) -> str:
        return f"{self.command} {self.started_at:%Y-%m-%d %H:%M}"


class DoctorRun(models.Model):
    """One report of ``selfreg.doctor`` about the org and this site. Holds no secret."""

    MAX_RUNS = 50
    """Older runs are deleted."""

    at = models.DateTimeField(_("at"), default=timezone.now)
    issuer = models.CharField(_("issuer"), max_length=255)
    org = models.CharField(_("org"), max_length=50, default=DEFAULT, db_default=DEFAULT)
    ok = models.BooleanField(_("nothing that keeps people from signing up"))
    report = models.JSONField(_("report"), default=dict)
    """As ``doctor.examination.Report.as_json`` returns it."""

    class Meta:
        verbose_name = _("doctor run")
        verbose_name_plural = _("doctor runs")
        default_permissions = ("view",)
        permissions = (("examine_org", _("Can examine the org")),)
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.issuer}"
