"""A new worker is warmed up: its first request needs no imports, connections or calls that the second does not need."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from okta_devorg import OrgHandle
from support.person import KEYS, SITE
from support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
# What only the first request of a process may need.
ONCE = ("imported", "opened", "compiled", "connected")
WORKER = "import project.wsgi, runpy; runpy.run_path('deploy/gunicorn.conf.py')['post_worker_init'](None)"

pytestmark = pytest.mark.slow


def run(org_base: str, database: str, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a process of the demo site, which must succeed."""
    environment = os.environ | {
        "ENV_FILE": os.devnull, "DJANGO_SETTINGS_MODULE": "project.settings", "DEBUG": "true",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
        "DATABASE_URL": database, "CACHE_URL": "locmemcache://", "BASE_URL": SITE, "ALLOWED_HOSTS": "testserver",
        "ORG": org_base, "OKTA_ISSUER": f"{org_base}/oauth2/default", "OKTA_CLIENT_ID": "0oaLocalDemoApp0000",
        "OKTA_CLIENT_SECRET": "local-demo-secret-not-for-production", "SELFREG_ENCRYPTION_KEYS": KEYS[0],
    } | variables  # fmt: skip
    completed = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stderr
    return completed


@pytest.fixture(scope="module")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("migrated") / "db.sqlite3"
    run("http://127.0.0.1:1", f"sqlite:///{file}", "manage.py", "migrate", "--verbosity", "0", "--skip-checks")
    return file


@pytest.fixture
def database(migrated_file: Path, tmp_path: Path) -> str:
    """The URL of a new database with all tables."""
    return f"sqlite:///{shutil.copy(migrated_file, tmp_path)}"


def two_visits(org: OrgHandle, database: str, *options: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The sign-up requests of two visitors, without the demo's home page; see ``support.first_visitor``."""
    first, second = json.loads(run(org.base, database, "-m", "support.first_visitor", *options).stdout)
    return [r for r in first if "/signup/" in r["what"]], [r for r in second if "/signup/" in r["what"]]


def test_the_first_visitor_of_a_warm_worker_needs_no_extra_work(org: OrgHandle, database: str) -> None:
    first, second = two_visits(org, database)
    assert [request["what"] for request in first][:2] == ["GET /signup/", "POST /signup/"]
    assert len(first) > 5
    assert {(r["what"], kind): r[kind] for r in first for kind in ONCE if r[kind]} == {}
    assert [(r["what"], r["sent"]) for r in first] == [(r["what"], r["sent"]) for r in second]


def test_the_first_visitor_of_a_cold_worker_needs_all_extra_work(org: OrgHandle, database: str) -> None:
    """Proves that the test above can fail."""
    first, second = two_visits(org, database, "--cold")
    assert [kind for kind in ONCE if not first[0][kind]] == []
    assert first[0]["sent"] > second[0]["sent"] == 0


def test_a_worker_starts_while_org_and_database_are_unreachable() -> None:
    closed_address = f"127.0.0.1:{free_port()}"
    completed = run(
        f"http://{closed_address}", f"postgres://site:secret-of-the-database@{closed_address}/site", "-c", WORKER
    )
    skipped = [line.partition("Left for the first visitor: ")[2] for line in completed.stderr.splitlines()]
    assert [line for line in skipped if line] == [
        "database (OperationalError)", "keys (OrgUnreachable)", "form (OrgUnreachable)",
    ]  # fmt: skip
    assert "secret-of-the-database" not in completed.stderr


@pytest.mark.parametrize("proxies", ["0", "1", "2"])
def test_a_worker_logs_nothing_at_a_successful_start(org: OrgHandle, database: str, proxies: str) -> None:
    """Including the worker's own request of the first page, with any number of trusted proxies."""
    assert run(org.base, database, "-W", "ignore", "-c", WORKER, TRUSTED_PROXIES=proxies).stderr == ""
