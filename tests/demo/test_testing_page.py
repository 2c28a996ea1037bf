"""The Django example of docs/testing.md works, and its tests do not depend on their order."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "testing.md").read_text(), re.DOTALL)[-1]
ANOTHER = """

def test_the_default_form(site):
    assert "First name" in site.get("/signup/").content.decode()
"""


@pytest.mark.slow
def test_a_form_of_one_test_is_not_shown_in_the_next(tmp_path: Path) -> None:
    (tmp_path / "test_sign_up.py").write_text(EXAMPLE + ANOTHER)
    plugin = ["-p", "okta_devorg.pytest_plugin", "-p", "no:cacheprovider"]
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "ENV_FILE": os.devnull,
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin, "test_sign_up.py"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "2 passed" in done.stdout, done.stdout + done.stderr
