"""A virtual environment with the built wheel, like after an installation of the package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def installed_wheel(folder: Path) -> dict[str, str]:
    """Build the wheel and install it below ``folder``. Other packages come from the environment of the tests.

    :return: the environment variables with which its commands run
    """
    run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)], ROOT, {})
    run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], ROOT, {})
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    shutil.unpack_archive(next(folder.glob("*.whl")), packages, "zip")
    (packages / "rest.pth").write_text(next(path for path in sys.path if path.endswith("site-packages")) + "\n")
    admin = folder / "venv" / "bin" / "django-admin"
    admin.write_text(
        f"#!{folder}/venv/bin/python\nfrom django.core.management import execute_from_command_line as main\nmain()\n"
    )
    admin.chmod(0o755)
    path = os.pathsep.join([str(folder / "venv" / "bin"), os.environ["PATH"]])
    return {"PATH": path, "HOME": str(folder), "PYTHONUNBUFFERED": "1"}


def run(command: str | list[str], folder: Path, environment: dict[str, str]) -> str:
    """Run a command and return its output."""
    result = subprocess.run(
        command,
        cwd=folder, env=environment or None, shell=isinstance(command, str),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, f"{command}:\n{result.stdout}"
    return result.stdout
