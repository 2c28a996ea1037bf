"""The ALTCHA captcha in the JSON API: front ends solve its challenge themselves."""

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


def solve(challenge: dict[str, Any]) -> str:
    """Solve the challenge as docs/json-api.md describes."""
    hashes = (
        hashlib.new(challenge["algorithm"].replace("-", ""), f"{challenge['salt']}{n}".encode()) for n in range(10**6)
    )
    number = next(n for n, digest in enumerate(hashes) if digest.hexdigest() == challenge["challenge"])
    return base64.b64encode(json.dumps({**challenge, "number": number}).encode()).decode()


@BOTH
def test_solved_captcha_is_accepted_with_the_first_form(org: OrgHandle, by_token: bool) -> None:
    client = AppClient(by_token=by_token).get()
    assert (client.step["captcha"]["kind"], TOKEN in client.fields()) == ("ALTCHA", True)
    form = client.answer
    token = solve(client.get("captcha/").answer)
    values = {"userProfile.firstName": "Ada", "userProfile.lastName": "Lovelace", "userProfile.email": client.email}
    client.post(values=values | {TOKEN: token}, form_token=form["form_token"], form_version=form["form_version"])
    assert (client.status, client.step["page"]) == (201, "code")
    assert len(org.users) == 1


@BOTH
def test_rejected_form_gets_a_new_captcha(org: OrgHandle, by_token: bool) -> None:
    client = AppClient(by_token=by_token).begins(**{TOKEN: "e30="})
    assert (client.status, client.step["captcha"]["kind"]) == (422, "ALTCHA")
    rejected_step, before = client.step, len(org.calls("/interact"))
    query = "" if by_token else f"?registration={Registration.objects.get().pk}"
    token = solve(client.get(f"captcha/{query}").answer)
    assert len(org.calls("/interact")) == before
    values = {field["name"]: field.get("value") for field in rejected_step["fields"]} | {TOKEN: token}
    client.post("step/", step=rejected_step["mark"], values=values)
    assert (client.status, client.step["page"]) == (200, "code")


@BOTH
def test_captcha_url_fails_without_a_captcha_in_the_form(org: OrgHandle, by_token: bool) -> None:
    client = AppClient(by_token=by_token).get()
    org.fail("/api/v1/altcha", "status", status=500)
    assert client.get("captcha/").status == 503
    org.patch_policy({"captcha": None})
    other_client = AppClient(by_token=by_token)
    assert other_client.get("captcha/").status == 409
