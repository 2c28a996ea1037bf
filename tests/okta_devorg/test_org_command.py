"""The org as a process of its own."""

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
def process(*arguments: str, told: str = "this machine only") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The base URL from the banner, and the process."""
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
        assert told in banner
        yield base[1], started
        started.kill()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_stops_quietly(sent: signal.Signals) -> None:
    with process("--site", "http://127.0.0.1:8123") as (base, started):
        app = requests.get(base + "/_devorg/policy", timeout=5).json()["apps"][0]
        assert app["redirect_uris"] == ["http://127.0.0.1:8123/oidc/callback/"]
        started.send_signal(sent)
        _, errors = started.communicate(timeout=5)
        assert (started.returncode, errors) == (0, "")


# Ctrl-C reaches it, and what started it asks for the end while it is ending.
TOLD_TWICE = """
import os, signal, sys
from okta_devorg import __main__ as command
make_org = command.make_org

def make_org_that_is_told_twice(*args, **options):
    org, server = make_org(*args, **options)
    close = server.server_close
    server.serve_forever = lambda: os.kill(os.getpid(), signal.SIGINT)
    server.server_close = lambda: (os.kill(os.getpid(), signal.SIGTERM), close())
    return org, server

command.make_org = make_org_that_is_told_twice
sys.argv = ["okta_devorg", "--port", "0"]
sys.exit(command.main())
"""


def test_told_twice_to_stop_it_stops_as_quietly() -> None:
    ended = subprocess.run([sys.executable, "-c", TOLD_TWICE], capture_output=True, text=True, timeout=10, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    "used", ["runpy.run_module('okta_devorg', run_name='__main__')", "__import__('okta_devorg').running_org"]
)
def test_without_what_it_is_made_with_it_says_what_to_install(used: str) -> None:
    script = f"import runpy, sys; sys.modules['flask'] = sys.modules['werkzeug'] = None; {used}"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=10, check=False)
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert re.search(r'(flask|werkzeug)\S* is not installed: pip install "django-selfreg\[devorg\]"$', last)


def test_a_busy_port_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        ended = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=10, check=False)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert re.fullmatch(rf"okta_devorg: cannot listen on 127\.0\.0\.1:{port}: .+\n", ended.stderr)


def test_with_a_file_people_outlive_the_org_and_passwords_are_not_in_it(tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    with running_org(data=file) as org:
        journey = Journey(org).signed_up()
        journey.close()
    assert PASSWORD not in file.read_text("utf-8")
    assert [found.name for found in tmp_path.iterdir()] == ["people.json"]
    with running_org(data=file) as org:
        assert [(user.login, user.status) for user in org.users] == [(ADA["email"], "ACTIVE")]
        journey = Journey(org).to_profile()
        journey.enroll_profile()
        assert journey.keys == ["registration.error.notUniqueWithinOrg"]
        journey.close()


def test_a_file_that_is_none_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    file.write_text("{", "utf-8")
    ended = subprocess.run(
        [*COMMAND, "--port", "0", "--data", str(file)], capture_output=True, text=True, timeout=10, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr == f"okta_devorg: {file} is not a file of users\n"


def own_address() -> str:
    """An address of this machine that is not loopback; nothing is sent to find it out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but its own")
        return str(probe.getsockname()[0])


def test_open_to_others_its_api_token_is_new_in_each_run_and_its_pages_stay_shut() -> None:
    host, tokens = own_address(), set()
    for _ in range(2):
        with process("--host", "0.0.0.0", told="others can reach it") as (base, started):
            port = base.rpartition(":")[2]
            token = requests.get(base + "/_devorg/policy", timeout=5).json()["api_token"]
            tokens.add(token)
            users = f"http://{host}:{port}/api/v1/users"
            for offered, status in ((token, 200), ("local-api-token-not-for-production", 401)):
                headers = {"Authorization": f"SSWS {offered}"}
                assert requests.get(users, headers=headers, timeout=5).status_code == status
            for path in ("/", "/_devorg/policy", "/calls"):
                assert requests.get(f"http://{host}:{port}{path}", timeout=5).status_code == 403
            requests.post(base + "/_devorg/reset", timeout=5)
            assert requests.get(base + "/_devorg/policy", timeout=5).json()["api_token"] == token
            started.kill()
    assert len(tokens) == 2
