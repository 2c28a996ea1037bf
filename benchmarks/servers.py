"""The local org and the site as they run in earnest: processes of their own, several gunicorns before one database."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
SITE = "https://signup.example"
START_SECONDS, STOP_SECONDS = 30, 15
# Made up. The second server has them the other way round, as in the middle of a rotation.
KEYS = ("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY=")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class LocalOrg:
    """An org in its own process, and what its control API says."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def base(self) -> str:
        return f"http://{HOST}:{self.port}"

    def ask(self, method: str, path: str, body: object = None, timeout: float = 30) -> Any:
        answer = requests.request(method, f"{self.base}/_devorg/{path}", json=body, timeout=timeout)
        answer.raise_for_status()
        return answer.json()

    def fail(self, path: str, kind: str, **more: Any) -> None:
        self.ask("POST", "faults", {"path": path, "kind": kind, **more})

    def is_well(self) -> None:
        self.ask("DELETE", "faults")

    def code(self, to: str) -> str:
        """The newest code sent there; "" when there is none."""
        return next((m["code"] for m in self.ask("GET", f"messages?to={to}") if m["code"]), "")

    @contextmanager
    def away(self) -> Iterator[None]:
        """Takes connections and says nothing, as a machine that hangs. What it was sent meanwhile it does later."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@dataclass
class Server:
    """One gunicorn with several workers."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    def workers(self) -> list[int]:
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], check=False, capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    def kill(self, worker: int) -> None:
        """As a machine does that is out of memory: nothing after this runs."""
        os.kill(worker, signal.SIGKILL)

    def reload(self) -> None:
        """New workers with the code of now; the old ones end what they are at."""
        self.process.send_signal(signal.SIGHUP)


class Site:
    """The demo site in production's settings, on several servers.

    :param database: a DATABASE_URL, of an empty database
    :param more: environment variables
    """

    def __init__(self, org: LocalOrg, database: str, log: Path, **more: str) -> None:
        self.org, self.log, self.servers = org, log, list[Server]()
        shown = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
        self.environment = {name: value for name, value in os.environ.items() if name not in shown} | {
            "ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "benchmarks.load_settings",
            "DEBUG": "false",
            "BASE_URL": SITE,
            "ALLOWED_HOSTS": SITE.removeprefix("https://"),
            "TRUSTED_PROXIES": "1",
            "SECRET_KEY": "made-up-for-one-run-of-a-load-that-nobody-signs-in-to-afterwards",
            "SELFREG_ENCRYPTION_KEYS": ",".join(KEYS),
            "DATABASE_URL": database,
            "ORG_PORT": str(org.port),
            **more,
        }

    def manage(self, *command: str) -> str:
        """Runs `manage.py` and returns what it says."""
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return done.stdout

    def rows(self, model: str) -> list[dict[str, Any]]:
        """Every row of a table, by field."""
        return [{"pk": row["pk"], **row["fields"]} for row in json.loads(self.manage("dumpdata", model))]

    def start(self, workers: int, threads: int, **more: str) -> Server:
        """One more server."""
        port = free_port()
        options = [
            *("project.wsgi", "--bind", f"{HOST}:{port}", "--workers", str(workers), "--worker-class", "gthread"),
            *("--threads", str(threads), "--graceful-timeout", "15", "--log-level", "warning", "--no-control-socket"),
        ]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", *options],
                cwd=ROOT, env=self.environment | more, stdout=log, stderr=log,
            )  # fmt: skip
        server = Server(port, process)
        self.servers.append(server)
        wait_for(process, f"{server.address}/signup/health/ready", Host=SITE.removeprefix("https://"))
        return server


def wait_for(process: subprocess.Popen[bytes], url: str, **headers: str) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise RuntimeError(f"ended with {process.returncode} instead of answering at {url}")
        try:
            answer = requests.get(url, headers={"X-Forwarded-Proto": "https", **headers}, timeout=5)
        except requests.RequestException:
            time.sleep(0.05)
        else:
            answer.raise_for_status()
            return
    raise RuntimeError(f"no answer at {url} in {START_SECONDS} seconds")


@contextmanager
def running_site(
    database: str, folder: Path, *, servers: int = 2, workers: int = 2, threads: int = 4, **more: str
) -> Iterator[Site]:
    """An org, and the site on so many servers, migrated; all ended with the block. Their log is in ``folder``."""
    with ExitStack() as stack:
        port = free_port()
        command = [sys.executable, "-m", "okta_devorg", "--port", str(port), "--site", SITE]
        log = folder / "servers.log"
        with log.open("ab") as said:
            process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
        stack.callback(end, process)
        org = LocalOrg(port, process)
        site = Site(org, database, log, **more)
        wait_for(process, f"{org.base}/_devorg/policy")
        site.manage("migrate", "--verbosity", "0")
        site.manage("createcachetable")
        stack.callback(lambda: [end(server.process) for server in site.servers])
        for number in range(servers):
            keys = KEYS if number % 2 == 0 else KEYS[::-1]
            site.start(workers, threads, SELFREG_ENCRYPTION_KEYS=",".join(keys))
        yield site


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGCONT)
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
