"""Migrations of databases of earlier versions."""

from importlib import import_module
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection


@pytest.mark.django_db(transaction=True)
def test_migration_that_renames_the_rate_limit_counter_has_no_sql() -> None:
    output = StringIO()
    call_command("sqlmigrate", "selfreg", "0003", stdout=output, no_color=True)
    statements = [line for line in output.getvalue().splitlines() if line and not line.startswith("--")]
    assert set(statements) <= {"BEGIN;", "COMMIT;"}


@pytest.mark.django_db
def test_migration_renames_permissions_of_an_earlier_version() -> None:
    permissions = Permission.objects.filter(codename="remove_okta_account")
    permissions.update(name="Can remove half-made Okta accounts")
    import_module("selfreg.migrations.0011_permission_names").rename(apps, connection.schema_editor())
    assert permissions.get().name == "Can delete unfinished Okta accounts"
