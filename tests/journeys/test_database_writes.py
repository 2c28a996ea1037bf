"""Database writes of one registration: updates of its row, and commits."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from okta_devorg import OrgHandle
from selfreg.models import Registration
from support.person import Person

pytestmark = pytest.mark.database

WRITES = re.compile(r"^\s*(INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
ROW_UPDATE = re.compile(r'^UPDATE ["`]selfreg_registration["`]')


def commits(statements: list[str]) -> int:
    """Transactions that were committed, and writes outside of one."""
    count, in_transaction = 0, False
    for statement in statements:
        if statement.startswith("BEGIN"):
            in_transaction = True
        elif statement.startswith(("COMMIT", "ROLLBACK")):
            in_transaction = False
            count += statement.startswith("COMMIT")
        elif WRITES.match(statement) and not in_transaction:
            count += 1
    return count


@pytest.mark.django_db(transaction=True)
def test_a_registration_with_email_and_password_makes_6_row_updates_and_15_commits(org: OrgHandle) -> None:
    Person("grace@example.com").signs_up(org)  # now the form and the keys are cached
    with CaptureQueriesContext(connection) as captured:
        assert Person().signs_up(org).is_signed_in
    statements = [q["sql"] for q in captured.captured_queries]
    assert len([s for s in statements if ROW_UPDATE.match(s)]) == 6
    assert commits(statements) == 15


def test_columns_that_change_within_a_step_are_not_indexed() -> None:
    """PostgreSQL updates such a row in place; any indexed column would make it write every index."""
    meta = Registration._meta
    indexed = {name.removeprefix("-") for index in meta.indexes for name in index.fields}
    columns: list[Any] = [*meta.local_fields]
    indexed |= {field.name for field in columns if field.db_index or field.unique}
    assert not indexed & {"sealed", "version", "busy_until", "unsure", "updated_at", "expires_at"}
    assert {"status", "step", "created_at"} <= indexed
