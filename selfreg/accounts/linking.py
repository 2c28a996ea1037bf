"""Joining an Okta account with a Django account that was here before: off by default, never by the address alone.

With ``SELFREG["LINK_EXISTING"]`` a person whose proven address belongs to an account of this site is asked for that
account's password, once, and the joining is recorded. Staff accounts are never offered.
"""

import logging
from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from selfreg.addresses import canonical
from selfreg.conf import conf
from selfreg.models import OktaIdentity
from selfreg.rate_limits import consume

logger = logging.getLogger("selfreg")


class LinkOffered(Exception):
    """An account of this site has this proven address: its owner may join it by signing in to it."""

    def __init__(self, person: Mapping[str, Any]) -> None:
        super().__init__("an account may be joined")
        self.person = dict(person)


def account_to_join(person: Mapping[str, Any]) -> Any:
    """The one account that may be joined: this proven address, active, with a password, no staff, not joined yet."""
    email = canonical(str(person.get("email", "")))
    if not conf().link_existing or not email or person.get("email_verified") is not True:
        return None
    users = get_user_model()._default_manager.filter(email__iexact=person["email"], is_active=True)
    joined = OktaIdentity.objects.filter(issuer=conf().issuer).values("user")
    found = [u for u in users.exclude(pk__in=joined)[:3] if canonical(u.email) == email]
    if len(found) != 1 or not found[0].has_usable_password() or _is_staff(found[0]):
        return None
    return found[0]


def may_try(user: Any) -> bool:
    """Counts an attempt at an account's password; False once there were too many."""
    return not consume({"join by account": str(user.pk)})


def join(user: Any, subject: str) -> OktaIdentity:
    """Records that this Okta account and this Django account are the same person, proven on both sides."""
    identity, _new = OktaIdentity.objects.get_or_create(
        issuer=conf().issuer, subject=subject, defaults={"user": user, "linked_at": timezone.now()}
    )
    logger.info("Okta account %s joined with user %s", subject, user.pk)
    return identity


def _is_staff(user: Any) -> bool:
    return bool(getattr(user, "is_staff", False) or getattr(user, "is_superuser", False))
