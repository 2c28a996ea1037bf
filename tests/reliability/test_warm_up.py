"""A fresh worker: whoever comes first waits for nothing that the second does not wait for, too."""

import json
import os
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


def run(org_base: str, database: str, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A process of the demo site, which ends well."""
    environment = os.environ | {
        "ENV_FILE": os.devnull, "DJANGO_SETTINGS_MODULE": "project.settings", "DEBUG": "true",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
        "DATABASE_URL": database, "CACHE_URL": "locmemcache://", "BASE_URL": SITE, "ALLOWED_HOSTS": "testserver",
        "ORG": org_base, "OKTA_ISSUER": f"{org_base}/oauth2/default", "OKTA_CLIENT_ID": "0oaLocalDemoApp0000",
        "OKTA_CLIENT_SECRET": "local-demo-secret-not-for-production", "SELFREG_ENCRYPTION_KEYS": KEYS[0],
    } | more  # fmt: skip
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def two_visits(org: OrgHandle, folder: Path, *options: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The requests of two people to the sign-up, see ``support.first_visitor``. The demo's home page is left out."""
    database = f"sqlite:///{folder}/db.sqlite3"
    run(org.base, database, "manage.py", "migrate", "--verbosity", "0", "--skip-checks")
    first, second = json.loads(run(org.base, database, "-m", "support.first_visitor", *options).stdout)
    return [r for r in first if "/signup/" in r["what"]], [r for r in second if "/signup/" in r["what"]]


def test_the_first_visitor_of_a_worker_waits_for_nothing_that_the_second_does_not(
    org: OrgHandle, tmp_path: Path
) -> None:
    first, second = two_visits(org, tmp_path)
    assert [request["what"] for request in first][:2] == ["GET /signup/", "POST /signup/"]
    assert len(first) > 5
    assert {(r["what"], kind): r[kind] for r in first for kind in ONCE if r[kind]} == {}
    assert [(r["what"], r["sent"]) for r in first] == [(r["what"], r["sent"]) for r in second]


def test_a_worker_that_was_not_warmed_up_lets_its_first_visitor_wait_for_all_of_it(
    org: OrgHandle, tmp_path: Path
) -> None:
    """What the other test looks for is there to be found."""
    first, second = two_visits(org, tmp_path, "--cold")
    assert [kind for kind in ONCE if not first[0][kind]] == []
    assert first[0]["sent"] > second[0]["sent"] == 0


def test_a_worker_starts_while_org_and_database_are_away() -> None:
    nobody = f"127.0.0.1:{free_port()}"
    done = run(f"http://{nobody}", f"postgres://site:secret-of-the-database@{nobody}/site", "-c", WORKER)
    left = [line.partition("Left for the first visitor: ")[2] for line in done.stderr.splitlines()]
    assert [line for line in left if line] == [
        "database (OperationalError)", "keys (OrgUnreachable)", "form (OrgUnreachable)",
    ]  # fmt: skip
    assert "secret-of-the-database" not in done.stderr


@pytest.mark.parametrize("proxies", ["0", "1", "2"])
def test_nothing_is_logged_where_all_is_well(org: OrgHandle, tmp_path: Path, proxies: str) -> None:
    """Neither of the worker's own visit to the first page, behind however many proxies."""
    database = f"sqlite:///{tmp_path}/db.sqlite3"
    run(org.base, database, "manage.py", "migrate", "--verbosity", "0", "--skip-checks")
    assert run(org.base, database, "-W", "ignore", "-c", WORKER, TRUSTED_PROXIES=proxies).stderr == ""
