"""The files in `deploy/`, validated by the programs that read them, where they are installed."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.core.management import load_command_class
from prometheus_client import REGISTRY

from selfreg.monitoring import metrics
from selfreg.reports.gauges import gauges
from selfreg.reports.timers import STALE_AFTER

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
NAME = re.compile(r"selfreg_[a-z0-9_]+")


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def run(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_systemd_units_are_valid(tmp_path: Path) -> None:
    """Paths of a server are replaced by existing ones, because systemd checks that programs exist."""
    systemd = program("systemd-analyze")
    for source in (DEPLOY / "systemd").rglob("*.*"):
        if source.is_file():
            text = source.read_text().replace("/srv/site/.venv/bin/python", sys.executable).replace("/srv/site", "/tmp")
            copy = tmp_path / source.relative_to(DEPLOY / "systemd")
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(text.replace("User=site", "User=root").replace("Group=site", "Group=root"))
    template = tmp_path / "selfreg-command@.service"
    for command in started_by_timers():
        (tmp_path / f"selfreg-command@{command}.service").write_text(template.read_text())
    template.unlink()
    output = run(systemd, "verify", "--man=no", *(str(path) for path in sorted(tmp_path.iterdir()) if path.is_file()))
    assert not [line for line in output.splitlines() if "selfreg" in line], output


def started_by_timers() -> set[str]:
    timers = [path.read_text() for path in (DEPLOY / "systemd").glob("*.timer")]
    return {found for text in timers for found in re.findall(r"selfreg-command@(\w+)\.service", text)}


def test_every_command_and_option_of_the_units_exists() -> None:
    """The doctor's unit fails at a warning, so that it is noticed."""
    for command in started_by_timers():
        arguments_file = DEPLOY / "systemd" / f"selfreg-command@{command}.service.d" / "arguments.conf"
        options = re.findall(r"%i(.*)", arguments_file.read_text()) if arguments_file.exists() else [""]
        load_command_class("selfreg", command).create_parser("manage.py", command).parse_args(options[0].split())
    assert "--fail-level warning" in own_arguments("selfreg_doctor")


def own_arguments(command: str) -> str:
    return (DEPLOY / "systemd" / f"selfreg-command@{command}.service.d" / "arguments.conf").read_text()


def test_every_required_command_has_a_timer() -> None:
    assert started_by_timers() >= set(STALE_AFTER)


def test_alert_rules_are_valid_and_fire() -> None:
    promtool, folder = program("promtool"), DEPLOY / "prometheus"
    run(promtool, "check", "config", "--syntax-only", str(folder / "prometheus.yml"))
    run(promtool, "check", "rules", str(folder / "alerts.yml"))
    run(promtool, "test", "rules", str(folder / "alerts_test.yml"))


def expressions() -> list[str]:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
    panels = json.loads((DEPLOY / "grafana" / "selfreg.json").read_text())["panels"]
    return [rule["expr"] for rule in rules] + [t["expr"] for panel in panels for t in panel["targets"]]


def test_dashboard_and_alerts_use_existing_metrics(db: None) -> None:
    known = {"selfreg_" + gauge.name for gauge in gauges()}
    for family in REGISTRY.collect():
        kinds = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
        known |= {family.name + ending for ending in kinds.get(family.type, [""])}
    named = {name for expression in expressions() for name in NAME.findall(re.sub(r'"[^"]*"', "", expression))}
    assert len(named) > 15
    assert named - known == set()


def test_systemd_unit_creates_the_metrics_folder() -> None:
    """Importing prometheus_client opens a file in that folder, in the check before the start as well as in gunicorn."""
    unit = (DEPLOY / "systemd" / "selfreg.service").read_text()
    (folder,) = re.findall(r"PROMETHEUS_MULTIPROC_DIR=/run/(\S+)", unit)
    (created,) = re.findall(r"^RuntimeDirectory=(.*)$", unit, re.MULTILINE)
    assert folder in created.split()


def test_every_alert_is_in_the_runbook() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    assert [rule["alert"] for rule in rules if f"**{rule['alert']}**" not in runbook] == []


def test_dashboard_panels_do_not_overlap() -> None:
    panels = json.loads((DEPLOY / "grafana" / "selfreg.json").read_text())["panels"]
    positions = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels]
    assert len(set(positions)) == len(positions)
    assert len({p["id"] for p in panels}) == len(panels)


def test_metrics_are_available_in_this_test_run() -> None:
    """Otherwise the test of metric names would compare nothing."""
    assert metrics.is_available
