"""The e-mail factor of the Factors API, and what activating does to who has a password."""

import re
from typing import Any

import pytest
import requests

from okta_devorg import OrgHandle

ADA = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "login": "ada@example.com"}
ASKED = {"factorType": "email", "provider": "OKTA", "profile": {"email": ADA["email"]}}


class Factors:
    """Ada's, as an administrator's program sees them."""

    def __init__(self, org: OrgHandle) -> None:
        self.users, self.headers = f"{org.base}/api/v1/users", {"Authorization": f"SSWS {org.policy.api_token}"}
        body = {"profile": ADA, "credentials": {"password": {"value": "Correct-horse-7"}}}
        self.user = f"{self.users}/{self.call('POST', self.users, body)['id']}"

    def call(self, method: str, url: str, body: Any = None, status: int = 200) -> Any:
        reply = requests.request(method, url, json=body, headers=self.headers, timeout=5)
        assert reply.status_code == status, reply.text
        return reply.json()

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        return self.call("POST", f"{self.user}/{path}", body, status)

    def listed(self) -> list[tuple[str, str]]:
        return [(f["factorType"], f["status"]) for f in self.call("GET", f"{self.user}/factors")]


@pytest.fixture
def factors(org: OrgHandle) -> Factors:
    return Factors(org)


def test_a_code_activates_the_factor_and_proves_the_address(org: OrgHandle, factors: Factors) -> None:
    factor = factors.post("factors", ASKED)
    assert (factor["status"], factors.listed()) == ("PENDING_ACTIVATION", [("email", "PENDING_ACTIVATION")])
    activate = f"factors/{factor['id']}/lifecycle/activate"
    wrong = factors.post(activate, {"passCode": "000000"}, 403)
    assert (wrong["errorCode"], org.users[0].email_verified) == ("E0000068", False)
    first = org.code(ADA["email"])
    factors.post(f"factors/{factor['id']}/resend", ASKED)
    factors.post(activate, {"passCode": first}, 403)
    factors.post(activate, {"passCode": org.code(ADA["email"])})
    assert (factors.listed(), org.users[0].email_verified) == ([("email", "ACTIVE")], True)


def test_an_active_factor_is_challenged_by_a_code_that_works_once(org: OrgHandle, factors: Factors) -> None:
    factor = factors.post("factors", ASKED)
    factors.post(f"factors/{factor['id']}/lifecycle/activate", {"passCode": org.code(ADA["email"])})
    verify = f"factors/{factor['id']}/verify"
    assert factors.post(verify, {})["factorResult"] == "CHALLENGE"
    code = {"passCode": org.code(ADA["email"])}
    assert factors.post(verify, code)["factorResult"] == "SUCCESS"
    factors.post(verify, code, 403)
    factors.post("factors", ASKED, 400)


def test_a_code_runs_out(org: OrgHandle, factors: Factors) -> None:
    factor = factors.post("factors", ASKED)
    org.advance(301)
    factors.post(f"factors/{factor['id']}/lifecycle/activate", {"passCode": org.code(ADA["email"])}, 403)


ODD: list[tuple[Any, int]] = [
    ({}, 400),
    (ASKED | {"factorType": "sms"}, 400),
    (ASKED | {"profile": {"email": "other@example.com"}}, 400),
    (ASKED | {"profile": []}, 400),
]


@pytest.mark.parametrize(("body", "status"), ODD)
def test_other_factors_and_other_addresses_are_refused(
    org: OrgHandle, factors: Factors, body: Any, status: int
) -> None:
    factors.post("factors", body, status)
    assert org.messages(ADA["email"]) == []


def test_an_org_without_the_email_authenticator_has_no_such_factor(org: OrgHandle, factors: Factors) -> None:
    org.patch_policy({"authenticators": {"okta_email": "disabled"}})
    assert factors.post("factors", ASKED, 403)["errorCode"] == "E0000015"


@pytest.mark.parametrize("verb", ["resend", "verify", "lifecycle/activate"])
def test_a_factor_that_is_not_there_is_not_found(factors: Factors, verb: str) -> None:
    factors.post(f"factors/eaeMadeUp/{verb}", {"passCode": "1"}, 404)


def test_only_who_has_no_password_waits_for_the_link(org: OrgHandle, factors: Factors) -> None:
    factors.call("POST", f"{factors.user}/lifecycle/deactivate", {})
    factors.call("POST", f"{factors.user}/lifecycle/activate?sendEmail=true", {})
    assert (org.users[0].status, org.users[0].password_hash) == ("PROVISIONED", None)
    (mail,) = org.messages(ADA["email"])
    assert re.search(r"/welcome/", str(mail.link))
    grace = ADA | {"email": "grace@example.com", "login": "grace@example.com"}
    body = {"profile": grace, "credentials": {"password": {"value": "Correct-horse-7"}}}
    made = factors.call("POST", f"{factors.users}?activate=false", body)
    factors.call("POST", f"{factors.users}/{made['id']}/lifecycle/activate?sendEmail=true", {})
    assert (org.users[1].status, org.messages(grace["email"])) == ("ACTIVE", [])
