"""The scheduled commands `selfreg_recover`, `selfreg_purge` and `selfreg_erase`, and warnings if they do not run."""

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg.checks import operations
from selfreg.management import progress
from selfreg.management.commands import selfreg_purge
from selfreg.models import CommandRun, Registration, RegistrationEvent
from selfreg.registration import endings, recovery, retention
from selfreg.statuses import Status
from support.person import Person

pytestmark = pytest.mark.database

ROOT = Path(__file__).resolve().parents[2]


def run_command(command: str, *arguments: str, terminal: bool = False) -> str:
    output = io.StringIO()
    output.isatty = lambda: terminal  # type: ignore[method-assign]
    call_command(command, *arguments, stdout=output, stderr=output)
    return output.getvalue()


def create_abandoned(number: int, hours: float = 25) -> None:
    then = timezone.now() - timedelta(hours=hours)
    Registration.objects.bulk_create(
        Registration(issuer="https://org.example", status=Status.ENROLLING, created_at=then, updated_at=then)
        for _ in range(number)
    )


@pytest.fixture
def in_doubt(person: Person, org: OrgHandle) -> Person:
    person.opens_the_sign_up().submits_profile()
    Registration.objects.update(busy_until=timezone.now() - timedelta(seconds=1))
    return person


def test_dry_runs_change_nothing(db: None, in_doubt: Person, org: OrgHandle) -> None:
    create_abandoned(3)
    calls = len(org.calls())
    assert run_command("selfreg_recover", "--dry-run").splitlines() == ["in doubt: 1", "abandoned: 3"]
    assert run_command("selfreg_purge", "--dry-run").strip() == "would erase 3 and reduce 0 registrations"
    erased = run_command("selfreg_erase", "--dry-run", in_doubt.email)
    assert erased.strip() == "would erase 1 registrations, 1 of them open"
    assert Registration.objects.open().count() == 4
    assert len(org.calls()) == calls
    assert not CommandRun.objects.exists()


def test_a_limit_leaves_the_other_rows_to_the_next_run(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "BATCH", 2)
    create_abandoned(7)
    assert "abandoned: 5 expired" in run_command("selfreg_recover", "--limit", "5")
    assert "abandoned: 2 expired" in run_command("selfreg_recover")
    Registration.objects.update(finished_at=timezone.now() - timedelta(hours=25))
    assert "erased 5 registrations" in run_command("selfreg_purge", "--limit", "5", "--batch", "2")
    assert Registration.objects.count() == 2


@pytest.mark.parametrize("command", ["selfreg_recover", "selfreg_purge", "selfreg_erase ada@example.com"])
def test_verbosity_0_prints_nothing(db: None, command: str) -> None:
    create_abandoned(2)
    assert run_command(*command.split(), "-v", "0", terminal=True) == ""


def test_a_progress_bar_is_only_shown_in_a_terminal(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "REDRAW_SECONDS", 0.0)
    create_abandoned(4)
    assert "[##############################] 4 of 4" in run_command("selfreg_recover", terminal=True)
    assert "\r" not in run_command("selfreg_recover")


def test_recover_exits_with_tempfail_if_the_org_does_not_answer(in_doubt: Person, org: OrgHandle) -> None:
    org.fail("/introspect", "status", status=503, times=9)
    with pytest.raises(CommandError, match="didn't answer for 1 registrations") as failure:
        run_command("selfreg_recover")
    assert failure.value.returncode == os.EX_TEMPFAIL


