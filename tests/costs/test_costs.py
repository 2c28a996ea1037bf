"""Costs of pages, counted and not timed: queries, commits, calls to Okta, connections, bytes and function calls.

``COSTS`` holds the limits of the whole site. A change that needs more has to say so here.
"""

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any, NamedTuple

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from okta_devorg import OrgHandle
from selfreg.idx import deadline
from selfreg.models import Registration
from support.person import Person

pytestmark = pytest.mark.django_db(transaction=True)

WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
# Python versions and libraries differ a little in how many functions they call.
TOLERANCE = 1.15


class Cost(NamedTuple):
    """Limits for one request. ``functions`` are calls of functions in Python and C, in thousands."""

    queries: int
    commits: int
    calls: int
    kilobytes: int
    functions: float


# The requests of a sign-up with email and password, in order. The last POST ends it: user, identity, session.
COSTS = {
    "GET /signup/": Cost(queries=0, commits=0, calls=0, kilobytes=3, functions=11),
    "POST /signup/": Cost(queries=7, commits=5, calls=5, kilobytes=0, functions=29),
    "GET /signup/step/": Cost(queries=2, commits=0, calls=0, kilobytes=4, functions=15),
    "POST /signup/step/": Cost(queries=6, commits=2, calls=2, kilobytes=0, functions=19.5),
    "GET /signup/step/ (password)": Cost(queries=2, commits=0, calls=0, kilobytes=4, functions=15),
    "POST /signup/step/ (password)": Cost(queries=16, commits=8, calls=3, kilobytes=0, functions=30),
    "GET /": Cost(queries=3, commits=0, calls=0, kilobytes=4, functions=11),
}
ADMIN = {
    "/admin/": Cost(queries=9, commits=0, calls=0, kilobytes=12, functions=37),
    "/admin/selfreg/registration/": Cost(queries=6, commits=0, calls=0, kilobytes=20, functions=59),
    "/admin/selfreg/registration/funnel/": Cost(queries=17, commits=0, calls=0, kilobytes=26, functions=73),
    "/admin/selfreg/oktaidentity/": Cost(queries=5, commits=0, calls=0, kilobytes=14, functions=32),
}


@dataclass
class Meter:
    """Wraps the handler of a browser and counts the costs of each request."""

    handler: Callable[[Any], Any]
    org: OrgHandle
    costs: dict[str, Cost]

    def __call__(self, environ: dict[str, Any]) -> Any:
        made, calls = 0, len(self.org.calls())

        def count(_frame: FrameType, event: str, _argument: Any) -> None:
            nonlocal made
            made += event in ("call", "c_call")

        with CaptureQueriesContext(connection) as captured:
            sys.setprofile(count)
            try:
                response = self.handler(environ)
            finally:
                sys.setprofile(None)
        statements = [query["sql"] for query in captured.captured_queries]
        queries = [s for s in statements if not s.startswith(("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"))]
        name = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        while name in self.costs:
            name += " (password)"
        self.costs[name] = Cost(
            len(queries),
            _commits(statements),
            len(self.org.calls()) - calls,
            len(response.content) // 1024,
            round(made / 1000, 1),
        )
        return response


def _commits(statements: list[str]) -> int:
    """Return the number of transactions with writes, plus writes outside a transaction."""
    count, depth, wrote = 0, 0, False
    for statement in statements:
        if statement.startswith("BEGIN"):
            depth, wrote = 1, False
        elif statement.startswith(("COMMIT", "ROLLBACK")):
            count += wrote and statement.startswith("COMMIT")
            depth = 0
        elif WRITES.match(statement):
            wrote = True
            count += not depth
    return count


def exceeded(cost: Cost, limit: Cost) -> list[str]:
    """Return every value that exceeds its limit."""
    tolerated = limit._replace(functions=limit.functions * TOLERANCE)
    return [
        f"{name} {value} > {maximum}"
        for name, value, maximum in zip(Cost._fields, cost, tolerated, strict=True)
        if value > maximum
    ]


def record_costs(browser: Client, org: OrgHandle) -> dict[str, Cost]:
    """Start to record the costs of this browser's requests, and return the record."""
    meter = Meter(browser.handler, org, {})
    browser.handler = meter  # type: ignore[assignment]
    return meter.costs


@pytest.mark.skipif("coverage" in sys.modules, reason="coverage counts function calls, too")
def test_requests_of_a_sign_up_stay_within_their_limits(org: OrgHandle) -> None:
    Person("warm@example.com").signs_up(org)  # templates, keys and the form are cached
    person = Person()
    costs = record_costs(person.browser, org)
    person.signs_up(org)
    assert person.is_signed_in
    assert list(costs) == list(COSTS)
    excess = {name: exceeded(cost, COSTS[name]) for name, cost in costs.items()}
    assert not any(excess.values()), (excess, costs)


@pytest.mark.skipif("coverage" in sys.modules, reason="coverage counts function calls, too")
def test_admin_pages_stay_within_their_limits(org: OrgHandle, admin_client: Client) -> None:
    for number in range(3):
        Person(f"ada-{number}@example.com").signs_up(org)
    assert Registration.objects.count() == 3
    for path in ADMIN:
        admin_client.get(path)
    costs = record_costs(admin_client, org)
    statuses = [admin_client.get(path).status_code for path in ADMIN]
    assert statuses == [200] * len(ADMIN)
    excess = {path: exceeded(costs[f"GET {path}"], limit) for path, limit in ADMIN.items()}
    assert not any(excess.values()), (excess, costs)


def test_connections_to_the_org_are_reused(org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    Person("warm@example.com").signs_up(org)
    made: list[None] = []
    original_connect = deadline.Call.connect

    def count_connection(self: Any, *arguments: Any) -> None:
        made.append(None)
        original_connect(self, *arguments)

    monkeypatch.setattr(deadline.Call, "connect", count_connection)
    for number in range(3):
        assert Person(f"ada-{number}@example.com").signs_up(org).is_signed_in
    assert not made, f"{len(made)} new connections from process {os.getpid()}"
