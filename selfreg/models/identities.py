"""The link between an Okta account and a Django user."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class OktaIdentity(models.Model):
    """The Django user of one Okta account. Issuer and subject together are the identity; an email address never is."""

    class Approval(models.TextChoices):
        """What an administrator decided, on sites where ``SELFREG["APPROVAL"]`` is on."""

        NOT_NEEDED = "", _("Not needed")
        AWAITED = "awaited", _("Awaited")
        GRANTED = "given", _("Given")
        REFUSED = "refused", _("Refused")

    issuer = models.CharField(_("issuer"), max_length=255)
    subject = models.CharField(_("subject"), max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="okta_identities")
    email_verified_at = models.DateTimeField(_("email verified"), null=True, blank=True)
    linked_at = models.DateTimeField(_("joined with an older account"), null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When Okta reported that the account or its sessions ended; empty after the next sign-in."""
    approval = models.CharField(_("approval"), max_length=10, choices=Approval.choices, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("Okta identity")
        verbose_name_plural = _("Okta identities")
        constraints = (models.UniqueConstraint(fields=["issuer", "subject"], name="selfreg_identity_unique"),)

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"
