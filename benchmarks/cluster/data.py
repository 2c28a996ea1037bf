"""A PostgreSQL and a Redis for one run, which may be stopped, restarted and thrown away."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from benchmarks.cluster.machines import Machine
from benchmarks.servers import START_SECONDS, end, free_port

# No run is worth a write that survives a loss of power.
OPTIONS = {"fsync": "off", "max_connections": "200", "unix_socket_directories": "", "shared_buffers": "64MB"}


def binary(name: str) -> str:
    """The path of a program of PostgreSQL, which Debian keeps out of PATH; "" if there is none."""
    found = shutil.which(name) or next(iter(sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))[::-1]), "")
    return str(found)


@dataclass
class PostgreSQL:
    """One server with an empty database ``site``."""

    machine: Machine
    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgres://site@{self.machine.address}:{self.port}/site"

    def connect(self, database: str = "site") -> psycopg.Connection:
        """A connection whose statements are committed at once.

        :raises psycopg.OperationalError: it does not answer
        """
        host = self.machine.address
        return psycopg.connect(
            host=host, port=self.port, user="site", dbname=database, connect_timeout=3, autocommit=True
        )

    def start(self) -> None:
        """Returns when it answers."""
        options = [f"-c{name}={value}" for name, value in OPTIONS.items()]
        address = ["-h", self.machine.address, "-p", str(self.port)]
        command = [*without_root(), binary("postgres"), "-D", str(self.folder), *address, *options]
        with (self.folder.parent / "postgresql.log").open("ab") as log:
            self.process = subprocess.Popen(self.machine.command(*command), stdout=log, stderr=log)
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect("postgres").close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > give_up or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        """As a restart does: everybody is cut off, what was committed stays."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGINT)
            self.process.wait(START_SECONDS)


@contextmanager
def running_postgresql(machine: Machine) -> Iterator[PostgreSQL]:
    """With its data in a folder of its own: root may not run it, so it belongs to somebody else."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir()
        if os.geteuid() == 0:
            shutil.chown(data, "postgres", "postgres")
        subprocess.run(
            [*without_root(), binary("initdb"), "-D", str(data), "-U", "site", "-A", "trust", "--no-sync"],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 0.0.0.0/0 trust\n")
        server = PostgreSQL(machine, free_port(), data)
        try:
            server.start()
            with server.connect("postgres") as connection:
                connection.execute("CREATE DATABASE site")
            yield server
        finally:
            server.stop()


def without_root() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


@dataclass
class Redis:
    """One server that keeps nothing."""

    url: str
    process: subprocess.Popen[bytes]

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Takes connections and says nothing."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def running_redis(machine: Machine, log: Path) -> Iterator[Redis]:
    port = free_port()
    options = ["--bind", machine.address, "--port", str(port), "--save", "", "--protected-mode", "no"]
    with log.open("ab") as said:
        process = subprocess.Popen(machine.command("redis-server", *options), stdout=said, stderr=said)
    try:
        client = redis.Redis(machine.address, port)
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                if time.monotonic() > give_up or process.poll() is not None:
                    raise
                time.sleep(0.05)
        client.close()
        yield Redis(f"redis://{machine.address}:{port}/0", process)
    finally:
        end(process)
