"""The pytest plugin: the documented example runs, also in parallel, and an unused plugin loads nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "downstream_example"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the example outside this repository, so that no settings of the repository apply."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "downstream", ignore=shutil.ignore_patterns("__pycache__")))


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs pytest with the plugin by name. Its entry point is in the wheel, which is not installed here."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "okta_devorg.pytest_plugin", "-p", "no:cacheprovider"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{folder}"}
    return subprocess.run(
        [*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_documented_example_passes(project: Path, workers: str) -> None:
    result = run(project, "-n", workers)
    assert "6 passed" in result.stdout, result.stdout + result.stderr


def test_an_unused_plugin_imports_neither_the_org_nor_django(project: Path) -> None:
    (project / "test_other.py").write_text(
        "import sys\n\ndef test_nothing():\n"
        "    assert not {'flask', 'webauthn', 'django', 'okta_devorg.server'} & set(sys.modules)\n"
    )
    result = run(project, "test_other.py", "-p", "no:django")
    assert "1 passed" in result.stdout, result.stdout + result.stderr


def test_settings_of_the_project_apply_to_every_test(project: Path) -> None:
    (project / "test_settings.py").write_text(
        "import pytest\n\n"
        "@pytest.fixture(scope='session')\n"
        "def okta_org_settings():\n    return {'site': 'http://site.example', 'policy': {'sign_up': False}}\n\n"
        "@pytest.mark.parametrize('again', [1, 2])\n"
        "def test_it(okta_org, again):\n"
        "    assert not okta_org.handle.policy.sign_up\n"
        "    assert okta_org.app.redirect_uris == ('http://site.example/oidc/callback/',)\n"
        "    okta_org.policy(sign_up=True)\n"
    )
    result = run(project, "test_settings.py")
    assert "2 passed" in result.stdout, result.stdout + result.stderr
