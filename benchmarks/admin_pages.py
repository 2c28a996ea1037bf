"""`python -m benchmarks.admin_pages ROWS`: fills the database of DATABASE_URL and measures; the last line is JSON.

Registrations come one every thirty seconds, whatever their number: the newest page looks the same at every size.
"""

import json
import re
import resource
import sys
import time
from datetime import timedelta
from importlib import import_module
from typing import Any

import django
from django.apps import apps
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

ROUNDS, WARM_UPS, STOCK_ROUNDS = 15, 2, 3
FUNNEL_DAYS = (1, 7, 30)

REGISTRATIONS = """
INSERT INTO selfreg_registration (id, status, step, version, busy_until, unsure, email, email_canonical,
    email_verified_at, issuer, okta_user_id, workflow, policy, next_url, language, country, browser, link_digest,
    failure, failure_text, created_at, updated_at, expires_at, finished_at, sealed {more_columns})
SELECT gen_random_uuid(), status,
    CASE status WHEN 'completed' THEN '' WHEN 'started' THEN 'enroll-profile'
        ELSE (ARRAY['enroll-profile', 'select-authenticator-enroll', 'enroll-authenticator okta_email',
                    'enroll-authenticator okta_password'])[1 + i %% 4] END,
    3, NULL, false, 'person' || i || '@example.com', 'person' || i || '@example.com',
    CASE WHEN status = 'completed' THEN at END, 'https://dev-1.okta.com', '00u' || lpad(i::text, 17, '0'),
    CASE WHEN i < 300 THEN 'optional' ELSE 'mandatory' END,
    CASE WHEN i < 200 THEN 'aaaa000000000000' ELSE 'bbbb00000000000' || (i * 5 / {rows})::text END,
    '', (ARRAY['en', 'de', 'fr', 'ja'])[1 + i %% 4], (ARRAY['US', 'DE', 'FR', 'JP'])[1 + i %% 4], 'Firefox, Linux',
    md5(i::text), CASE WHEN status = 'failed' THEN
        (ARRAY['registration.error.generic', 'security.access_denied', 'oauth.invalid_client'])[1 + i %% 3] ELSE '' END,
    '', at, at + interval '4 minutes', at + interval '2 hours',
    CASE WHEN status IN ('started', 'enrolling', 'awaiting_email', 'ready') THEN NULL
        ELSE at + interval '4 minutes' END, '' {more_values}
FROM (SELECT i, now() - interval '20 minutes' - ({rows} - i) * interval '30 seconds' AS at,
    CASE WHEN i %% 100 < 70 THEN 'completed' WHEN i %% 100 < 87 THEN 'expired' WHEN i %% 100 < 92 THEN 'cancelled'
        WHEN i %% 100 < 95 THEN 'failed' WHEN i %% 100 < 97 THEN 'enrolling' WHEN i %% 100 < 98 THEN 'started'
        WHEN i %% 100 < 99 THEN 'awaiting_email' ELSE 'ready' END AS status
    FROM generate_series(0, {rows} - 1) AS i) AS made
"""
EVENTS = """
INSERT INTO selfreg_registrationevent (registration_id, at, kind, step, outcome, milliseconds, request_id, actor
    {more_columns})
SELECT r.id, r.created_at + k * interval '20 seconds',
    CASE k WHEN 0 THEN 'started' WHEN 4 THEN 'resent' WHEN 8 THEN 'verified'
        WHEN 9 THEN CASE WHEN r.finished_at IS NULL THEN 'recovered' ELSE r.status END
        ELSE 'answered' END,
    CASE WHEN k < 2 THEN 'enroll-profile' WHEN k IN (2, 6) THEN 'select-authenticator-enroll'
        WHEN k < 6 THEN 'enroll-authenticator okta_email'
        WHEN k < 9 THEN 'enroll-authenticator okta_password' ELSE '' END,
    CASE k WHEN 3 THEN 'api.authn.error.PASSCODE_INVALID' ELSE 'ok' END, 80 + k, md5(k::text), '' {more_values}
FROM selfreg_registration r CROSS JOIN generate_series(0, 9) AS k ORDER BY r.created_at, k
"""


