"""The backup of docs/operating.md, restored during a sign-up."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from okta_devorg import OrgHandle
from selfreg.models import Registration, RegistrationEvent
from support.person import Person

pytestmark = [
    pytest.mark.database,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="pg_dump is for PostgreSQL"),
]
NEW_KEY = "o1usH0IPyNvWPLLhwfUKptenTuHIDPCtWfrDLDkmz2c="


def run(program: str, *arguments: str) -> None:
    """Run a command of the page on the test database."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    database = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = os.environ | {name: str(database[key]) for name, key in names.items() if database[key]}
    result = subprocess.run([path, *arguments], env=environment, capture_output=True, text=True, check=False)
    if "server version mismatch" in result.stderr:
        pytest.skip(f"{program} is older than the server")
    assert result.returncode == 0, result.stderr


@pytest.fixture
def restored(person: Person, org: OrgHandle, tmp_path: Path) -> Person:
    """Return a person who was at the code page when the database was saved. It has been deleted and restored since."""
    person.opens_the_sign_up().submits_profile()
    dump = str(tmp_path / "site.dump")
    run("pg_dump", "--format=custom", f"--file={dump}")
    Registration.objects.all().delete()
    connection.close()
    run("pg_restore", "--clean", "--if-exists", "--exit-on-error", f"--dbname={connection.settings_dict['NAME']}", dump)
    return person


def test_registrations_continue_after_a_restore(restored: Person, org: OrgHandle) -> None:
    assert restored.types_the_code_from(org).heading == "Choose a password"
    assert RegistrationEvent.objects.filter(kind="started").count() == 1


def test_restore_without_the_keys_makes_people_start_again(
    restored: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(ENCRYPTION_KEYS=[NEW_KEY])
    restored.opens("/signup/step/")
    assert restored.status < 500
    assert restored.opens_the_sign_up().heading == "Create your account"
