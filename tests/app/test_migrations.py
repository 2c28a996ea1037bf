"""Migrations: what a database of an earlier version goes through."""

from io import StringIO

import pytest
from django.core.management import call_command


@pytest.mark.django_db(transaction=True)
def test_renaming_the_rate_limit_counter_leaves_the_database_alone() -> None:
    output = StringIO()
    call_command("sqlmigrate", "selfreg", "0003", stdout=output, no_color=True)
    statements = [line for line in output.getvalue().splitlines() if line and not line.startswith("--")]
    assert set(statements) <= {"BEGIN;", "COMMIT;"}
