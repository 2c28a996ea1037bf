"""What the README says is so."""

import ast
import re
from pathlib import Path

import pytest
from django.urls import resolve
from django.utils.module_loading import import_string

from selfreg.conf import SETTING_NAMES

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_its_environment_table_and_the_example_file_name_the_same_variables() -> None:
    table = README.split("## The demo site's environment")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    in_table = {name for cell in cells for name in re.findall(r"`([A-Z_]+)`", cell)}
    in_example = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert in_table == in_example


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_its_python_is_python(snippet: str) -> None:
    assert ast.parse(snippet).body


def test_the_settings_it_shows_exist() -> None:
    settings = next(s for s in SNIPPETS if "SELFREG" in s)
    shown = next(n for n in ast.walk(ast.parse(settings)) if isinstance(n, ast.Dict))
    assert {k.value for k in shown.keys if isinstance(k, ast.Constant)} <= SETTING_NAMES


def test_the_classes_it_names_exist() -> None:
    for path in re.findall(r'"(selfreg\.[a-z]+\.[A-Za-z]+)"', README):
        assert import_string(path)


def test_the_files_and_targets_it_names_exist() -> None:
    targets = set(re.findall(r"^make ([a-z]+)$", README, re.MULTILINE))
    assert targets
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`(?:GET|POST)? ?(/signup/[a-z/]*)`", README))))
def test_the_pages_it_names_exist(path: str) -> None:
    assert resolve(path)
