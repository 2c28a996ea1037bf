"""Names in docs/public-api.md exist, and a site that uses them passes strict type checks."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from django.utils.module_loading import import_string

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs" / "public-api.md").read_text().split("\n## ")[0]
NAMES = sorted(set(re.findall(r"`((?:selfreg|okta_devorg)\.[\w.]+)`", TABLE)))
STRICT = """
[mypy]
strict = True
plugins = mypy_django_plugin.main
mypy_path = {root}
explicit_package_bases = True
follow_imports = silent
[mypy.plugins.django-stubs]
django_settings_module = project.settings
"""


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_exists(name: str) -> None:
    assert import_string(name) if not name.endswith("urls") else import_string(f"{name}.urlpatterns")


def modules() -> dict[str, set[str]]:
    """Return the documented names of each documented module. For URL modules there are none."""
    listed: dict[str, set[str]] = {}
    for dotted in NAMES:
        module, _, name = (dotted, "", "") if dotted.endswith("urls") else dotted.rpartition(".")
        listed.setdefault(module, set()).update({name} - {""})
    return listed


@pytest.mark.parametrize(("module", "names"), modules().items())
def test_documented_names_match_dunder_all(module: str, names: set[str]) -> None:
    public = set(import_module(module).__all__)
    assert public == names or (module.endswith("urls") and public <= {"app_name", "urlpatterns"})


@pytest.mark.slow
def test_example_site_passes_strict_type_checks(tmp_path: Path) -> None:
    """Needs the development tools, which `make test` alone does not install."""
    pytest.importorskip("mypy")
    (tmp_path / "typed_site.py").write_text((ROOT / "docs" / "downstream_example" / "typed_site.py").read_text())
    (tmp_path / "mypy.ini").write_text(STRICT.format(root=ROOT))
    options = ["--config-file", "mypy.ini", "--cache-dir", str(ROOT / ".mypy_cache")]
    result = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "typed_site.py"],
        cwd=tmp_path, env={**os.environ, "ENV_FILE": os.devnull, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