@pytest.mark.django_db(transaction=True)
def test_recover_reports_its_counts_if_the_database_fails() -> None:
    create_abandoned(3)
    left = [1]

    def refuse(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        if "selfreg_registrationevent" in statement and statement.startswith("INSERT"):
            left[0] -= 1
            if left[0] < 0:
                raise OperationalError("terminating connection due to administrator command")
        return execute(statement, *rest)

    with (
        connection.execute_wrapper(refuse),
        pytest.raises(CommandError, match=r"failed .*abandoned: expired") as failure,
    ):
        run_command("selfreg_recover")
    assert failure.value.returncode == os.EX_TEMPFAIL


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_recover_records_its_counts(db: None, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """The current row is finished and counted, so that the record is exact."""
    create_abandoned(5)
    calls, real = [0], endings.expire

    def expire(attempt: Any) -> Any:
        if calls[0] == 2:
            os.kill(os.getpid(), number)
        calls[0] += 1
        return real(attempt)

    monkeypatch.setattr(endings, "expire", expire)
    with pytest.raises(CommandError, match="stopped; so far: 3 abandoned: expired") as stopped:
        run_command("selfreg_recover")
    assert stopped.value.returncode == 128 + number
    run = CommandRun.objects.get()
    assert (run.counts, run.finished_at) == ({"abandoned: expired": 3}, None)
    assert Registration.objects.filter(status=Status.EXPIRED).count() == 3
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_second_signal_stops_recover_without_finishing_the_row(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    create_abandoned(2)

    def hang(attempt: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("the signal did not stop it")

    monkeypatch.setattr(endings, "expire", hang)
    with pytest.raises(CommandError, match="stopped; so far: none") as stopped:
        run_command("selfreg_recover")
    assert stopped.value.returncode == 130


def test_a_stopped_purge_records_its_batches(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    create_abandoned(7)
    real = retention.erase

    def erase(*arguments: Any) -> Any:
        for size in real(*arguments):
            os.kill(os.getpid(), signal.SIGTERM)
            yield size

    monkeypatch.setattr(selfreg_purge, "STEPS", (replace(selfreg_purge.STEPS[0], work=erase),))
    with pytest.raises(CommandError, match="so far: 3 erased: registrations"):
        run_command("selfreg_purge", "--batch", "3")
    assert CommandRun.objects.get().counts == {"erased: registrations": 3}
    assert Registration.objects.count() == 4


@pytest.mark.parametrize("options", [["--limit", "0"], ["--limit", "many"], ["--batch", "-1"]])
def test_invalid_numbers_in_options_are_refused(options: list[str]) -> None:
    with pytest.raises(CommandError, match="is not a number above zero"):
        call_command("selfreg_purge", *options)


def test_missing_timers_are_reported_by_ready_and_by_a_check(
    db: None, client: Client, configure: Callable[..., None]
) -> None:
    create_abandoned(1, hours=30)
    assert client.get("/signup/health/ready").json() == {"status": "degraded", "missing": [], "degraded": ["timers"]}
    assert [m.id for m in operations.check_timers()] == ["selfreg.W032"] * 2
    run_command("selfreg_recover", "-v", "0")
    run_command("selfreg_purge", "-v", "0")
    assert client.get("/signup/health/ready").json()["status"] == "ok"
    assert operations.check_timers() == []
    CommandRun.objects.filter(command="selfreg_recover").update(finished_at=timezone.now() - timedelta(hours=2))
    create_abandoned(1, hours=30)
    (message,) = operations.check_timers()
    assert "selfreg_recover last ran on" in message.msg


def test_missing_timers_are_not_reported_on_a_new_site(db: None, client: Client) -> None:
    create_abandoned(1, hours=0.5)
    assert client.get("/signup/health/ready").json()["status"] == "ok"


# ---- pgbouncer

PGBOUNCER = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 100
ignore_startup_parameters = extra_float_digits,options
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="pgbouncer is for PostgreSQL")
def test_three_concurrent_recover_runs_through_pgbouncer_expire_all_rows(tmp_path: Path, free_port: int) -> None:
    """In transaction mode the server connection can change after each commit."""
    pgbouncer = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    if not Path(pgbouncer).exists():
        pytest.skip("pgbouncer is not installed")
    create_abandoned(600)
    configured = connection.settings_dict
    config = tmp_path / "pgbouncer.ini"
    host, port, user = configured["HOST"] or "127.0.0.1", configured["PORT"] or 5432, configured["USER"] or "postgres"
    config.write_text(PGBOUNCER.format(host=host, port=port, user=user, listen=free_port))
    tmp_path.chmod(0o755)
    as_user = ["-u", "postgres"] if os.getuid() == 0 else []
    bouncer = subprocess.Popen([pgbouncer, *as_user, str(config)], stderr=subprocess.DEVNULL)
    try:
        wait_for_port(free_port)
        environment = os.environ | {
            "DATABASE_URL": f"postgres://{user}:{configured['PASSWORD']}@127.0.0.1:{free_port}/{configured['NAME']}",
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "DEBUG": "true",
        }
        command = [sys.executable, "manage.py", "selfreg_recover"]
        runs = [
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for _ in range(3)
        ]
        outputs = [run.communicate(timeout=300)[0].decode() for run in runs]
    finally:
        bouncer.terminate()
        bouncer.wait()
    assert [run.returncode for run in runs] == [0, 0, 0], outputs
    assert Registration.objects.open().count() == 0
    assert RegistrationEvent.objects.filter(kind="expired").count() == 600


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"no server listens on {port}")


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
