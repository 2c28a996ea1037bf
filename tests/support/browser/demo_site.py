"""The demo site in its own process, with its real content security policy, threads and database."""

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from okta_devorg import OrgHandle

ROOT = Path(__file__).resolve().parents[3]


class Site:
    """The running demo site."""

    def __init__(self, url: str, database: Path, environment: dict[str, str]) -> None:
        self.url, self.database, self.environment = url, database, environment

    def manage(self, *command: str) -> None:
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=self.environment, check=True)

    def rows(self, query: str, *values: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.database)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def registrations(self, email: str) -> list[str]:
        """The status of each registration of this address."""
        return [str(s) for (s,) in self.rows("SELECT status FROM selfreg_registration WHERE email = ?", email)]

    def users(self, email: str) -> int:
        return len(self.rows("SELECT id FROM auth_user WHERE email = ?", email))


def url_of(listener: socket.socket) -> str:
    """Return the URL with a host name, because browsers create no passkeys for IP addresses."""
    return f"http://localhost:{listener.getsockname()[1]}"


@contextmanager
def running_site(listener: socket.socket, org: OrgHandle, folder: Path, **settings: str) -> Iterator[Site]:
    """Run the demo site on a port, with its own database."""
    database = folder / "db.sqlite3"
    environment = os.environ | {
        "ENV_FILE": os.devnull,
        "DATABASE_URL": f"sqlite:///{database}",
        "CACHE_URL": "dummycache://",
        "BASE_URL": url_of(listener),
        "ORG_PORT": org.base.rsplit(":", 1)[1],
        "OKTA_ISSUER": "",
        **settings,
    }
    site = Site(url_of(listener), database, environment)
    site.manage("migrate", "-v", "0")
    with serving(site, listener):
        yield site


@contextmanager
def another_site(org: OrgHandle, folder: Path, **settings: str) -> Iterator[Site]:
    """Run another site of the same org, instead of the first one."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        app = requests.get(f"{org.base}/_devorg/policy", timeout=60).json()["apps"][0]
        org.patch_policy({"apps": [app | {"redirect_uris": [f"{url_of(listening)}/oidc/callback/"]}]})
        with running_site(listening, org, folder, **settings) as site:
            yield site


@contextmanager
def serving(site: Site, listener: socket.socket) -> Iterator[None]:
    """Run a site until the block ends."""
    gunicorn = ["-m", "gunicorn", "project.wsgi", "--bind", f"fd://{listener.fileno()}", "--no-control-socket"]
    gunicorn += ["--worker-class", "gthread", "--threads", "8", "--log-level", "warning", "--graceful-timeout", "1"]
    process = subprocess.Popen(
        [sys.executable, *gunicorn],
        cwd=ROOT,
        env=site.environment,
        pass_fds=[listener.fileno()],
        start_new_session=True,
    )
    try:
        requests.get(site.url, timeout=60)  # the port is already open: wait until the server responds
        yield
    finally:
        process.terminate()
        process.wait(10)
