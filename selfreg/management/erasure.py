"""What this site stores about a person besides registrations: Django users, Okta identities and sessions."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.core.management.base import CommandError
from django.db import Error
from django.db.models import QuerySet

from selfreg.accounts.identities import end_sessions
from selfreg.accounts.users import address_of, columns_of
from selfreg.email_addresses import is_same_mailbox
from selfreg.management.handling import TRY_LATER
from selfreg.models import OktaIdentity, Registration, RegistrationQuerySet

# How many sessions are read at once.
BATCH = 500


def users_of(address: str, registrations: RegistrationQuerySet) -> QuerySet[Any]:
    """Return the users who came from Okta and have this address now.

    Users who changed their address, or who did not come from Okta, are not returned. If the user model has no address,
    the users of the registrations are returned.
    """
    model = get_user_model()
    users = model._base_manager.filter(pk__in=OktaIdentity.objects.values("user"))
    column = columns_of(model).email
    if not column:
        return users.filter(pk__in=registrations.filter(user__isnull=False).values("user"))
    same = [u.pk for u in users.filter(**{f"{column}__iexact": address.strip()}) if _has(u, address)]
    same += [
        user.pk
        for user in users.filter(pk__in=registrations.filter(user__isnull=False).values("user")).exclude(pk__in=same)
        if _has(user, address)
    ]
    return users.filter(pk__in=same)


def _has(user: Any, address: str) -> bool:
    return is_same_mailbox(address_of(user), address)


def registrations_of(users: QuerySet[Any]) -> RegistrationQuerySet:
    """Return the registrations of these users, even if they have no address any more."""
    return Registration.objects.filter(user__in=list(users.values_list("pk", flat=True)))


def stored_sessions(users: QuerySet[Any]) -> Iterator[str]:
    """Yield the keys of the sessions of these users. Only sessions in the database can be listed.

    This reads all sessions, because the user is in their encoded data.
    """
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    if not sessions_are_listed():
        return
    rows = store.get_model_class().objects.order_by("pk")
    named = {user._meta.pk.value_to_string(user) for user in users}
    batch = list(rows[:BATCH]) if named else []
    while batch:
        yield from (row.pk for row in batch if row.get_decoded().get(SESSION_KEY) in named)
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:BATCH])


def sessions_are_listed() -> bool:
    """Return whether the sessions are in the database."""
    return hasattr(import_module(settings.SESSION_ENGINE).SessionStore, "get_model_class")


def delete_sessions(users: QuerySet[Any]) -> int:
    """End all sessions of these users, and return how many were deleted.

    Sessions outside the database end, too, but are not deleted until they expire. If the identities are then deleted,
    those of users with a password of this site end by ``IdleSessionMiddleware``.

    :raises CommandError: the cache in front of the sessions failed
    """
    for issuer, subject in OktaIdentity.objects.filter(user__in=users).values_list("issuer", "subject"):
        end_sessions([issuer], [subject])
    return _delete(stored_sessions(users))


def _delete(keys: Iterable[str]) -> int:
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    deleted = 0
    for key in keys:
        try:
            store(key).delete()  # also from a cache in front of the table
        except Error:
            raise
        except Exception as error:
            text = f"The sessions have ended, but their cache failed ({type(error).__name__}). Run this again."
            raise CommandError(text, returncode=TRY_LATER) from error
        deleted += 1
    return deleted
