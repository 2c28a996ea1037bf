"""With Django's connection pool, a thread that waits for the org holds no database connection."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections

from okta_devorg import OrgHandle
from selfreg.models import Registration
from support.person import Person

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ONE_CONNECTION = {"min_size": 0, "max_size": 1, "timeout": 5}


@pytest.fixture
def one_connection() -> Iterator[None]:
    """All threads share one connection."""
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has a pool in Django")
    configured = connections.settings["default"]
    before = {name: configured[name] for name in ("OPTIONS", "CONN_MAX_AGE")}
    connection.close()
    configured |= {"OPTIONS": {**configured["OPTIONS"], "pool": ONE_CONNECTION}, "CONN_MAX_AGE": 0}
    yield
    connection.close()
    pooled: Any = connection
    pooled.close_pool()
    configured |= before


def test_a_request_that_waits_for_the_org_holds_no_database_connection(one_connection: None, org: OrgHandle) -> None:
    person = Person()
    person.opens_the_sign_up().submits_profile().chooses("Email")
    code = org.code(person.email)
    connection.close()
    with ThreadPoolExecutor(1) as pool:
        with org.org.lock:  # the org does not answer
            page = pool.submit(submit_code, person, code)
            # With the only connection held by the waiting thread, this would end with a time-out of the pool.
            while not is_claimed() and not page.done():
                pass
            assert is_claimed()
        assert page.result() == "Choose a password"


def submit_code(person: Person, code: str) -> str:
    """Submits the code in another thread, and returns its connection to the pool."""
    try:
        return person.fills_and_presses({"credentials.passcode": code}).heading
    finally:
        connection.close()


def is_claimed() -> bool:
    """Whether a call to the org is in progress. Uses a connection of the pool."""
    try:
        return Registration.objects.filter(busy_until__isnull=False).exists()
    finally:
        connection.close()
