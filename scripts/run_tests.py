"""`make test`: the whole suite on SQLite, but for the tests marked `database`, which run on PostgreSQL: rows, limits,
races, retention, the admin, what people and programs may put into a column, and one sign-up of each kind. Those marked
`every_database` run on SQLite, too, and on MariaDB, if this machine has one (TEST_MARIADB_URL names a server to use).

Takes the PostgreSQL and the Chromium of this machine, or installs them if that takes no question. Without Chromium its
tests are left out, and without PostgreSQL its tests run on SQLite, with a line that says so; under CI=true that is a
failure. The servers around a site (nginx, pgbouncer, Prometheus, Redis) are installed, too, if that takes no question;
without one of them its tests are skipped, and the end of the run says so. Arguments go to pytest, but for
`--sqlite-only`, which runs everything on SQLite, `--nightly`, which runs the tests marked `nightly` as well, and
`--install`, which runs nothing and only installs Chromium and the servers.

TEST_DATABASE_URL names a PostgreSQL server to use (its role must be allowed to create databases); else a throwaway
cluster is started and removed again. CHROMIUM names a browser to use; the browser tests read it.
"""

import contextlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
CI = os.environ.get("CI") == "true"
AS_ROOT = os.getuid() == 0
# One more than processors: some tests wait for a server or for a time to pass.
WORKERS = str((os.cpu_count() or 1) + 1)

SQLITE_ONLY, NIGHTLY = "--sqlite-only", "--nightly"
NO_TESTS = 5  # how pytest ends if the arguments choose none of the tests on that database
# Command -> Debian package.
SERVERS = {"nginx": "nginx", "pgbouncer": "pgbouncer", "prometheus": "prometheus", "redis-server": "redis-server"}
SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
# The shell without windows needs two thirds of the processor time that the others do.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_BROWSERS = ("Chromium.app/Contents/MacOS/Chromium", "Google Chrome.app/Contents/MacOS/Google Chrome")
POSTGRES_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/latest/bin",
)


def main(arguments: list[str]) -> int:
    sqlite_only = SQLITE_ONLY in arguments
    marks = [] if NIGHTLY in arguments else ["not nightly"]
    arguments = [argument for argument in arguments if argument not in (SQLITE_ONLY, NIGHTLY)]
    chromium = find_chromium() or install_chromium()
    install_servers()
    if arguments == ["--install"]:
        return 0
    failures = [] if chromium else [left_out("browser", "no Chromium was found or could be installed (set CHROMIUM)")]
    on_sqlite = [*marks, *([] if chromium else ["not browser"])]
    if sqlite_only:
        failures += [] if run_pytest("SQLite", "", chromium, marked(*on_sqlite), arguments) else ["SQLite"]
        return 1 if any(failures) else 0
    with postgresql() as url:
        if url:
            on_sqlite.append("(not database or every_database)")
        else:
            failures.append(left_out("PostgreSQL", "no server was found or could be installed (set TEST_DATABASE_URL)"))
        failures += [] if run_pytest("SQLite", "", chromium, marked(*on_sqlite), arguments) else ["SQLite"]
        on_postgresql = [*marked("database", *marks), *files_marked("database", arguments)]
        if url and not run_pytest("PostgreSQL", url, chromium, on_postgresql, arguments):
            failures.append("PostgreSQL")
    with mariadb() as url:
        on_mariadb = [*marked("every_database", *marks), *files_marked("every_database", arguments)]
        if not url:
            print("make test: the MariaDB tests are left out: no server was found (set TEST_MARIADB_URL).", flush=True)
        elif not run_pytest("MariaDB", url, chromium, ["-p", "support.mysql_driver", *on_mariadb], arguments):
            failures.append("MariaDB")
    return 1 if any(failures) else 0


def marked(*marks: str) -> list[str]:
    """The option of pytest for tests with all of these marks."""
    return ["-m", " and ".join(marks)] if marks else []


def files_marked(mark: str, arguments: list[str]) -> list[str]:
    """The files with such tests, if the arguments name none. To collect all takes each worker ten seconds."""
    if any((ROOT / argument.partition("::")[0]).exists() for argument in arguments):
        return []
    files = (ROOT / "tests").rglob("test_*.py")
    return sorted(str(path.relative_to(ROOT)) for path in files if f"pytest.mark.{mark}" in path.read_text())


def left_out(what: str, why: str) -> str:
    """Says it, and returns the failure that it is under CI, else nothing."""
    print(f"make test: the {what} tests are left out: {why}.", flush=True)
    return what if CI else ""


def run_pytest(name: str, database_url: str, chromium: str, selection: list[str], arguments: list[str]) -> bool:
    print(f"\n==== the tests on {name}", flush=True)
    command = [sys.executable, "-m", "pytest", "-n", WORKERS, "--dist", "worksteal", "-rfEs", *selection, *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in demo_variables()}
    # The plugin for MariaDB is imported before pytest extends the path.
    environment |= {"ENV_FILE": os.devnull, "DATABASE_URL": database_url, "CHROMIUM": chromium, "PYTHONPATH": "tests"}
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    return code == 0 or (code == NO_TESTS and bool(arguments))


def demo_variables() -> set[str]:
    """What configures the demo on this machine, such as a real org, and must not reach the tests."""
    return set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


# ---- Chromium


