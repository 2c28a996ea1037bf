"""What the databases have to stand: another writer, and rows of other versions of this app."""

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

pytestmark = pytest.mark.database


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite's one writer at a time")
def test_another_writer_on_sqlite_is_waited_for(db: None, tmp_path: Path) -> None:
    """Somebody holds the write lock for a while; the settings make a writer wait instead of failing."""
    options = connections["default"].settings_dict["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    path, locked, let_go = tmp_path / "db.sqlite3", threading.Event(), threading.Event()
    sqlite3.connect(path).execute("CREATE TABLE kept (n)").connection.close()

    def hold() -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        locked.set()
        let_go.wait(10)
        other.execute("COMMIT")
        other.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(10)
    threading.Timer(0.3, let_go.set).start()
    mine = sqlite3.connect(path, timeout=options["timeout"], isolation_level=None)
    mine.execute("BEGIN IMMEDIATE")
    mine.execute("INSERT INTO kept VALUES (1)")
    mine.execute("COMMIT")
    mine.close()
    holder.join(10)
    assert let_go.is_set()


def test_unknown_keys_of_an_encrypted_state_are_ignored() -> None:
    state = EnrollmentState(
        Transaction(*map(Secret, ("handle", "state", "nonce", "verifier"))),
        Secret('{"version": "1.0.0"}'),
        IdxResponse(),
    )
    assert (
        EnrollmentState.from_json({**json.loads(json.dumps(state.to_json(), default=reveal)), "of_tomorrow": 1})
        == state
    )


def test_a_row_that_an_older_version_sealed_goes_on(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    row = Registration.objects.get()
    kept = stored_state(row)
    # As the version before wrote it.
    for name in ("calls", "phone", "poll_at", "format"):
        del kept[name]
    row.commit(sealed=sealed(row, kept | {"decoy": False, "granted": ""}))
    assert person.chooses("Email").types_the_code_from(org).heading == "Choose a password"
