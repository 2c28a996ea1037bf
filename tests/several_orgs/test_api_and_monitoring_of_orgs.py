"""Several orgs in the JSON API, metrics, log records, probes and rate limits."""

import logging
import os
import subprocess
import sys
from typing import Any

import pytest
from django.test import Client

from okta_devorg import OrgHandle
from selfreg import rate_limits
from selfreg.models import Registration
from selfreg.monitoring.log import fields_of
from support import app_client
from support.app_client import AppClient

pytestmark = pytest.mark.django_db

PRINT_METRICS = """
import os, sys
import project.settings as site
site.SELFREG["ORGS"] = {"partners": {"CLIENT_ID": "0oaPartners"}} if sys.argv[1] == "several" else {}
import django
django.setup()
from selfreg.monitoring import events, metrics
for org, kind in (("default", "started"), ("partners", "started"), ("partners", "completed"), ("partners", "failed")):
    events.registration(kind, org, {"registration": "1", "step": "", "outcome": "ok", "milliseconds": None})
print(metrics.exposition([])[0].decode())
"""


def metric_lines(orgs: str) -> list[str]:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "project.settings"}
    result = subprocess.run(
        [sys.executable, "-c", PRINT_METRICS, orgs], capture_output=True, text=True, check=True, env=environment
    )
    return [line for line in result.stdout.splitlines() if line.startswith("selfreg_") and "_created" not in line]


def test_metrics_have_an_org_label_if_there_are_several_orgs() -> None:
    several, one = metric_lines("several"), metric_lines("one")
    assert 'selfreg_started_total{org="default"} 1.0' in several
    assert 'selfreg_started_total{org="partners"} 1.0' in several
    assert 'selfreg_completed_total{org="partners"} 1.0' in several
    assert 'selfreg_ended_total{kind="failed",org="partners",reason="ok"} 1.0' in several
    assert "selfreg_started_total 2.0" in one
    assert "selfreg_completed_total 1.0" in one
    assert not [line for line in one if "org=" in line]


def test_log_records_contain_the_org(partners_org: OrgHandle, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "selfreg.events")
    AppClient().begins()
    fields = [fields_of(record) for record in caplog.records]
    assert "default" in [f.get("org") for f in fields]


def test_openapi_document_has_the_paths_of_its_include(partners_org: OrgHandle) -> None:
    for mount in ("/partners/signup/api/", "/signup/api/"):
        paths = Client().get(f"{mount}openapi.json").json()["paths"]
        assert [path for path in paths if not path.startswith(mount)] == []
        assert f"{mount}step/" in paths


@pytest.mark.parametrize("by_token", [False, True])
def test_json_api_signs_up_at_the_org_of_its_include(
    partners_org: OrgHandle, org: OrgHandle, monkeypatch: pytest.MonkeyPatch, by_token: bool
) -> None:
    monkeypatch.setattr(app_client, "BASE", "/partners/signup/api/")
    client = AppClient("grace@example.com", by_token=by_token).signs_up(partners_org)
    assert client.answer["status"] == "completed"
    assert client.answer["go"] == "http://testserver/members/"
    assert Registration.objects.get().org == "partners"
    assert not org.users


def test_api_token_of_one_org_is_not_accepted_at_another(
    partners_org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = AppClient(by_token=True).begins()
    assert Registration.objects.get().org == "default"
    monkeypatch.setattr(app_client, "BASE", "/partners/signup/api/")
    assert (client.get("step/").status, client.problem) == (404, "no-registration")


def test_health_probes_work_at_the_include_of_an_org(partners_org: OrgHandle, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/partners/signup/health/live").status_code == 200
    assert Client().get("/partners/signup/health/ready").status_code == 200
    assert Client().get("/partners/signup/").status_code == 301


def test_rate_limits_are_separate_for_each_org(
    partners_org: OrgHandle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "start by ip", rate_limits.Limit(1, 60, relaxed=1))
    AppClient().begins()
    second = AppClient("grace@example.com").begins()
    assert (second.status, second.problem) == (429, "wait")
    monkeypatch.setattr(app_client, "BASE", "/partners/signup/api/")
    assert AppClient("grace@example.com").begins().status == 201
    assert AppClient("mary@example.com").begins().status == 429
