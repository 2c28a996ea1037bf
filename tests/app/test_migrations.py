"""Migrations: what a database of an earlier version goes through."""

from importlib import import_module
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection


@pytest.mark.django_db(transaction=True)
def test_renaming_the_rate_limit_counter_leaves_the_database_alone() -> None:
    output = StringIO()
    call_command("sqlmigrate", "selfreg", "0003", stdout=output, no_color=True)
    statements = [line for line in output.getvalue().splitlines() if line and not line.startswith("--")]
    assert set(statements) <= {"BEGIN;", "COMMIT;"}


@pytest.mark.django_db
def test_permissions_of_an_earlier_version_get_their_new_names() -> None:
    kept = Permission.objects.filter(codename="remove_okta_account")
    kept.update(name="Can remove half-made Okta accounts")
    import_module("selfreg.migrations.0011_permission_names").rename(apps, connection.schema_editor())
    assert kept.get().name == "Can delete unfinished Okta accounts"
