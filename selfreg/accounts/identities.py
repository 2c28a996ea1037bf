"""Okta identities: which Django user belongs to an Okta account, and whether its address is verified."""

from collections.abc import Collection, Mapping
from typing import Any

from django.utils import timezone

from selfreg.accounts.users import address_of, columns_of, keeps_old_address
from selfreg.conf import has_several_orgs
from selfreg.email_addresses import is_same_mailbox
from selfreg.models import OktaIdentity
from selfreg.signals import announce, email_verified


def identity_of(user: Any, issuer: str) -> OktaIdentity | None:
    """Return the Okta identity of a Django user: the newest of this issuer, else the newest; None for anonymous users.

    :param issuer: that of the org at which the user signed in
    """
    if not user.is_authenticated:
        return None
    identities = list(OktaIdentity.objects.filter(user=user).order_by("-created_at"))
    return next((i for i in identities if i.issuer == issuer), next(iter(identities), None))


def forget_proof(identity: OktaIdentity) -> None:
    """Mark the address as not verified: it changed at Okta."""
    if identity.email_verified_at is not None:
        identity.email_verified_at = None
        identity.save(update_fields=["email_verified_at"])


def prove_email(issuer: str, subject: str) -> bool:
    """Mark the address as verified, and send the signal ``email_verified``.

    :return: False if it was verified before, or the account has no identity here
    """
    identities = OktaIdentity.objects.select_related("user").filter(issuer=issuer, subject=subject)
    identity = identities.filter(email_verified_at__isnull=True).first()
    return identity is not None and _prove(identity)


def _prove(identity: OktaIdentity) -> bool:
    """Mark the address as verified, unless another request did; only the one that does sends the signal."""
    unproven = OktaIdentity.objects.filter(pk=identity.pk, email_verified_at__isnull=True)
    identity.email_verified_at = timezone.now()
    is_first = bool(unproven.update(email_verified_at=identity.email_verified_at))
    if is_first:
        announce_proof(identity)
    return is_first


def create_identity(issuer: str, claims: Mapping[str, Any], user: Any, approval: str) -> OktaIdentity:
    """Save the identity of a new user, with the proof of the address. ``announce_proof`` belongs after the commit."""
    is_proven = claims.get("email_verified") is True and not keeps_old_address(user, address_of(user), claims)
    proven_at = timezone.now() if is_proven else None
    return OktaIdentity.objects.create(
        issuer=issuer, subject=claims["sub"], user=user, approval=approval, email_verified_at=proven_at
    )


def announce_proof(identity: OktaIdentity) -> None:
    """Send the signal ``email_verified``, if the address is."""
    if identity.email_verified_at is not None:
        announce(email_verified, OktaIdentity, identity=identity, user=identity.user)


def end_sessions(issuers: Collection[str], subjects: Collection[str]) -> None:
    """Log out the users of these Okta accounts, in every browser, until they sign in at Okta again.

    A session depends on the hash of the user's password (Django docs: session invalidation on password change), and an
    unusable one can be replaced. A user with a password of this site keeps it: ``closed_at`` ends the sessions that
    came from Okta.
    """
    if not subjects:
        return
    identities = OktaIdentity.objects.filter(issuer__in=issuers, subject__in=subjects)
    identities.update(closed_at=timezone.now())
    for identity in identities.select_related("user"):
        renew_session_hash(identity.user)


def renew_session_hash(user: Any) -> bool:
    """End all sessions of a user. Return False, and do nothing, if the user has a password of this site."""
    if user.has_usable_password():
        return False
    user.set_unusable_password()
    user.save(update_fields=["password"])
    return True


def is_closed(user: Any) -> bool:
    """Return whether Okta reported the end of the user's account, and nobody has signed in with it since."""
    # Of other users the sessions have ended already.
    return user.has_usable_password() and OktaIdentity.objects.filter(user=user, closed_at__isnull=False).exists()


def reopen(identity: OktaIdentity) -> None:
    """Reopen an identity, because Okta signed in its account, and those that the same user has at other orgs."""
    if identity.closed_at is not None:
        identity.closed_at = None
        identity.save(update_fields=["closed_at"])
    if has_several_orgs():
        OktaIdentity.objects.filter(user=identity.user_id, closed_at__isnull=False).update(closed_at=None)


def note_proof(identity: OktaIdentity, claims: Mapping[str, Any], *, was_proven: bool) -> None:
    """Mark the address as verified or not, as the claims say."""
    is_verified = claims.get("email_verified") is True
    if is_verified and identity.email_verified_at is None:
        _prove(identity)
    elif not is_verified and not was_proven:
        forget_proof(identity)


def is_still_proven(identity: OktaIdentity, claims: Mapping[str, Any]) -> bool:
    """Return whether the address was verified here before and, by the user model, hasn't changed since."""
    if identity.email_verified_at is None:
        return False
    if not columns_of(identity.user._meta.model).email:
        return True
    if email := claims.get("email"):
        return is_same_mailbox(address_of(identity.user), email)
    return "email_verified" not in claims  # it is there with an address that cannot be read