USERS = """
INSERT INTO auth_user (username, email, first_name, last_name, password, is_staff, is_superuser, is_active, date_joined)
SELECT 'okta-' || i, 'person' || i || '@example.com', 'Person', i::text, '!', false, false, true, now()
FROM generate_series(0, {rows} - 1) AS i
"""
IDENTITIES = """
INSERT INTO selfreg_oktaidentity (issuer, subject, user_id, created_at {more_columns})
SELECT 'https://dev-1.okta.com', '00u' || lpad(substr(username, 6), 17, '0'), id, now() {more_values}
FROM auth_user WHERE username LIKE 'okta-%%' ORDER BY id
"""


def fill(rows: int) -> None:
    """Straight into the tables; indexes of the events are made afterwards, which takes a third of the time."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement(REGISTRATIONS, "Registration", rows))
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'selfreg_registrationevent' "
            "AND indexname NOT LIKE '%%pkey'"
        )
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        cursor.execute(statement(EVENTS, "RegistrationEvent", rows))
        cursor.execute(USERS.format(rows=rows))
        cursor.execute(statement(IDENTITIES, "OktaIdentity", rows))
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for _name, definition in indexes:
            cursor.execute(definition)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")


def purge(days: int) -> None:
    """What `selfreg_purge`, run every hour, would have done to the newest registrations; the older ones are only
    marked, as nobody asks for their numbers.
    """
    retention = import_module("selfreg.registration.retention")
    newest = timezone.now() - timedelta(days=days)
    began = time.perf_counter()
    for rows, verb in ((retention.to_erase(), retention.erase), (retention.completed(), retention.count)):
        sum(verb(rows.filter(created_at__gte=newest)))
    apps.get_model("selfreg", "Registration").objects.filter(created_at__lt=newest).update(tallied=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(f"purged {days} days in {time.perf_counter() - began:.0f} s", flush=True)


def statement(text: str, model: str, rows: int) -> str:
    """With a value for every column that the statement does not name, so that new columns do not break it."""
    named = re.findall(r"\w+", text.partition("SELECT")[0])
    columns = [
        field
        for field in apps.get_model("selfreg", model)._meta.concrete_fields
        if field.column not in named and not field.null and not field.primary_key
    ]
    names = "".join(f", {field.column}" for field in columns)
    values = "".join(f", {literal(field.get_default())}" for field in columns)
    return text.format(rows=rows, more_columns=names, more_values=values).replace("%%", "%")


def literal(value: Any) -> str:
    return str(value) if isinstance(value, bool | int) else f"'{value}'"


def pages(rows: int) -> dict[str, str]:
    """Name -> query of the list, or the URL of another page."""
    middle = rows // 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, created_at FROM selfreg_registration WHERE okta_user_id = %s", [f"00u{middle:017}"])
        pk, created_at = cursor.fetchone()
    return {
        "first page": "",
        "last page": "oldest=1",
        "a page in the middle": f"older={created_at.isoformat().replace('+', '%2B')}_{pk.hex}",
        "status: completed (70 %)": "status=completed",
        "status: failed (3 %)": "status=failed",
        "status: open": "status=open",
        "status: stuck": "status=stuck",
        "status: waiting for email": "status=awaiting_email",
        "stuck for 5 minutes": "stuck=5",
        "step: email code": "step=enroll-authenticator+okta_email",
        "workflow: optional (300 oldest)": "workflow=optional",
        "failure": "failure=security.access_denied",
        "period: last 24 hours": "period=day",
        "period: last 30 days": "period=month",
        "policy version (200 oldest)": "policy=aaaa000000000000",
        "status and policy": "status=expired&policy=bbbb000000000002",
        "search: email, found": f"q=person{middle}@example.com",
        "search: email, not found": "q=nobody@example.com",
        "search: start of an email": f"q=person{middle // 10}",
        "search: start of every email": "q=p",
        "search: Okta user id": f"q=00u{middle:017}",
        "search: registration id": f"q={pk}",
        "start page": "/admin/",
        "one registration": f"/admin/selfreg/registration/{pk}/change/",
        "identities": "/admin/selfreg/oktaidentity/",
        "identities: search": f"/admin/selfreg/oktaidentity/?q=00u{middle:017}",
        "identities: search by email": f"/admin/selfreg/oktaidentity/?q=person{middle}@example.com",
        "identities: start of an email": f"/admin/selfreg/oktaidentity/?q=person{middle // 10}",
    }


STOCK = {
    "first page": "",
    "last page": "p={last}",
    "status: completed (70 %)": "status__exact=completed",
    "workflow: optional (300 oldest)": "workflow=optional",
    "search: email, found": "q=person{middle}@example.com",
    "search: email, not found": "q=nobody@example.com",
}


slowest_statements: dict[str, float] = {}


def fastest(client: Any, url: str, rounds: int, *, cold: bool = False) -> float:
    """Milliseconds. Notes the slowest statement of the fastest round."""
    spent = []
    statements: list[float] = []

    def timed(execute: Any, *call: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*call)
        finally:
            statements.append((time.perf_counter() - began) * 1000)

    slowest = []
    for attempt in range(WARM_UPS + rounds):
        if cold:
            cache.clear()
        began = time.perf_counter()
        statements.clear()
        with connection.execute_wrapper(timed):
            answer = client.get(url)
        if answer.status_code != 200:
            raise SystemExit(f"{url}: HTTP {answer.status_code}")
        if attempt >= WARM_UPS:
            spent.append((time.perf_counter() - began) * 1000)
            slowest.append(max(statements))
    slowest_statements[url] = min(slowest)
    print(f"{min(spent):9.1f} ms, slowest statement {min(slowest):6.1f} ms  {url}", file=sys.stderr, flush=True)
    return min(spent)


def most_blocks(client: Any, url: str) -> int:
    """How many blocks (8 kB) the statement of a page reads that reads the most: on a busy machine too, whether its
    cost grows with the table.
    """
    most = [0]

    def explained(execute: Any, text: Any, parameters: Any, many: bool, context: Any) -> Any:
        if str(text).lstrip().startswith(("SELECT", "WITH")):
            execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}", parameters, many, context)
            found = context["cursor"].fetchone()[0]
            plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
            most.append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
        return execute(text, parameters, many, context)

    with connection.execute_wrapper(explained):
        client.get(url)
    return max(most)


def export_memory(client: Any) -> float:
    """How much the process grows while everything is exported, in MB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lines = sum(chunk.count(b"\n") for chunk in client.get("/admin/selfreg/registration/export/").streaming_content)
    print(f"exported {lines} lines", flush=True)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main(rows: int) -> None:
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    began = time.perf_counter()
    fill(rows)
    print(f"filled {rows:,} in {time.perf_counter() - began:.0f} s", flush=True)
    client = signed_in()
    memory = {"export: growth in MB": export_memory(client)}
    own = "/admin/selfreg/registration/"
    urls = {name: query if query.startswith("/") else f"{own}?{query}" for name, query in pages(rows).items()}
    ours = {name: fastest(client, url, ROUNDS) for name, url in urls.items()}
    statements = {name: slowest_statements[url] for name, url in urls.items()}
    blocks = {name: most_blocks(client, url) for name, url in urls.items()}
    stock = {
        name: fastest(
            client, f"/stock/selfreg/registration/?{query.format(last=rows // 100, middle=rows // 2)}", STOCK_ROUNDS
        )
        for name, query in STOCK.items()
    }
    purge(days=2 * FUNNEL_DAYS[-1] + 1)
    for days in FUNNEL_DAYS:
        ours[f"{'*' if days > 1 else ''}funnel, {days} days"] = fastest(
            client, f"{own}funnel/?days={days}", 3, cold=True
        )
    print(json.dumps({"ours": ours, "stock": stock, "memory": memory, "statements": statements, "blocks": blocks}))


def signed_in() -> Client:
    """A browser of somebody who may do everything."""
    person = apps.get_model("auth", "User").objects.create_superuser("bench", "bench@example.com", "bench")
    browser = Client()
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return browser


if __name__ == "__main__":
    main(int(sys.argv[1]))
