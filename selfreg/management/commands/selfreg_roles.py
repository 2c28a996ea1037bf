from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from selfreg.admin.roles import ROLES, make_groups


class Command(BaseCommand):
    help = "Creates or restores the groups for watching registrations: viewer, supporter, privacy officer, manager."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            make_groups()
        for name, codenames in ROLES.items():
            self.stdout.write(f"{name}: {', '.join(codenames)}")
