"""The command `python -m okta_devorg`."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from okta_devorg import running_org
from support.local_org.org_journey import ADA, PASSWORD, Journey

COMMAND = [sys.executable, "-m", "okta_devorg"]


@contextmanager
def process(*arguments: str, expected: str = "this machine only") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Runs the command, and yields the base URL from its banner and the process."""
    with subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout
        banner = ""
        while "Ctrl-C" not in banner:
            line = started.stdout.readline()
            assert line, started.stderr and started.stderr.read()
            banner += line
        base = re.search(r"mailbox\s+(http://\S+)/", banner)
        assert base
        assert expected in banner
        yield base[1], started
        started.kill()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_its_url_and_stops_quietly_on_a_signal(sent: signal.Signals) -> None:
    with process("--site", "http://127.0.0.1:8123") as (base, started):
        app = requests.get(base + "/_devorg/policy", timeout=60).json()["apps"][0]
        assert app["redirect_uris"] == ["http://127.0.0.1:8123/oidc/callback/"]
        started.send_signal(sent)
        _, errors = started.communicate(timeout=60)
        assert (started.returncode, errors) == (0, "")


# Ctrl-C reaches it, and what started it asks for the end while it is ending.
SIGNALLED_TWICE = """
import os, signal, sys
from okta_devorg import __main__ as command
make_org = command.make_org

def make_org_that_is_signalled_twice(*args, **options):
    org, server = make_org(*args, **options)
    close = server.server_close
    server.serve_forever = lambda: os.kill(os.getpid(), signal.SIGINT)
    server.server_close = lambda: (os.kill(os.getpid(), signal.SIGTERM), close())
    return org, server

command.make_org = make_org_that_is_signalled_twice
sys.argv = ["okta_devorg", "--port", "0"]
sys.exit(command.main())
"""


def test_a_second_signal_during_the_shutdown_is_ignored() -> None:
    result = subprocess.run(
        [sys.executable, "-c", SIGNALLED_TWICE], capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    "code", ["runpy.run_module('okta_devorg', run_name='__main__')", "__import__('okta_devorg').running_org"]
)
def test_a_missing_dependency_is_reported_with_the_package_to_install(code: str) -> None:
    script = f"import runpy, sys; sys.modules['flask'] = sys.modules['werkzeug'] = None; {code}"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert re.search(r'(flask|werkzeug)\S* is not installed: pip install "django-selfreg\[devorg\]"$', last)


def test_a_busy_port_is_reported_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        result = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert result.stdout == ""
    assert re.fullmatch(rf"okta_devorg: cannot listen on 127\.0\.0\.1:{port}: .+\n", result.stderr)


def test_a_data_file_keeps_users_over_restarts_without_plain_passwords(tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    with running_org(data=file) as org:
        journey = Journey(org).signed_up()
        journey.close()
    assert PASSWORD not in file.read_text("utf-8")
    assert [entry.name for entry in tmp_path.iterdir()] == ["people.json"]
    with running_org(data=file) as org:
        assert [(user.login, user.status) for user in org.users] == [(ADA["email"], "ACTIVE")]
        journey = Journey(org).to_profile()
        journey.enroll_profile()
        assert journey.keys == ["registration.error.notUniqueWithinOrg"]
        journey.close()


def test_an_invalid_data_file_is_reported_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    file.write_text("{", "utf-8")
    result = subprocess.run(
        [*COMMAND, "--port", "0", "--data", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 1
    assert result.stderr == f"okta_devorg: {file} is not a file of users\n"


def own_address() -> str:
    """An address of this machine other than loopback, determined without sending a packet."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but its own")
        return str(probe.getsockname()[0])


def test_on_a_public_interface_the_api_token_is_random_and_the_pages_are_refused() -> None:
    host, tokens = own_address(), set()
    for _ in range(2):
        with process("--host", "0.0.0.0", expected="others can reach it") as (base, started):
            port = base.rpartition(":")[2]
            token = requests.get(base + "/_devorg/policy", timeout=60).json()["api_token"]
            tokens.add(token)
            users = f"http://{host}:{port}/api/v1/users"
            for offered, status in ((token, 200), ("local-api-token-not-for-production", 401)):
                headers = {"Authorization": f"SSWS {offered}"}
                assert requests.get(users, headers=headers, timeout=60).status_code == status
            for path in ("/", "/_devorg/policy", "/calls"):
                assert requests.get(f"http://{host}:{port}{path}", timeout=60).status_code == 403
            requests.post(base + "/_devorg/reset", timeout=60)
            assert requests.get(base + "/_devorg/policy", timeout=60).json()["api_token"] == token
            started.kill()
    assert len(tokens) == 2
