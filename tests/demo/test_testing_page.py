"""The Django example of docs/testing.md works, and its tests do not depend on their order."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "testing.md").read_text(), re.DOTALL)[-1]
TESTS = re.findall(r"^def (test_\w+)", EXAMPLE, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("order", [1, -1], ids=["forwards", "backwards"])
def test_documented_test_example_passes_in_any_order(tmp_path: Path, order: int) -> None:
    """A form cached in one test must not be shown in the next."""
    (tmp_path / "test_sign_up.py").write_text(EXAMPLE)
    plugin = ["-p", "okta_devorg.pytest_plugin", "-p", "no:cacheprovider"]
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "ENV_FILE": os.devnull,
    }
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin, *(f"test_sign_up.py::{name}" for name in TESTS[::order])],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert f"{len(TESTS)} passed" in result.stdout, result.stdout + result.stderr
