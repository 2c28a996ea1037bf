"""A captcha without a provider, for front ends that work out its task themselves."""

import base64
import hashlib
import json
from typing import Any

import pytest

from okta_devorg import OrgHandle
from selfreg.models import Registration
from support.app_client import AppClient

pytestmark = [pytest.mark.django_db]
BOTH = pytest.mark.parametrize("by_token", [False, True], ids=["session", "token"])
TOKEN = "captchaVerify.captchaToken"


@pytest.fixture(autouse=True)
def _altcha(org: OrgHandle) -> None:
    org.patch_policy({"captcha": {"type": "ALTCHA"}})


def solved(task: dict[str, Any]) -> str:
    """As docs/json-api.md describes it."""
    hashes = (hashlib.new(task["algorithm"].replace("-", ""), f"{task['salt']}{n}".encode()) for n in range(10**6))
    number = next(n for n, digest in enumerate(hashes) if digest.hexdigest() == task["challenge"])
    return base64.b64encode(json.dumps({**task, "number": number}).encode()).decode()


@BOTH
def test_the_first_form_goes_through_with_the_task_worked_out(org: OrgHandle, by_token: bool) -> None:
    ada = AppClient(by_token=by_token).get()
    assert (ada.step["captcha"]["kind"], TOKEN in ada.fields()) == ("ALTCHA", True)
    form = ada.answer
    token = solved(ada.get("captcha/").answer)
    values = {"userProfile.firstName": "Ada", "userProfile.lastName": "Lovelace", "userProfile.email": ada.email}
    ada.post(values=values | {TOKEN: token}, form_token=form["form_token"], form_version=form["form_version"])
    assert (ada.status, ada.step["page"]) == (201, "code")
    assert len(org.users) == 1


@BOTH
def test_a_form_that_the_org_refused_gets_a_task_of_its_own(org: OrgHandle, by_token: bool) -> None:
    ada = AppClient(by_token=by_token).begins(**{TOKEN: "e30="})
    assert (ada.status, ada.step["captcha"]["kind"]) == (422, "ALTCHA")
    refused, before = ada.step, len(org.calls("/interact"))
    named = "" if by_token else f"?registration={Registration.objects.get().pk}"
    token = solved(ada.get(f"captcha/{named}").answer)
    assert len(org.calls("/interact")) == before
    values = {field["name"]: field.get("value") for field in refused["fields"]} | {TOKEN: token}
    ada.post("step/", step=refused["mark"], values=values)
    assert (ada.status, ada.step["page"]) == (200, "code")


@BOTH
def test_there_is_no_task_without_such_a_form(org: OrgHandle, by_token: bool) -> None:
    ada = AppClient(by_token=by_token).get()
    org.fail("/api/v1/altcha", "status", status=500)
    assert ada.get("captcha/").status == 503
    org.patch_policy({"captcha": None})
    other = AppClient(by_token=by_token)
    assert other.get("captcha/").status == 409
