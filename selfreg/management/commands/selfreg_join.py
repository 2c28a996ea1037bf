"""``manage.py selfreg_join SUBJECT USER``: connects an Okta account with an existing user."""

import logging
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import router, transaction
from django.utils import timezone

from selfreg.accounts.users import address_of
from selfreg.conf import DEFAULT
from selfreg.email_addresses import is_same_mailbox
from selfreg.management.handling import explained
from selfreg.management.options import add_org, settings_of
from selfreg.models import OktaIdentity
from selfreg.okta_api.accounts import OKTA_ID

logger = logging.getLogger("selfreg")
CHANGE = 2  # ``LogEntry.action_flag``, not imported because the admin may not be installed


class Command(BaseCommand):
    """Connects an Okta account with a Django user who can't do it: staff, or users without a password.

    The change is logged in ``selfreg`` and in the admin's history of the user, with the administrator's name.
    """

    help = (
        "Connects an Okta account with a user of this site for good: whoever signs in with the account becomes that "
        "user. Use it for people who can't connect with their password, such as staff. First make sure that both "
        "belong to the same person: the same address doesn't prove it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument("subject", help="the Okta user id, such as 00u1a2b3c4D5E6F7g8h9")
        parser.add_argument("user", help="the user name that the user logs in with")
        parser.add_argument("--by", required=True, help="the user name of the administrator who decided it")
        parser.add_argument("--dry-run", action="store_true", help="only print what would change")
        add_org(parser, "the default org")

    @explained
    def handle(self, *args: Any, subject: str, user: str, by: str, dry_run: bool, **options: Any) -> None:
        """Run the command.

        :raises CommandError: there is no such user or administrator, the subject is invalid, or the user is connected
            with another account
        """
        if not OKTA_ID.fullmatch(subject):
            raise CommandError(f"{subject!r} isn't an Okta user id.")
        account, administrator = _user(user), _user(by)
        issuer = settings_of(options.get("org") or DEFAULT).issuer
        if not (administrator.is_active and getattr(administrator, "is_superuser", False)):
            raise CommandError(f"{by} isn't a superuser.")
        with transaction.atomic(using=router.db_for_write(OktaIdentity)):
            before = _user_before(issuer, subject, account)
            change = f"Okta account {subject} connected with user {account.get_username()}"
            change += f" instead of {before.get_username()}" if before else ""
            if not dry_run:
                _join(issuer, subject, account, before)
                _record(account, administrator, change)
        self.stdout.write(f"would change: {change}" if dry_run else f"{change}.")


def _user(name: str) -> Any:
    model = get_user_model()
    users: Any = model._default_manager
    try:
        return users.get(**{model.USERNAME_FIELD: name})
    except model.DoesNotExist:
        raise CommandError(f"There is no user {name!r}.") from None


def _user_before(issuer: str, subject: str, account: Any) -> Any:
    """Return the user that the Okta account was connected with, or None.

    :raises CommandError: there is nothing to do, or ``account`` is connected with another Okta account
    """
    identities = OktaIdentity.objects.select_for_update().filter(issuer=issuer)
    if other := identities.filter(user=account).first():
        known = "already" if other.subject == subject else f"with the Okta account {other.subject}"
        raise CommandError(f"{account.get_username()} is connected {known}.")
    present = identities.filter(subject=subject).first()
    return present.user if present else None


def _join(issuer: str, subject: str, account: Any, before: Any) -> None:
    """Connect the account. The address that was verified is that of the user before.

    :param before: the user that it was connected with, or None
    """
    values = {"user": account, "linked_at": timezone.now()}
    if before is not None and not is_same_mailbox(address_of(before), address_of(account)):
        values["email_verified_at"] = None
    OktaIdentity.objects.update_or_create(issuer=issuer, subject=subject, defaults=values)


def _record(account: Any, administrator: Any, change: str) -> None:
    logger.warning("%s, by %s", change, administrator.get_username())
    if not apps.is_installed("django.contrib.admin"):
        return
    apps.get_model("admin", "LogEntry").objects.create(
        user_id=administrator.pk,
        content_type=apps.get_model("contenttypes", "ContentType").objects.get_for_model(account),
        object_id=str(account.pk),
        object_repr=str(account)[:200],
        action_flag=CHANGE,
        change_message=change,
    )
