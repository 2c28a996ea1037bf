"""The local org and the site as they run in earnest: processes of their own, several gunicorns before one database."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from benchmarks.cluster.machines import Machine

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
SITE = "https://signup.example"
# For a machine that has other things to do; a server stops within its graceful_timeout.
START_SECONDS, STOP_SECONDS = 120, 40
# Made up. The second server has them the other way round, as in the middle of a rotation.
KEYS = ("Qrkg8nFzccdX1emOMx3QJt1qQR3_U3WDXV5gEBNGhRY=", "o1usH0IPyNvWPLLhwfUKptenTuHIDPCtWfrDLDkmz2c=")


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
    """One gunicorn with several workers.

    :param address: ``http://host:port``
    :param machine: where it runs, if that is not this one
    """

    address: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    machine: "Machine | None" = None

    def __post_init__(self) -> None:
        self.run()

    def run(self) -> None:
        """Starts it, also again, and returns when it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        wait_for(self.process, f"{self.address}/signup/health/ready", Host=SITE.removeprefix("https://"))

    def workers(self) -> list[int]:
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], check=False, capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    @staticmethod
    def kill(worker: int) -> None:
        """As a machine does that is out of memory: nothing after this runs."""
        with suppress(ProcessLookupError):  # it ended by itself meanwhile
            os.kill(worker, signal.SIGKILL)

    def die(self) -> None:
        """Everything of it, at once."""
        workers = self.workers()
        self.process.kill()
        self.process.wait()
        for worker in workers:
            self.kill(worker)

    def reload(self) -> None:
        """New workers with the code of now; the old ones end what they are at."""
        self.process.send_signal(signal.SIGHUP)

    def restart(self) -> None:
        """Ends what it is at, and starts again."""
        end(self.process)
        self.run()


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

    def start(self, workers: int, threads: int, machine: "Machine | None" = None, **more: str) -> Server:
        """One more server, as ``deploy/gunicorn.conf.py`` has it."""
        address = f"{machine.address if machine else HOST}:{free_port()}"
        environment = self.environment | {
            "BIND": address, "WEB_CONCURRENCY": str(workers), "WEB_THREADS": str(threads), "ACCESS_LOG": os.devnull,
            "PROMETHEUS_MULTIPROC_DIR": str(self.log.parent / f"metrics-{len(self.servers)}"),
        }  # fmt: skip
        command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--no-control-socket"]
        command += ["project.wsgi"]
        placed = machine.command(*command) if machine else command
        server = Server(f"http://{address}", placed, environment | more, self.log, machine)
        self.servers.append(server)
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


def wait_for_port(address: str, port: int) -> None:
    """Returns when something listens there."""
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection((address, port), 5).close()
            return
        except OSError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)


def end_all(servers: list[Server]) -> None:
    for server in servers:
        end(server.process)


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
        stack.callback(end_all, site.servers)
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
