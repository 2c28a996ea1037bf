"""The commands as background tasks, run by `manage.py db_worker`."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from okta_devorg import OrgHandle

pytest.importorskip("django_tasks_db")

ROOT = Path(__file__).resolve().parents[2]
ABANDONED = """
from datetime import timedelta
from django.utils import timezone
from selfreg.models import Registration
email, then = "ada@example.com", timezone.now() - timedelta(hours=25)
Registration.objects.bulk_create(
    Registration(status="enrolling", email=email, email_canonical=email, created_at=then, updated_at=then)
    for _ in range({number})
)
"""
RESULTS = """
import json
from django_tasks_db.models import DBTaskResult
for each in DBTaskResult.objects.order_by("enqueued_at"):
    print("=", json.dumps([each.task_path, each.status, each.return_value, each.exception_class_path]))
"""


class Site:
    """A site with its own database, and its worker."""

    def __init__(self, folder: Path, org: OrgHandle) -> None:
        self.database = folder / "db.sqlite3"
        self.environment = os.environ | {
            "ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "support.task_settings",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "DEBUG": "true",
            "ORG_PORT": org.base.rpartition(":")[2],
        }
        self.manage("migrate", "-v", "0")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "manage.py", *arguments]

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            self.command(*arguments), cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run_shell(self, program: str) -> None:
        self.manage("shell", "-v", "0", "-c", program)

    def run_worker(self) -> None:
        """Runs the worker until the queue is empty."""
        self.manage("db_worker", "--batch", "--interval", "0", "--no-startup-delay", "--no-reload")

    def results(self) -> list[Any]:
        lines = self.manage("shell", "-v", "0", "-c", RESULTS).splitlines()
        return [json.loads(line[2:]) for line in lines if line.startswith("= ")]

    def query(self, sql: str) -> Any:
        with closing(sqlite3.connect(self.database, timeout=20)) as connection:
            return connection.execute(sql).fetchone()


@pytest.fixture
def site(tmp_path: Path, org: OrgHandle) -> Site:
    return Site(tmp_path, org)


def test_each_command_has_a_task_that_returns_its_counts(site: Site) -> None:
    site.run_shell(
        ABANDONED.format(number=3) + "\nfrom selfreg import tasks\n"
        "tasks.recover.enqueue(); tasks.erase.enqueue('ada@example.com', with_user=True)\n"
        "tasks.purge.enqueue(limit=5); tasks.doctor.enqueue(); tasks.recover.enqueue(accounts='nonsense')\n"
    )
    site.run_worker()
    recover, erase, purge, doctor, wrong = site.results()
    assert recover[:3] == ["selfreg.tasks.recover", "SUCCESSFUL", {"abandoned: expired": 3}]
    counts = {"erased: registrations": 3, "erased: sessions": 0, "erased: identities": 0, "erased: users": 0}
    assert erase[:3] == ["selfreg.tasks.erase", "SUCCESSFUL", counts]
    assert purge[:3] == ["selfreg.tasks.purge", "SUCCESSFUL", {}]
    assert doctor[:2] == ["selfreg.tasks.doctor", "SUCCESSFUL"]
    assert set(doctor[2]) == {"errors", "warnings"}
    assert wrong[1:] == ["FAILED", None, "django.core.management.base.CommandError"]


def test_a_task_stopped_by_sigterm_records_its_counts_and_leaves_the_other_rows(site: Site) -> None:
    number = 6_000
    site.run_shell(ABANDONED.format(number=number) + "\nfrom selfreg import tasks\ntasks.purge.enqueue()\n")
    command = site.command("db_worker", "--interval", "0", "--no-startup-delay", "--no-reload")
    worker = subprocess.Popen(
        command, cwd=ROOT, env=site.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while site.query("SELECT count(*) FROM selfreg_registration")[0] == number:
        assert time.monotonic() < deadline, "the worker does not start"
    worker.send_signal(signal.SIGTERM)
    _, errors = worker.communicate(timeout=120)
    assert worker.returncode == 0, errors.decode()
    counts, finished_at = site.query("SELECT counts, finished_at FROM selfreg_commandrun")
    (remaining,) = site.query("SELECT count(*) FROM selfreg_registration")
    assert 0 < remaining < number
    assert json.loads(counts) == {"erased: registrations": number - remaining}
    assert finished_at is None
    assert site.results() == [["selfreg.tasks.purge", "FAILED", None, "django.core.management.base.CommandError"]]
