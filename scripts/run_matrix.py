"""`make matrix`: the quick tests on every Python and Django that this machine has and the package supports.

Each combination gets a virtual environment below .matrix/, with the newest releases that the package's ranges allow;
requirements*.txt play no part. Warnings are errors there as in every other run: pyproject.toml says so for pytest. (A
`-W error` on the command line would also cancel the one exception that is made there.)

A Python that is not on this machine is left out with one line. Naming it (--python 3.14) makes that a failure.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".matrix"

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Each line of Django, and the first Python that it runs on.
DJANGOS = {"5.2": "3.11", "6.0": "3.12", "6.1": "3.12"}

# What the demo site, whose settings the tests use, and the tests import.
REQUIREMENTS = ("requirements.in", "requirements-test.in")
# Whose newest release is tested, and named in the table.
REPORTED = ("mozilla-django-oidc", "requests", "PyJWT", "django-ninja")

TESTS = (
    "tests/app",
    "tests/idx",
    "tests/registration",
    "tests/admin",
    "tests/api",
    "tests/sites",
    "tests/steps",
    "tests/reliability/test_tasks.py",
    "tests/journeys/test_sign_up_with_email_and_password.py",
    "tests/journeys/test_sign_in_again.py",
)
IGNORED = ("tests/idx/test_idx_response_properties.py",)  # properties only
SELECTION = "not browser and not slow and not hypothesis"
# Run one after the other, until one fails.
COMMANDS = (
    ("-W", "error", "manage.py", "check"),
    ("-W", "error", "manage.py", "makemigrations", "--check", "--dry-run"),
    ("-m", "pytest", "-q", "-x", "-n", "2", "-m", SELECTION, *(f"--ignore={path}" for path in IGNORED), *TESTS),
)

VERSIONS_PROGRAM = "import importlib.metadata as m, json, sys; print(json.dumps([m.version(n) for n in sys.argv[1:]]))"


@dataclass(frozen=True, slots=True)
class Result:
    """How one combination of Python and Django went."""

    python: str
    django: str
    versions: tuple[str, ...]
    summary: str
    seconds: float
    failed: bool


def main() -> int:
    pythons, djangos, is_named = chosen()
    results, missing = [], []
    for python in pythons:
        interpreter = find_python(python)
        if not interpreter:
            missing.append(python)
            print(f"make matrix: Python {python} is left out: it is not on this machine.", flush=True)
            continue
        results += [run(python, interpreter, django) for django in djangos if is_supported(python, django)]
    print_table(results)
    return 1 if not results or any(result.failed for result in results) or (missing and is_named) else 0


def chosen() -> tuple[list[str], list[str], bool]:
    """The versions of Python and of Django to test, and whether the Pythons were named: then none may be missing."""
    parser = argparse.ArgumentParser(prog="make matrix")
    parser.add_argument("--python", action="append", choices=PYTHONS, help="only this one; may be repeated")
    parser.add_argument("--django", action="append", choices=list(DJANGOS), help="only this line; may be repeated")
    options = parser.parse_args()
    return options.python or list(PYTHONS), options.django or list(DJANGOS), bool(options.python)


def is_supported(python: str, django: str) -> bool:
    return PYTHONS.index(python) >= PYTHONS.index(DJANGOS[django])


# ---- interpreters


def find_python(version: str) -> str:
    """An interpreter of this version that can make virtual environments; "" if there is none."""
    return next((path for path in candidates(version) if works(path, version)), "")


def candidates(version: str) -> Iterator[str]:
    """pyenv's first: its commands on PATH are only stand-ins, which run one of the versions it has."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    installed = sorted(pyenv.glob(f"versions/{version}.*/bin/python"), key=lambda path: numbers(path.parts[-3]))
    yield from (str(path) for path in reversed(installed))
    yield shutil.which(f"python{version}") or ""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        yield sys.executable


def numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def works(path: str, version: str) -> bool:
    program = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    if not Path(path).is_file():
        return False
    done = subprocess.run([path, "-c", program], capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == version


# ---- one combination


def run(python: str, interpreter: str, django: str) -> Result:
    """Installs and tests one combination. What it prints goes to a file, whose end is shown after a failure."""
    print(f"make matrix: Python {python}, Django {django} ...", flush=True)
    folder = FOLDER / f"python{python}-django{django}"
    folder.parent.mkdir(exist_ok=True)
    log, started = folder.with_suffix(folder.suffix + ".log"), time.monotonic()
    log.unlink(missing_ok=True)
    executable = str(folder / "bin" / "python")
    steps = [] if works(executable, python) else [[interpreter, "-m", "venv", "--clear", str(folder)]]
    steps.append([executable, "-m", "pip", "install", "--upgrade", "--upgrade-strategy", "eager", *packages(django)])
    steps += [[executable, *command] for command in COMMANDS]
    failed = next((step for step in steps if not succeeds(step, log)), None)
    seconds = time.monotonic() - started
    output = log.read_text(errors="replace").rstrip().splitlines()
    if failed:
        print("\n".join(output[-60:]), flush=True)
        summary = "FAILED: " + " ".join(failed[1:4])
    else:
        summary = output[-1].strip("= ")
    versions = installed_versions(executable, ("Django", *REPORTED))
    return Result(python, django, versions, summary, seconds, failed is not None)


def packages(django: str) -> list[str]:
    """What pip installs: the newest releases, whatever the ranges in the files of requirements are."""
    lines = [line for name in REQUIREMENTS for line in (ROOT / name).read_text().splitlines()]
    names = [re.split("[<>=]", line)[0] for line in lines if line and not line.startswith(("#", "-"))]
    major, minor = numbers(django)
    return ["--editable", f"{ROOT}[api,devorg]", f"django>={django},<{major}.{minor + 1}", *names]


def succeeds(command: list[str], log: Path) -> bool:
    with log.open("a") as output:
        output.write(f"$ {' '.join(command)}\n")
        output.flush()
        done = subprocess.run(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0


def installed_versions(executable: str, names: tuple[str, ...]) -> tuple[str, ...]:
    try:
        done = subprocess.run([executable, "-c", VERSIONS_PROGRAM, *names], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ("?",) * len(names)
    return tuple(json.loads(done.stdout))


def print_table(results: list[Result]) -> None:
    header = ("Python", "Django", *REPORTED, "seconds", "result")
    rows = [(r.python, *r.versions, f"{r.seconds:.0f}", r.summary) for r in results]
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    print()
    for row in (header, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