def find_chromium() -> str:
    named = os.environ.get("CHROMIUM", "")
    on_path = (shutil.which(name) or "" for name in BROWSERS)
    applications = (
        str(Path(root, name)) for root in ("/Applications", Path.home() / "Applications") for name in MAC_BROWSERS
    )
    with sync_playwright() as playwright:
        downloaded = playwright.chromium.executable_path
    return next((path for path in (named, *on_path, *applications, downloaded) if path and browser_works(path)), "")


def browser_works(path: str) -> bool:
    """Ubuntu's chromium-browser may be a stub that only tells to install a snap."""
    return Path(path).exists() and succeeds(path, "--version")


def install_chromium() -> str:
    print("make test: no Chromium here, installing one ...", flush=True)
    installed = is_debian() and (apt_install("chromium-headless-shell") or apt_install("chromium"))
    if installed and (found := find_chromium()):
        return found
    if shutil.which("apt-get") and as_root(["true"]):
        succeeds(sys.executable, "-m", "playwright", "install-deps", "chromium")
    succeeds(sys.executable, "-m", "playwright", "install", "chromium")
    return find_chromium()


def is_debian() -> bool:
    """Ubuntu, which calls itself "like" Debian, has no Chromium among its packages."""
    release = Path("/etc/os-release")
    return release.exists() and bool(re.search(r"^ID=debian$", release.read_text(), re.MULTILINE))


# ---- PostgreSQL


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a server while the block runs; empty if there is none."""
    if url := os.environ.get("TEST_DATABASE_URL", ""):
        yield url
        return
    binaries = find_postgresql()
    if not binaries:
        print("make test: no PostgreSQL here, installing one ...", flush=True)
        binaries = find_postgresql() if apt_install("postgresql") else None
    if not binaries:
        yield ""
        return
    with throwaway_cluster(binaries) as url:
        yield url


def find_postgresql() -> Path | None:
    """The folder of initdb and pg_ctl. Debian keeps them out of PATH; of several versions the newest is taken."""
    folders = [folder for pattern in POSTGRES_FOLDERS for folder in sorted(Path("/").glob(pattern[1:]), reverse=True)]
    on_path = shutil.which("initdb")
    folders += [Path(on_path).resolve().parent] if on_path else []
    return next((folder for folder in folders if all((folder / name).exists() for name in ("initdb", "pg_ctl"))), None)


@contextlib.contextmanager
def throwaway_cluster(binaries: Path) -> Iterator[str]:
    """Nothing in it outlives the run, so it need not survive a crash: no fsync. PostgreSQL refuses to run as root."""
    user = postgres_user() if AS_ROOT else None
    with tempfile.TemporaryDirectory(prefix="selfreg-postgres-", ignore_cleanup_errors=True) as name:
        if user:
            shutil.chown(name, user)
        data, port = f"{name}/data", free_port()
        settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        settings += " -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"
        control = [str(binaries / "pg_ctl"), "-D", data, "-w", "-s"]
        initdb = [str(binaries / "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"]
        started = succeeds(*initdb, user=user, cwd=name) and succeeds(
            *control, "-l", f"{name}/log", "-o", settings, "start", user=user, cwd=name
        )
        try:
            yield f"postgres://postgres@127.0.0.1:{port}/selfreg" if started else ""
        finally:
            if started:
                succeeds(*control, "-m", "immediate", "stop", user=user, cwd=name)


# ---- MariaDB


@contextlib.contextmanager
def mariadb() -> Iterator[str]:
    """The URL of a server while the block runs; empty if there is none. None is installed."""
    if url := os.environ.get("TEST_MARIADB_URL", ""):
        yield url
        return
    server = shutil.which("mariadbd", path=SYSTEM_PATH)
    installer = shutil.which("mariadb-install-db")
    if not server or not installer:
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="selfreg-mariadb-", ignore_cleanup_errors=True) as name:
        data, port = f"{name}/data", free_port()
        user = ["--user=root"] if AS_ROOT else []
        made = succeeds(
            installer,
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *user,
        )
        options = [f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1", f"--socket={name}/socket"]
        options += ["--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", f"--pid-file={name}/pid", *user]
        # As any site has it; without an option file the server's own is latin1.
        options += ["--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci"]
        if not made:
            yield ""
            return
        process = subprocess.Popen(
            [server, "--no-defaults", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield f"mysql://root@127.0.0.1:{port}/selfreg" if answers(port) else ""
        finally:
            process.kill()
            process.wait()


def answers(port: int, seconds: float = 30.0) -> bool:
    """Whether something listens on the port within so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.1)
    return False


def postgres_user() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# ---- running commands


def succeeds(*command: str, user: str | None = None, cwd: str | None = None) -> bool:
    """Quiet unless it fails."""
    try:
        done = subprocess.run(
            command, user=user, cwd=cwd, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
    except OSError as impossible:
        print(f"make test: {impossible}", flush=True)
        return False
    if done.returncode:
        print(f"make test: {command[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}", flush=True)
    return done.returncode == 0


def as_root(command: list[str]) -> bool:
    """Runs it as root if that takes no question."""
    if AS_ROOT:
        return succeeds(*command)
    return shutil.which("sudo") is not None and succeeds("sudo", "-n", *command)


def install_servers() -> None:
    missing = [package for command, package in SERVERS.items() if not shutil.which(command, path=SYSTEM_PATH)]
    if missing and shutil.which("apt-get"):
        print(f"make test: no {', '.join(missing)} here, installing ...", flush=True)
        apt_install(*missing)


def apt_install(*packages: str) -> bool:
    if not shutil.which("apt-get"):
        return False
    install = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", *packages]
    return as_root(["apt-get", "update"]) and as_root(install)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
