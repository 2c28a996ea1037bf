"""Linking an Okta account to an existing Django user, where ``LINK_EXISTING`` is on.

The same address is not enough: a visitor whose verified address belongs to a user of this site has to enter that user's
password once. If several users have the address, the password decides. Staff users are never offered; an administrator
links them with ``manage.py selfreg_join``.
"""

import logging
from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from selfreg.accounts.users import address_of, columns_of
from selfreg.conf import Conf
from selfreg.email_addresses import canonical
from selfreg.models import OktaIdentity

logger = logging.getLogger("selfreg")

# How many users with the same address are offered, newest login first.
MAX_OFFERED = 3


class LinkOffered(Exception):
    """A user of this site has this verified address. The visitor may link the Okta account to it by its password.

    :param person: the verified claims, ``sub`` and ``email`` among them
    :param profile: what was typed at the sign-up, by Okta's attribute name
    """

    def __init__(self, person: Mapping[str, Any], profile: Mapping[str, str]) -> None:
        super().__init__("an existing user may be linked")
        self.person, self.profile = dict(person), dict(profile)


def linkable_accounts(person: Mapping[str, Any], settings: Conf) -> list[Any]:
    """Return the Django users that the Okta account may be linked to, at most ``MAX_OFFERED``.

    They have this verified address, are active, have a password, are not staff, and are not linked yet.

    :param person: verified claims
    """
    email = canonical(str(person.get("email", "")))
    if not settings.link_existing or not email or person.get("email_verified") is not True:
        return []
    model = get_user_model()
    column = columns_of(model).email
    if not column:
        return []
    users = model._default_manager.filter(**{f"{column}__iexact": person["email"]})
    linked = OktaIdentity.objects.filter(issuer=settings.issuer).values("user")
    matches = [u for u in users.exclude(pk__in=linked) if u.is_active and canonical(address_of(u)) == email]
    offered = [u for u in matches if u.has_usable_password() and not is_staff(u)]
    return sorted(offered, key=_last_login, reverse=True)[:MAX_OFFERED]


def _last_login(user: Any) -> float:
    at = getattr(user, "last_login", None)
    return float(at.timestamp()) if at else 0.0


def link_account(user: Any, issuer: str, subject: str) -> OktaIdentity:
    """Link an Okta account to a Django user, and return the identity. The visitor has proved that both are theirs.

    :param subject: the Okta user id
    """
    identity, _new = OktaIdentity.objects.get_or_create(
        issuer=issuer, subject=subject, defaults={"user": user, "linked_at": timezone.now()}
    )
    logger.info("Okta account %s linked to user %s", subject, user.pk)
    return identity


def is_staff(user: Any) -> bool:
    """Return whether a Django user is staff or a superuser, as far as the user model knows."""
    return bool(getattr(user, "is_staff", False) or getattr(user, "is_superuser", False))
