"""Results of the doctor: the command, the admin page, and the deploy check."""

import html
import json
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import Client
from django.urls import resolve
from django.utils import timezone, translation

from okta_devorg import OrgHandle
from selfreg.doctor.findings import FINDING_KINDS
from selfreg.models import DoctorRun
from support.misconfiguration import change_app

DOCS = Path(__file__).resolve().parents[2] / "docs" / "org-setup.md"


def doctor(*arguments: str) -> tuple[int, str]:
    """Run the command and return exit code and output."""
    out = StringIO()
    try:
        call_command("selfreg_doctor", *arguments, stdout=out)
    except SystemExit as exit_error:
        return int(str(exit_error.code)), out.getvalue()
    return 0, out.getvalue()


def deploy_warnings() -> list[str]:
    return [str(m.id) for m in run_checks(include_deployment_checks=True) if m.id == "selfreg.W002"]


def test_doctor_exits_with_zero_for_a_correct_org(right_org: OrgHandle) -> None:
    code, output = doctor()
    assert (code, "No problems found." in output) == (0, True)


def test_admin_doctor_run_opens_no_transaction() -> None:
    """Even with ``ATOMIC_REQUESTS``: the doctor calls Okta a dozen times."""
    view: Any = resolve("/admin/selfreg/doctorrun/examine/").func
    assert "default" in view._non_atomic_requests  # noqa: SLF001  (how Django marks such views)


def test_doctor_exits_with_one_and_explains_the_finding(right_org: OrgHandle) -> None:
    right_org.patch_policy({"sign_up": False})
    code, output = doctor()
    assert code == 1
    assert "doctor.signup-denied" in output
    assert "Security > User profile policies" in output
    assert re.search(r"in older versions +Security > Profile Enrollment", output)
    assert "manage.py selfreg_setup_org" in output


def test_warnings_fail_only_with_fail_level_warning(right_org: OrgHandle) -> None:
    right_org.patch_policy({"lifetimes": {"before_user": 60}})
    assert doctor()[0] == 0
    assert doctor("--fail-level", "warning")[0] == 1


def test_json_output_is_one_object_without_secrets(right_org: OrgHandle, configure: Callable[..., None]) -> None:
    configure(API_TOKEN="canary-token", CLIENT_SECRET="canary-secret")
    code, output = doctor("--json")
    assert code == 1
    ids = {finding["id"] for finding in json.loads(output)["findings"]}
    assert ids == {"doctor.client-secret-wrong", "doctor.token-refused"}
    assert "canary" not in output + json.dumps(DoctorRun.objects.get().report)


@pytest.mark.database
def test_admin_page_shows_the_last_run(right_org: OrgHandle) -> None:
    right_org.patch_policy({"sign_up": False})
    doctor()
    browser = Client()
    browser.force_login(User.objects.create_superuser("admin"))
    for url in ("/admin/selfreg/doctorrun/", f"/admin/selfreg/doctorrun/{DoctorRun.objects.get().pk}/change/"):
        page = browser.get(url)
        assert page.status_code == 200
        assert "doctor.signup-denied" in page.text
        assert "<script>" not in page.text
        assert ' style="' not in page.text


def test_report_is_stored_in_english_and_shown_in_the_readers_language(right_org: OrgHandle) -> None:
    change_app(right_org, post_logout_redirect_uris=[])
    with translation.override("de"):
        _code, output = doctor()
        _code, as_json = doctor("--json")
    assert "Die Sign-out-Redirect-URI ist nicht so eingetragen" in output
    assert "verwendet: http://127.0.0.1:8000/" in output
    for report in (json.loads(as_json), DoctorRun.objects.first().report):  # type: ignore[union-attr]
        finding = report["findings"][0]
        assert finding["sentence"] == "The sign-out redirect URI isn't registered as this site uses it."
        assert finding["detail"] == "used: http://127.0.0.1:8000/"
        assert finding["values"] == {"used": "http://127.0.0.1:8000/"}
        assert "form" in [fact["subject"] for fact in report["facts"]]
    browser = Client(headers={"Accept-Language": "fr"})
    browser.force_login(User.objects.create_superuser("admin"))
    for url in ("/admin/selfreg/doctorrun/", f"/admin/selfreg/doctorrun/{DoctorRun.objects.latest('at').pk}/change/"):
        page = html.unescape(browser.get(url).text)
        assert "L’URI de redirection de déconnexion n’est pas enregistrée" in page
        assert "utilisé\u202f: http://127.0.0.1:8000/" in page
        assert "demande\u202f: firstName" in page


def test_report_of_an_older_version_is_shown_unchanged(right_org: OrgHandle) -> None:
    stored_finding = {
        "id": "doctor.gone",
        "severity": "error",
        "sentence": "Gone.",
        "detail": "100%",
        "path": "",
        "command": "",
    }
    report = {"with_token": True, "findings": [stored_finding], "facts": [{"subject": "form", "text": "as it was"}]}
    DoctorRun.objects.create(issuer="https://x.example", ok=False, report=report)
    browser = Client(headers={"Accept-Language": "de"})
    browser.force_login(User.objects.create_superuser("admin"))
    page = browser.get("/admin/selfreg/doctorrun/").text
    assert [text for text in ("doctor.gone", "Gone.", "100%", "as it was") if text not in page] == []


@pytest.mark.parametrize("code", ["ar", "de", "es", "fr", "ja", "pt-br"])
def test_every_finding_is_translated(code: str) -> None:
    english = {finding.id: str(finding.sentence) for finding in FINDING_KINDS}
    with translation.override(code):
        assert [f.id for f in FINDING_KINDS if str(f.sentence) == english[f.id]] == []


def test_admin_page_shows_that_the_doctor_has_not_run(right_org: OrgHandle) -> None:
    browser = Client()
    browser.force_login(User.objects.create_superuser("admin"))
    assert "The org was never examined." in browser.get("/admin/selfreg/doctorrun/").text


@pytest.mark.database
def test_old_doctor_runs_are_deleted(right_org: OrgHandle) -> None:
    DoctorRun.objects.bulk_create(DoctorRun(issuer="x", ok=True) for _ in range(DoctorRun.MAX_RUNS + 5))
    doctor()
    assert DoctorRun.objects.count() == DoctorRun.MAX_RUNS


def test_deploy_check_warns_if_the_doctor_has_not_run_for_a_week(right_org: OrgHandle) -> None:
    assert deploy_warnings() == ["selfreg.W002"]
    doctor()
    assert deploy_warnings() == []
    DoctorRun.objects.update(at=timezone.now() - timedelta(days=8))
    assert deploy_warnings() == ["selfreg.W002"]


def test_finding_ids_are_unique_and_documented() -> None:
    ids = [finding.id for finding in FINDING_KINDS]
    assert len(ids) == len(set(ids))
    documented = DOCS.read_text()
    assert [identifier for identifier in ids if f"`{identifier}`" not in documented] == []


pytestmark = pytest.mark.django_db
