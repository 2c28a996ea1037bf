"""`make demo`: runs the site and, unless OKTA_ISSUER is set, the local org in the foreground.

Ctrl-C or SIGTERM stops both. If one of them exits, the other is stopped, too. The exit status is 0 only after Ctrl-C or
a signal.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import django
import requests
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError

HOST = "127.0.0.1"
# A cold disk or a busy machine may need minutes; a program that ended is noticed at once.
START_SECONDS = 300
REMIND_SECONDS = 10
STOP_SECONDS = 5
ADMIN = "admin"

Processes = dict[str, subprocess.Popen[bytes]]


class DemoFailed(Exception):
    """The demo cannot start or continue. The text says why, and what to do."""


def main() -> int:
    """Run the demo until it is stopped, and return the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # SIGINT, too: shells let background jobs ignore it
        signal.signal(stop, signal.default_int_handler)
    processes: Processes = {}
    try:
        run(processes)
    except KeyboardInterrupt:
        say("\nStopped.")
        return 0
    except (DemoFailed, ImproperlyConfigured) as error:
        say(f"make demo: {error}")
        return 1
    finally:
        stop_all(processes)
    return 0


def run(processes: Processes) -> None:
    """Start both servers, add them to ``processes``, and return only by an exception.

    :raises DemoFailed: a server could not be started, or exited
    """
    django.setup()
    require_free_port("PORT", settings.PORT)
    if settings.LOCAL_ORG:
        require_free_port("ORG_PORT", settings.ORG_PORT)
    prepare_site()
    if settings.LOCAL_ORG:
        processes["The local org"] = start("okta_devorg", *org_options())
        wait_for(
            "The local org",
            processes,
            f"http://{HOST}:{settings.ORG_PORT}/_devorg/policy",
            f"{HOST}:{settings.ORG_PORT}",
        )
    processes["The site"] = start("gunicorn", *site_options())
    wait_for("The site", processes, f"http://{HOST}:{settings.PORT}/", urlsplit(settings.BASE_URL).netloc)
    say(addresses())
    while True:
        require_alive(processes)
        time.sleep(0.2)


def require_free_port(variable: str, port: int) -> None:
    """Check that a port is free.

    :raises DemoFailed: another process uses the port
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as taken:
            raise DemoFailed(f"port {port} is not free. Choose another one: make demo {variable}={port + 1}") from taken


def prepare_site() -> None:
    """Migrate the database; under DEBUG, create the administrator, else collect the static files.

    :raises DemoFailed: the database cannot be reached
    """
    try:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
    except OperationalError as unreachable:
        raise DemoFailed(f"the database of DATABASE_URL does not answer: {unreachable}") from unreachable
    if not settings.DEBUG:
        call_command("collectstatic", verbosity=0, interactive=False)
        return
    users = get_user_model().objects
    if not users.filter(username=ADMIN).exists():
        users.create_superuser(ADMIN, f"{ADMIN}@example.com", ADMIN)


def org_options() -> list[str]:
    """Return the command line options of the local org."""
    # The accounts are in a file, so that users in the site's database can still log in after a restart.
    return ["--port", str(settings.ORG_PORT), "--site", settings.BASE_URL, "--data", settings.ORG_DATA]


def site_options() -> list[str]:
    """Return the command line options of gunicorn."""
    # One process, since under DEBUG the cache is in its memory. No access log, since the query string of an email link
    # holds its code.
    return [
        *("project.wsgi", "--bind", f"{HOST}:{settings.PORT}", "--worker-class", "gthread", "--threads", "8"),
        *("--graceful-timeout", "1", "--log-level", "warning", "--no-control-socket"),
    ]


def start(module: str, *options: str) -> subprocess.Popen[bytes]:
    """Start a Python module. It stays in this process group, but ignores Ctrl-C, which ``stop_all`` handles."""
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.Popen([sys.executable, "-m", module, *options], cwd=settings.BASE_DIR)
    finally:
        signal.signal(signal.SIGINT, handler)


def wait_for(name: str, processes: Processes, url: str, host: str) -> None:
    """Wait until a server answers, with any status, and say so now and then.

    :param host: for the Host header, which a site checks
    :raises DemoFailed: it did not answer in time, or a server exited
    """
    started = reminded = time.monotonic()
    with requests.Session() as http:
        http.trust_env = False
        while time.monotonic() < started + START_SECONDS:
            require_alive(processes)
            if time.monotonic() > reminded + REMIND_SECONDS:
                reminded = time.monotonic()
                say(f"{name} is starting: waiting for an answer at {url} ({reminded - started:.0f} s so far) ...")
            try:
                http.get(url, headers={"Host": host}, timeout=5, allow_redirects=False)
            except requests.RequestException:
                time.sleep(0.1)
            else:
                return
    raise DemoFailed(f"{name} did not answer at {url} within {START_SECONDS} seconds.")


def require_alive(processes: Processes) -> None:
    """Check that all processes are running.

    :raises DemoFailed: one of the processes exited
    """
    for name, process in processes.items():
        if process.poll() is not None:
            raise DemoFailed(f"{name} ended by itself (exit status {process.returncode}); see its last lines above.")


def stop_all(processes: Processes) -> None:
    """Stop the processes. Further signals are ignored meanwhile."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for process in processes.values():
        process.terminate()
    for process in processes.values():
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def addresses() -> str:
    """Return a text with the URLs of the demo."""
    lines = [f"  Site     {settings.BASE_URL}/"]
    if settings.LOCAL_ORG:
        lines.append(
            f"  Mailbox  http://{HOST}:{settings.ORG_PORT}/  (emails and texts of the local org, its users and policy)"
        )
    else:
        lines.append(f"  Okta     {settings.SELFREG['ISSUER']}")
    login = f"  (log in as {ADMIN} / {ADMIN})" if settings.DEBUG else ""
    lines.append(f"  Admin    {settings.BASE_URL}/admin/{login}")
    return "\n".join(["", *lines, "", "Ctrl-C stops the demo."])


def say(text: str) -> None:
    """Print a text at once, even if the output is a pipe."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
