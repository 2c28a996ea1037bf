"""A gunicorn worker that is killed during a call to the org, on PostgreSQL."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from benchmarks.bench_load import Ledger, join
from benchmarks.servers import SITE, Site, running_site
from benchmarks.visitor import Visitor

pytestmark = [
    pytest.mark.slow,
    pytest.mark.database,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="several servers need PostgreSQL (DATABASE_URL)"),
]

# Every call that changes something at the org, and the page whose button makes it.
PAGE_OF_CALL = {
    "/interact": "Create your account",
    "/idp/idx/enroll": "Create your account",
    "/enroll/new": "Create your account",
    "/credential/enroll": "Create your account",
    "/challenge/answer": "Check your email",
    "/idp/idx/skip": "Skip for now",
    "/v1/token": "Skip for now",
}
NO_PROBLEMS: dict[str, list[str]] = {"errors": [], "lost": [], "double": [], "unexplained": []}


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of an empty database on the server of the tests, dropped afterwards."""
    configured, name = connection.settings_dict, sql.Identifier(f"selfreg_servers_{os.getpid()}")
    login = f"{configured['USER']}:{configured['PASSWORD']}@".replace(":@", "@") if configured["USER"] else ""
    server = f"postgres://{login}{configured['HOST']}{':' if configured['PORT'] else ''}{configured['PORT']}"
    with closing(psycopg.connect(f"{server}/postgres", autocommit=True)) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield f"{server}/selfreg_servers_{os.getpid()}"
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def make_visitor(site: Site, ledger: Ledger, number: int) -> Visitor:
    email, ip = f"visitor{number}@example.com", f"198.18.0.{number}"
    servers = [server.address for server in site.servers]
    return Visitor(email, ip, SITE, servers, site.org.code, ledger.seen, ledger.took, clumsy=0.0, think_seconds=0.0)


def go_to(visitor: Visitor, page: str) -> Visitor:
    visitor.opens("/signup/")
    while visitor.page.heading != page and page not in [words for f in visitor.page.forms for _, words in f.buttons]:
        assert not visitor.is_signed_in
        visitor.goes_on()
    return visitor


def test_every_sign_up_completes_after_its_worker_was_killed_during_a_call(database: str, tmp_path: Path) -> None:
    """Seven visitors, each in a different call that the org carries out and does not answer before SIGKILL."""
    ledger = Ledger()
    with running_site(database, tmp_path, servers=1, workers=1, threads=12) as site, ThreadPoolExecutor(8) as pool:
        site.org.ask("PATCH", "policy", {"authenticators": {"phone_number": "optional"}})
        people = [make_visitor(site, ledger, number) for number in range(1, 8)]
        # Whoever comes first opens a transaction to see the form; the others get the form from the cache.
        make_visitor(site, ledger, 99).opens("/signup/")
        list(pool.map(go_to, people, PAGE_OF_CALL.values()))
        for person, path in zip(people, PAGE_OF_CALL, strict=True):
            before = len(site.org.ask("GET", f"calls?path={path}"))
            site.org.fail(path, "slow", seconds=60)
            request = pool.submit(person.goes_on)
            while len(site.org.ask("GET", f"calls?path={path}")) == before:
                assert not request.done(), f"{path} was not called"
            (worker,) = site.servers[0].workers()
            site.servers[0].kill(worker)
            request.result(60)
        assert ledger.seen["interrupted"] >= len(PAGE_OF_CALL)
        for person in people:
            person.think_seconds = 1.0
        list(pool.map(lambda person: complete(person, ledger), people))
        call_counts = {
            path: len(site.org.ask("GET", f"calls?path={path}")) for path in ("/enroll/new", "/idp/idx/skip")
        }
        report = join(ledger, site)
    assert report.wrong == NO_PROBLEMS
    assert call_counts == {"/enroll/new": 7, "/idp/idx/skip": 7}


def complete(person: Visitor, ledger: Ledger) -> None:
    until = time.monotonic() + 120
    while not person.is_signed_in:
        assert time.monotonic() < until, f"{person.email} is stuck on {person.page.heading!r}"
        person.goes_on()
    ledger.signed_in.append(person.email)
