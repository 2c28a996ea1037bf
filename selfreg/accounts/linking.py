"""Linking an Okta account to an existing Django user, where ``SELFREG["LINK_EXISTING"]`` is on.

An equal address is not enough: a visitor whose verified address belongs to a user of this site has to enter that user's
password, once. Staff users are never offered.
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
    """A user of this site has this verified address. The visitor may link the Okta account to it by its password.

    :param person: the verified claims, ``sub`` and ``email`` among them
    """

    def __init__(self, person: Mapping[str, Any]) -> None:
        super().__init__("an existing user may be linked")
        self.person = dict(person)


def linkable_account(person: Mapping[str, Any]) -> Any:
    """Returns the Django user that the Okta account may be linked to; None if there is none, or several.

    That user has this verified address, is active, has a password, is not staff, and is not linked yet.

    :param person: verified claims
    """
    email = canonical(str(person.get("email", "")))
    if not conf().link_existing or not email or person.get("email_verified") is not True:
        return None
    users = get_user_model()._default_manager.filter(email__iexact=person["email"], is_active=True)
    linked = OktaIdentity.objects.filter(issuer=conf().issuer).values("user")
    matches = [u for u in users.exclude(pk__in=linked)[:3] if canonical(u.email) == email]
    if len(matches) != 1 or not matches[0].has_usable_password() or _is_staff(matches[0]):
        return None
    return matches[0]


def consume_password_try(user: Any) -> bool:
    """Counts one try of a user's password. Returns False if there were too many, and this one must not be made."""
    return not consume({"join by account": str(user.pk)})


def link_account(user: Any, subject: str) -> OktaIdentity:
    """Links an Okta account to a Django user, and returns the identity. The visitor has proved to own both.

    :param subject: the Okta user id
    """
    identity, _new = OktaIdentity.objects.get_or_create(
        issuer=conf().issuer, subject=subject, defaults={"user": user, "linked_at": timezone.now()}
    )
    logger.info("Okta account %s linked to user %s", subject, user.pk)
    return identity


def _is_staff(user: Any) -> bool:
    return bool(getattr(user, "is_staff", False) or getattr(user, "is_superuser", False))
