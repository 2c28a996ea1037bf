"""What the package says of itself: its metadata, and the README as a package index shows it."""

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
    """The package's metadata as the build tool computes it."""
    environment = os.environ | {"REPOSITORY_URL": repository}
    command = [sys.executable, "-m", "hatchling", "metadata"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    return metadata(REPOSITORY)


def test_every_link_and_picture_of_the_readme_leads_to_the_released_version(published: dict[str, Any]) -> None:
    version = published["version"]
    targets = [target for target in TARGETS.findall(published["readme"]["text"]) if target.startswith(REPOSITORY)]
    files = [re.fullmatch(rf"{REPOSITORY}/(blob|raw)/v{version}/([^#]+)(#.*)?", t) for t in targets if "/v" in t]
    assert len(files) > 10
    assert [m[2] for m in files if m and not (ROOT / m[2]).exists()] == []
    assert {m[1] for m in files if m and m[2].endswith(".png")} == {"raw"}


@pytest.mark.parametrize("repository", [REPOSITORY, ""])
def test_no_link_of_the_readme_is_dead_on_a_package_index(repository: str) -> None:
    text = metadata(repository)["readme"]["text"]
    assert [target for target in TARGETS.findall(text) if not target.startswith("http")] == []
    assert "docs/images" not in text or repository


def test_the_page_on_an_index_has_links_to_documentation_changes_and_problems(published: dict[str, Any]) -> None:
    assert published["urls"].keys() == {"Source", "Documentation", "Changelog", "Issues"}
    assert all(url.startswith(REPOSITORY) for url in published["urls"].values())
    assert "urls" not in metadata("")


def test_a_release_knows_where_it_is_kept() -> None:
    assert "REPOSITORY_URL:" in (ROOT / ".github" / "workflows" / "release.yml").read_text()
