"""The package's metadata, and the README on a package index."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
REPOSITORY = "https://code.example/selfreg"
TARGETS = re.compile(r"\]\(([^)]+)\)")


def metadata(repository: str) -> dict[str, Any]:
    """Return the package's metadata from the build tool."""
    environment = os.environ | {"REPOSITORY_URL": repository}
    command = [sys.executable, "-m", "hatchling", "metadata"]
    completed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(completed.stdout)
    return result


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    return metadata(REPOSITORY)


def test_readme_links_point_to_the_released_version(published: dict[str, Any]) -> None:
    version = published["version"]
    targets = [target for target in TARGETS.findall(published["readme"]["text"]) if target.startswith(REPOSITORY)]
    files = [re.fullmatch(rf"{REPOSITORY}/(blob|raw)/v{version}/([^#]+)(#.*)?", t) for t in targets if "/v" in t]
    assert len(files) > 10
    assert [m[2] for m in files if m and not (ROOT / m[2]).exists()] == []
    assert {m[1] for m in files if m and m[2].endswith(".png")} == {"raw"}


@pytest.mark.parametrize("repository", [REPOSITORY, ""])
def test_readme_on_a_package_index_has_only_absolute_links(repository: str) -> None:
    text = metadata(repository)["readme"]["text"]
    assert [target for target in TARGETS.findall(text) if not target.startswith("http")] == []
    assert "docs/images" not in text or repository


def test_package_metadata_has_project_urls(published: dict[str, Any]) -> None:
    assert published["urls"].keys() == {"Source", "Documentation", "Changelog", "Issues"}
    assert all(url.startswith(REPOSITORY) for url in published["urls"].values())
    assert "urls" not in metadata("")


def test_release_workflow_sets_the_repository_url() -> None:
    assert "REPOSITORY_URL:" in (ROOT / ".github" / "workflows" / "release.yml").read_text()
