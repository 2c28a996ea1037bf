"""docs/runbook.md: its table matches dashboard and alerts, and leads to the cause from dashboard and log."""

from pathlib import Path

import pytest
import yaml
from django.db import connection

from benchmarks.cluster.data import binary
from benchmarks.drill.__main__ import observed
from benchmarks.drill.causes import CAUSES
from benchmarks.drill.dashboard import DEPLOY, is_installed, panels, quickened
from benchmarks.drill.logs import parsed
from benchmarks.drill.runbook import Series, cause_by_dashboard, cause_by_logs, rows
from benchmarks.drill.running import running_drill

RULES = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
STATUS, PAGES, CALLS = "Calls to Okta by status", "Time of pages", "Time of calls to Okta"


def test_runbook_table_uses_existing_panels_and_alerts() -> None:
    assert [row.panel.panel for row in rows() if row.panel.panel not in panels()] == []
    assert {row.alert for row in rows()} <= {rule["alert"] for rule in RULES}
    assert all(row.logs and row.remedy for row in rows())


def test_labels_in_the_runbook_table_exist_in_the_panels() -> None:
    for row in rows():
        expressions = " ".join(panels()[row.panel.panel])
        assert [name for name, _, _ in row.panel.labels if name not in expressions] == []


def test_drill_covers_every_cause_of_the_runbook() -> None:
    assert [row.cause for row in rows()] == list(dict.fromkeys(row.cause for row in rows()))
    assert {row.cause for row in rows()} == set(CAUSES)


@pytest.mark.parametrize(
    ("panel_values", "cause"),
    [
        ({}, ""),
        ({STATUS: [({"status": "200"}, 3.0), ({"status": "400"}, 1.0)], PAGES: [({}, 0.2)]}, ""),
        ({STATUS: [({"status": "429"}, 0.1), ({"status": "503"}, 0.1)]}, "Okta limits us"),
        ({STATUS: [({"status": "OrgUnreachable"}, 0.1)], PAGES: [({}, 4.0)]}, "Okta is down"),
        ({STATUS: [({"status": "503"}, 0.0)]}, ""),
        ({CALLS: [({}, 3.0)], PAGES: [({}, 6.0)]}, "Okta is slow"),
        ({CALLS: [({}, float("nan"))], PAGES: [({}, 6.0)]}, "The database is slow"),
        ({"Pages without a form": [({"reason": "OrgUnreachable"}, 9.0)]}, ""),
        ({"Pages without a form": [({"reason": "not offered"}, 1.0)]}, "The policy was changed"),
    ],
)
def test_first_matching_row_of_the_runbook_is_the_cause(panel_values: dict[str, Series], cause: str) -> None:
    assert cause_by_dashboard(rows(), panel_values) == cause


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ('{"event": "okta.call_failed", "status": 503, "path": "/x"}', "Okta is down"),
        ('{"event": "okta.call_failed", "error": "AnswerLost"}', "Okta is down"),
        ('{"event": "okta.call_failed", "status": 429}', "Okta limits us"),
        ('{"event": "okta.call_failed", "status": 403}', ""),
        ('{"event": "registration.answered", "outcome": "ok", "milliseconds": 2900}', "Okta is slow"),
        ('{"event": "registration.answered", "outcome": "refused:captchaVerify.captchaToken"}', "The captcha fails"),
        ('{"event": "sign_up.unavailable: see there", "reason": "not offered"}', "The policy was changed"),
        ('{"event": "sign_up.unavailable: see there", "reason": "OrgUnreachable"}', ""),
        ('127.0.0.1 "GET /signup/step/" 200 4711 3100ms 0123abcd', "The database is slow"),
        ('127.0.0.1 "GET /signup/metrics" 200 4711 3100ms 0123abcd', ""),
        ('127.0.0.1 "GET /signup/" 200 4711 31ms 0123abcd', ""),
        ("[2026-01-01 00:00:00 +0000] [1] [INFO] Booting worker", ""),
    ],
)
def test_cause_is_found_from_two_log_lines(line: str, cause: str) -> None:
    lines = [found for found in (parsed(line),) if found]
    assert cause_by_logs(rows(), lines) == ""
    assert cause_by_logs(rows(), lines * 2) == cause


def test_drill_shortens_only_the_windows_of_expressions() -> None:
    assert quickened('sum(rate(selfreg_a{b="[5m"}[5m])) * 60') == 'sum(rate(selfreg_a{b="[5m"}[20s])) * 60'


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.database
@pytest.mark.skipif(connection.vendor != "postgresql", reason="the drill runs on a PostgreSQL of its own, once")
def test_drill_finds_causes_from_the_dashboard_and_from_the_log(tmp_path: Path) -> None:
    """`make drill` does this for all causes."""
    if not is_installed() or not binary("initdb"):
        pytest.skip("Prometheus and PostgreSQL are not both installed")
    with running_drill(tmp_path) as drill:
        for cause in ("Okta is down", "The captcha fails"):
            observation = observed(drill, 4, cause, patience=600)
            assert (observation.by_dashboard, observation.by_logs) == (cause, cause)
            assert observation.lines
