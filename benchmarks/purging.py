"""`python -m benchmarks.purging fill ROWS PERCENT | delete | purge`: a part of `bench_purge`; the last line is JSON."""

import io
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import django
from django.core.management import call_command
from django.db import connection

from benchmarks.admin_pages import statement

REGISTRATIONS = """
INSERT INTO selfreg_registration (id, status, step, email, email_canonical, issuer, okta_user_id, workflow, policy,
    language, created_at, updated_at, finished_at, tallied {more_columns})
SELECT gen_random_uuid(), CASE WHEN i %% 100 < {percent} THEN 'expired' ELSE 'completed' END, 'enroll-profile',
    'person' || i || '@example.com', 'person' || i || '@example.com', 'https://dev-1.okta.com',
    '00u' || lpad(i::text, 17, '0'), 'mandatory', 'aaaa000000000000', (ARRAY['en', 'de', 'fr', 'ja'])[1 + i %% 4],
    at, at, at, i %% 100 >= {percent} {more_values}
FROM (SELECT i, now() - interval '2 days' - i * interval '2 seconds' AS at
    FROM generate_series(0, {rows} - 1) AS i) AS made
"""
EVENTS = """
INSERT INTO selfreg_registrationevent (registration_id, at, kind, step, outcome, milliseconds {more_columns})
SELECT r.id, r.created_at + k * interval '20 seconds',
    CASE k WHEN 0 THEN 'started' WHEN 3 THEN 'expired' ELSE 'answered' END, 'enroll-profile',
    CASE k WHEN 2 THEN 'api.authn.error.PASSCODE_INVALID' ELSE 'ok' END, 80 + k {more_values}
FROM selfreg_registration r CROSS JOIN generate_series(0, 3) AS k ORDER BY r.created_at, k
"""
EXPIRED = "status = 'expired' AND finished_at < now() - interval '1 day'"


def fill(rows: str, percent: str) -> dict[str, float]:
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(statement(REGISTRATIONS.replace("{percent}", percent), "Registration", int(rows)))
        cursor.execute(statement(EVENTS, "RegistrationEvent", int(rows)))
        for table in ("registration", "registrationevent"):
            cursor.execute(f"ALTER TABLE selfreg_{table} SET (autovacuum_enabled = off)")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute(
            "SELECT pg_total_relation_size('selfreg_registration'), pg_total_relation_size('selfreg_registrationevent')"
        )
        registrations, events = cursor.fetchone()
    return {"registration_bytes": registrations / int(rows), "event_bytes": events / int(rows) / 4}


def delete() -> dict[str, float]:
    """One statement."""
    with connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.execute(
            f"WITH gone AS (DELETE FROM selfreg_registration WHERE {EXPIRED} RETURNING id) "
            "DELETE FROM selfreg_registrationevent WHERE registration_id IN (SELECT id FROM gone)"
        )
        seconds = time.perf_counter() - began
        return {"delete": cursor.rowcount / 4 / seconds}


def purge() -> dict[str, float]:
    """The command, with its own statements timed as the client sees them."""
    longest: list[tuple[float, str]] = [(0.0, "")]

    def timed(execute: Callable[..., Any], text: str, *rest: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(text, *rest)
        finally:
            longest[0] = max(longest[0], (time.perf_counter() - began, text))

    before, size = expired(), megabytes()
    began = time.perf_counter()
    with connection.execute_wrapper(timed):
        call_command("selfreg_purge", stdout=io.StringIO())
    seconds = time.perf_counter() - began
    print(f"longest: {longest[0][0]:.3f} s {longest[0][1][:300]}", file=sys.stderr)
    if expired():
        raise SystemExit("the purge left expired rows")
    return {"purge": before / seconds, "longest": longest[0][0], "growth": megabytes() - size}


def expired() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM selfreg_registration WHERE {EXPIRED}")
        return int(cursor.fetchone()[0])


def megabytes() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return float(cursor.fetchone()[0] / 1_000_000)


if __name__ == "__main__":
    django.setup()
    parts: dict[str, Callable[..., dict[str, float]]] = {"fill": fill, "delete": delete, "purge": purge}
    print(json.dumps(parts[sys.argv[1]](*sys.argv[2:])))
