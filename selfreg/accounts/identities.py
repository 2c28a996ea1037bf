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
    """Return the newest Okta identity of a user at this issuer, else the newest at any; None for anonymous users.

    :param issuer: of the org where the user signed in
    """
    if not user.is_authenticated:
        return None
    identities = list(OktaIdentity.objects.filter(user=user).order_by("-created_at"))
    return next((i for i in identities if i.issuer == issuer), next(iter(identities), None))


def mark_email_verified(issuer: str, subject: str) -> bool:
    """Mark the address as verified, and send the signal ``email_verified``.

    :return: False if it was verified before, or the account has no identity here
    """
    identities = OktaIdentity.objects.select_related("user").filter(issuer=issuer, subject=subject)
    identity = identities.filter(email_verified_at__isnull=True).first()
    return identity is not None and _mark_verified(identity)


def _mark_verified(identity: OktaIdentity) -> bool:
    """Mark the address as verified. Only the request that is first sends the signal, and gets True."""
    unverified = OktaIdentity.objects.filter(pk=identity.pk, email_verified_at__isnull=True)
    identity.email_verified_at = timezone.now()
    is_first = bool(unverified.update(email_verified_at=identity.email_verified_at))
    if is_first:
        announce_verified(identity)
    return is_first


def create_identity(issuer: str, claims: Mapping[str, Any], user: Any, approval: str) -> OktaIdentity:
    """Save the identity of a new user. Call ``announce_verified`` after the commit."""
    is_verified = claims.get("email_verified") is True and not keeps_old_address(user, address_of(user), claims)
    verified_at = timezone.now() if is_verified else None
    return OktaIdentity.objects.create(
        issuer=issuer, subject=claims["sub"], user=user, approval=approval, email_verified_at=verified_at
    )


def announce_verified(identity: OktaIdentity) -> None:
    """Send the signal ``email_verified``, if the address is verified."""
    if identity.email_verified_at is not None:
        announce(email_verified, OktaIdentity, identity=identity, user=identity.user)


def end_sessions(issuers: Collection[str], subjects: Collection[str]) -> None:
    """Log out the users of these Okta accounts, in every browser, until they sign in at Okta again.

    Django ends a user's sessions when the hash of their password changes, and the hash of an unusable password can be
    replaced. Users with a password of this site keep it, so ``closed_at`` ends their sessions instead.
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
    # ``end_sessions`` has ended the sessions of all other users.
    return user.has_usable_password() and OktaIdentity.objects.filter(user=user, closed_at__isnull=False).exists()


def has_lost_identity(user: Any) -> bool:
    """Return whether a user who signed in at Okta has no Okta identity any more, because ``selfreg_erase`` deleted it.

    It ends the sessions of all other users itself, see ``end_sessions``.
    """
    return user.is_authenticated and user.has_usable_password() and not OktaIdentity.objects.filter(user=user).exists()


def reopen(identity: OktaIdentity) -> None:
    """Reopen an identity because its account signed in at Okta, and the user's identities at other issuers with it."""
    if identity.closed_at is not None:
        identity.closed_at = None
        identity.save(update_fields=["closed_at"])
    if has_several_orgs() or identity.user.has_usable_password():
        OktaIdentity.objects.filter(user=identity.user_id, closed_at__isnull=False).update(closed_at=None)


def update_verification(identity: OktaIdentity, claims: Mapping[str, Any], *, was_verified: bool) -> None:
    """Mark the address as verified if the claims say so; as not verified if it changed at Okta.

    :param was_verified: what ``is_still_verified`` returned before the user was updated
    """
    is_verified = claims.get("email_verified") is True
    if is_verified and identity.email_verified_at is None:
        _mark_verified(identity)
    elif not is_verified and not was_verified and identity.email_verified_at is not None:
        identity.email_verified_at = None
        identity.save(update_fields=["email_verified_at"])


def is_still_verified(identity: OktaIdentity, claims: Mapping[str, Any]) -> bool:
    """Return whether the address was verified before, and has not changed since. The user model has the old address."""
    if identity.email_verified_at is None:
        return False
    if not columns_of(identity.user._meta.model).email:
        return True
    if email := claims.get("email"):
        return is_same_mailbox(address_of(identity.user), email)
    return "email_verified" not in claims  # with this claim, the address is one that can't be used
