"""`make test-clients`: Okta's own clients, unmodified, against the local org (tests/clients).

They come from npm as tests/clients/package-lock.json pins them. Without node, npm or Chromium the tests that need them
are left out with one line each; under CI=true that is a failure. Arguments go to pytest, but for `--install`, which
installs the clients and runs nothing.
"""

import os
import shutil
import subprocess
import sys

from run_tests import CI, ROOT, WORKERS, find_chromium, install_chromium

CLIENTS = ROOT / "tests" / "clients"
INSTALLED = CLIENTS / "node_modules" / ".package-lock.json"


def main(arguments: list[str]) -> int:
    problem = "" if is_installed() else install()
    if problem:
        print(f"make test-clients: the JavaScript clients are left out: {problem}.", flush=True)
    if arguments == ["--install"]:
        return 1 if CI and problem else 0
    chromium = find_chromium() or install_chromium()
    command = [sys.executable, "-m", "pytest", "-n", WORKERS, "-rs", str(CLIENTS), *arguments]
    environment = {**os.environ, "ENV_FILE": os.devnull, "CHROMIUM": chromium}
    passed = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0
    return 0 if passed and not (CI and problem) else 1


def is_installed() -> bool:
    lock = CLIENTS / "package-lock.json"
    return INSTALLED.exists() and INSTALLED.stat().st_mtime >= lock.stat().st_mtime


def install() -> str:
    """What kept the packages from being installed; empty when they are there."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node and npm are not here"
    print("make test-clients: installing the clients from npm ...", flush=True)
    done = subprocess.run(["npm", "ci"], cwd=CLIENTS, check=False, capture_output=True, text=True)
    if done.returncode:
        return "npm could not install them: " + done.stderr.strip().splitlines()[-1]
    INSTALLED.touch()
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
