"""Concurrent writers on SQLite, and rows that other versions of this package wrote."""

import json
import sqlite3
import threading
from pathlib import Path

import pytest
from django.db import connection, connections

from okta_devorg import OrgHandle
from selfreg.idx.client import Transaction
from selfreg.idx.document import IdxResponse
from selfreg.models import Registration
from selfreg.registration.state import EnrollmentState
from selfreg.secret import Secret, reveal
from support.person import Person
from support.sealed import sealed, stored_state

pytestmark = [pytest.mark.database, pytest.mark.every_database]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite's one writer at a time")
def test_a_writer_on_sqlite_waits_for_another_writer(db: None, tmp_path: Path) -> None:
    """Another connection holds the write lock for a moment. With these settings a writer waits and does not fail."""
    options = connections["default"].settings_dict["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    path, locked, release = tmp_path / "db.sqlite3", threading.Event(), threading.Event()
    sqlite3.connect(path).execute("CREATE TABLE numbers (n)").connection.close()

    def hold() -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        locked.set()
        release.wait(10)
        other.execute("COMMIT")
        other.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(10)
    threading.Timer(0.3, release.set).start()
    writer = sqlite3.connect(path, timeout=options["timeout"], isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO numbers VALUES (1)")
    writer.execute("COMMIT")
    writer.close()
    holder.join(10)
    assert release.is_set()


def test_unknown_keys_of_an_encrypted_state_are_ignored() -> None:
    state = EnrollmentState(
        Transaction(*map(Secret, ("handle", "state", "nonce", "verifier"))),
        Secret('{"version": "1.0.0"}'),
        IdxResponse(),
    )
    assert (
        EnrollmentState.from_json(
            {**json.loads(json.dumps(state.to_json(), default=reveal)), "from_a_later_version": 1}
        )
        == state
    )


def test_a_row_of_an_older_version_can_continue(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile()
    row = Registration.objects.get()
    state = stored_state(row)
    # The state as an older version wrote it.
    for name in ("calls", "phone", "poll_at", "format"):
        del state[name]
    row.commit(sealed=sealed(row, state | {"decoy": False, "granted": ""}))
    assert person.chooses("Email").types_the_code_from(org).heading == "Choose a password"
