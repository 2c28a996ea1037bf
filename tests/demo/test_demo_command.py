"""`python -m project.demo`: both servers in one process group, on free ports, with data in a temporary folder."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent.parent
# The same time-out as that of the demo itself, because a busy machine is slow.
START_SECONDS = 300
pytestmark = pytest.mark.slow

Demo = subprocess.Popen[str]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def ports() -> dict[str, str]:
    return {"PORT": free_port(), "ORG_PORT": free_port()}


@pytest.fixture
def start(ports: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], Demo]]:
    started: list[Demo] = []

    def start_demo() -> Demo:
        # Without a developer's own settings, but with the variables of `make coverage`.
        environment = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME") or k.startswith("COVERAGE_")}
        data = {"DATABASE_URL": f"sqlite:///{tmp_path}/demo.sqlite3", "ORG_DATA": f"{tmp_path}/org.json"}
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "project.demo"],
                cwd=ROOT,
                env={"ENV_FILE": os.devnull, **environment, **data, **ports},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        )
        return started[-1]

    yield start_demo
    for demo in started:
        if demo.poll() is None:
            os.killpg(demo.pid, signal.SIGKILL)
        demo.communicate()


def read_until(demo: Demo, text: str) -> str:
    """Return the output up to the line with the text, or all of it if the demo ended before."""
    assert demo.stdout
    lines: list[str] = []
    for line in demo.stdout:
        lines.append(line)
        if text in line:
            break
    return "".join(lines)


def wait_until_refused(port: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))):
                return
    pytest.fail(f"something still answers on port {port}")


def test_both_servers_respond_when_their_urls_are_printed(start: Callable[[], Demo], ports: dict[str, str]) -> None:
    output = read_until(start(), "Ctrl-C stops the demo")
    site, org = f"http://127.0.0.1:{ports['PORT']}/", f"http://127.0.0.1:{ports['ORG_PORT']}/"
    assert site in output
    assert org in output
    assert "admin / admin" in output
    assert requests.get(site, timeout=60).status_code == 200
    assert requests.get(f"{org}_devorg/policy", timeout=60).status_code == 200


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_stop_both_servers_without_a_traceback(
    start: Callable[[], Demo], ports: dict[str, str], stop: signal.Signals
) -> None:
    demo = start()
    read_until(demo, "Ctrl-C stops the demo")
    demo.send_signal(stop)
    output, _ = demo.communicate(timeout=START_SECONDS)
    assert demo.returncode == 0
    assert "Traceback" not in output
    wait_until_refused(ports["PORT"])
    wait_until_refused(ports["ORG_PORT"])


@pytest.mark.parametrize("variable", ["PORT", "ORG_PORT"])
def test_busy_port_is_reported_with_the_variable_that_changes_it(
    start: Callable[[], Demo], ports: dict[str, str], variable: str
) -> None:
    with socket.socket() as other_socket:
        other_socket.bind(("127.0.0.1", int(ports[variable])))
        other_socket.listen()
        demo = start()
        output, _ = demo.communicate(timeout=START_SECONDS)
    assert demo.returncode == 1
    assert f"port {ports[variable]} is not free" in output
    assert f"make demo {variable}=" in output
    assert "Traceback" not in output
