"""``manage.py selfreg_roles``: creates the admin's groups."""

from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand
from django.db import router, transaction

from selfreg.admin.roles import ROLES, make_groups
from selfreg.management.handling import explained


class Command(BaseCommand):
    """Creates the groups of ``selfreg.admin.roles``, and prints each with its permissions."""

    help = (
        "Creates the groups for administrators of registrations (viewer, supporter, privacy officer, manager), or "
        "resets their permissions. Members stay in their groups."
    )

    @explained
    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        with transaction.atomic(using=router.db_for_write(Group)):
            make_groups()
        for name, codenames in ROLES.items():
            self.stdout.write(f"{name}: {', '.join(codenames)}")
