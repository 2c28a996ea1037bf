"""GitHub workflows, issue forms, pre-commit and Makefile are valid, safe, and refer to existing things."""

import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE)
MATRIX = runpy.run_path(str(ROOT / "scripts" / "run_matrix.py"))


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            yield f"{path.name}: {name}", job


def steps() -> list[dict[str, Any]]:
    return [step for _name, job in jobs() for step in job.get("steps", [])]


def commands() -> list[str]:
    return [step["run"] for step in steps() if "run" in step]


# ---- validity


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.dependabot", [GITHUB / "dependabot.yml"]),
        ("vendor.github-issue-forms", FORMS),
        ("vendor.github-issue-config", [GITHUB / "ISSUE_TEMPLATE" / "config.yml"]),
    ],
)
def test_github_files_match_their_schemas(schema: str, paths: list[Path]) -> None:
    assert paths
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, paths)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_issue_forms_ask_for_the_output_of_the_doctor(form: Path) -> None:
    assert "manage.py selfreg_doctor" in form.read_text()


def test_every_job_has_a_timeout() -> None:
    assert [name for name, job in jobs() if "steps" in job and "timeout-minutes" not in job] == []


# ---- safety


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_have_read_permissions_by_default(path: Path) -> None:
    assert yaml.safe_load(path.read_text())["permissions"] == {"contents": "read"}


def test_every_action_is_pinned_to_a_version() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w./-]+@v\d+(\.\d+)*", action)] == []


def test_checkouts_do_not_persist_credentials() -> None:
    checkouts = [step for step in steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_no_workflow_command_contains_an_expression() -> None:
    assert [command for command in commands() if "${{" in command] == []


# ---- references


def test_make_targets_used_in_workflows_exist() -> None:
    used_targets = [
        word for command in commands() for names in re.findall(r"\bmake ([a-z -]+)", command) for word in names.split()
    ]
    assert {"matrix", "fuzz", "load", "wheel", "sbom", "licenses"} <= set(used_targets) <= set(TARGETS)


def test_scripts_used_in_workflows_exist() -> None:
    scripts = [path for command in commands() for path in re.findall(r"(?:^|\s)((?:\.ci|scripts)/[\w./-]+)", command)]
    assert ".ci/run" in scripts
    assert [path for path in scripts if not os.access(ROOT / path, os.X_OK)] == []


def test_scripts_used_in_the_makefile_exist() -> None:
    scripts = re.findall(r"\bscripts/[\w.]+", MAKEFILE)
    assert "scripts/run_matrix.py" in scripts
    assert [path for path in scripts if not (ROOT / path).is_file()] == []


def test_workflows_called_by_workflows_exist() -> None:
    called = [job["uses"] for _name, job in jobs() if "uses" in job]
    assert called
    assert [path for path in called if not (ROOT / path).is_file()] == []


def test_pre_commit_tools_are_pinned() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    names = {name for hook in hooks for name in re.findall(r"\.venv/bin/([\w-]+)", hook["entry"])}
    assert names == {"ruff", "lint-imports", "mypy"}
    pinned = (ROOT / "requirements-dev.txt").read_text()
    assert all(f"\n{name}==" in pinned for name in ("ruff", "import-linter", "mypy"))


def test_make_help_lists_every_target() -> None:
    described = re.findall(r"^([a-z][a-z-]*):.*## \S", MAKEFILE, re.MULTILINE)
    assert described == TARGETS


# ---- the matrix


def test_matrix_of_the_workflow_equals_that_of_make_matrix() -> None:
    (matrix,) = [job["strategy"]["matrix"] for _name, job in jobs() if "strategy" in job]
    excluded = {(pair["python"], pair["django"]) for pair in matrix["exclude"]}
    hosted = set(product(matrix["python"], matrix["django"])) - excluded
    supported = {pair for pair in product(MATRIX["PYTHONS"], MATRIX["DJANGOS"]) if MATRIX["is_supported"](*pair)}
    assert hosted == supported


def test_classifiers_name_only_tested_versions() -> None:
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    for prefix, versions in (("Programming Language :: Python", "PYTHONS"), ("Framework :: Django", "DJANGOS")):
        named = [m[1] for c in classifiers if (m := re.fullmatch(rf"{prefix} :: (\d+\.\d+)", c))]
        assert named
        assert set(named) <= set(MATRIX[versions])


def test_matrix_installs_what_demo_site_and_tests_import() -> None:
    installed = MATRIX["packages"]("6.1")
    assert {"django-environ", "prometheus-client", "pytest-xdist", "django-otp", "django-ninja"} <= set(installed)
    assert [name for name in installed if "<" in name] == ["django>=6.1,<6.2"]


def test_paths_of_matrix_and_mutation_tests_exist() -> None:
    mutmut = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    paths = [*MATRIX["TESTS"], *MATRIX["IGNORED"]]
    paths += mutmut["only_mutate"] + mutmut["also_copy"] + mutmut["pytest_add_cli_args_test_selection"]
    assert [path for path in paths if not (ROOT / path).exists()] == []


# ---- make targets


def test_sbom_has_serial_number_and_date() -> None:
    """GitHub attests only CycloneDX files with a serial number, and without a date the list belongs to no version."""
    options = re.search(r"/cyclonedx-py (requirements .*) -o \S+ (requirements\.txt)$", MAKEFILE, re.MULTILINE)
    assert options
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", *options[1].split(), "-o", "-", options[2]]
    used_targets = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    assert {"bomFormat", "serialNumber", "specVersion"} <= set(used_targets)
    assert used_targets["metadata"]["timestamp"]
    assert "django" in [component["name"].lower() for component in used_targets["components"]]


def test_matrix_fails_if_a_named_python_is_missing(tmp_path: Path) -> None:
    """Even if every version is named. Without names, a missing version is only left out."""
    named = [option for version in MATRIX["PYTHONS"] for option in ("--python", version)]
    script = (
        "import runpy, sys; names = runpy.run_path('scripts/run_matrix.py'); world = names['main'].__globals__;"
        "world['find_python'] = lambda version: '' if version == '3.11' else sys.executable;"
        "width = 1 + len(world['REPORTED']);"
        "world['run'] = lambda *pair: world['Result'](pair[0], pair[2], ('?',) * width, 'ok', 0.0, False);"
        "sys.exit(names['main']())"
    )
    for options, status in ((named, 1), ([], 0)):
        result = subprocess.run(
            [sys.executable, "-c", script, *options], cwd=ROOT, check=False, capture_output=True, text=True
        )
        assert (result.returncode, "3.11 is left out" in result.stdout) == (status, True), result.stderr


def test_make_clean_removes_the_built_documentation() -> None:
    built = re.search(r"-b html docs (\S+)/html$", MAKEFILE, re.MULTILINE)
    removed = re.search(r"^clean:.*\n\trm -rf (.*)$", MAKEFILE, re.MULTILINE)
    assert built
    assert removed
    assert built[1] in removed[1].split()
