"""Okta identities: whose Django user an Okta account is, and whether its address is proven."""

from typing import Any

from django.utils import timezone

from selfreg.models import OktaIdentity
from selfreg.signals import announce, email_verified

# The System Log event of an address that was proven, where its factor is the e-mail.
PROVES_EMAIL = "user.mfa.factor.activate"


def identity_of(user: Any) -> OktaIdentity | None:
    """The newest Okta identity of a Django user."""
    return OktaIdentity.objects.filter(user=user).order_by("-created_at").first() if user.is_authenticated else None


def forget_proof(identity: OktaIdentity) -> None:
    """The address is another one now, and nobody proved that."""
    if identity.email_verified_at is not None:
        identity.email_verified_at = None
        identity.save(update_fields=["email_verified_at"])


def prove_email(issuer: str, subject: str) -> bool:
    """Notes that the address is proven; True if that is news. Announces ``email_verified`` once."""
    now = timezone.now()
    unproven = OktaIdentity.objects.filter(issuer=issuer, subject=subject, email_verified_at__isnull=True)
    if not unproven.update(email_verified_at=now):
        return False
    identity = OktaIdentity.objects.select_related("user").get(issuer=issuer, subject=subject)
    announce(email_verified, OktaIdentity, identity=identity, user=identity.user)
    return True
