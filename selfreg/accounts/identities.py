"""Okta identities: which Django user belongs to an Okta account, and whether its address is verified."""

from typing import Any

from django.utils import timezone

from selfreg.models import OktaIdentity
from selfreg.signals import announce, email_verified

# The System Log event of an activated factor. Where that is the e-mail factor, the address is verified.
PROVES_EMAIL = "user.mfa.factor.activate"


def identity_of(user: Any) -> OktaIdentity | None:
    """Returns the newest Okta identity of a Django user; None if there is none, or the user is anonymous."""
    return OktaIdentity.objects.filter(user=user).order_by("-created_at").first() if user.is_authenticated else None


def forget_proof(identity: OktaIdentity) -> None:
    """Marks the address as not verified: it changed at Okta."""
    if identity.email_verified_at is not None:
        identity.email_verified_at = None
        identity.save(update_fields=["email_verified_at"])


def prove_email(issuer: str, subject: str) -> bool:
    """Marks the address as verified, and sends the signal ``email_verified``.

    :return: False if it was verified before, or the account has no identity here
    """
    now = timezone.now()
    unproven = OktaIdentity.objects.filter(issuer=issuer, subject=subject, email_verified_at__isnull=True)
    if not unproven.update(email_verified_at=now):
        return False
    identity = OktaIdentity.objects.select_related("user").get(issuer=issuer, subject=subject)
    announce(email_verified, OktaIdentity, identity=identity, user=identity.user)
    return True
