"""The email factor of the Factors API, and activation of users with and without a password."""

import re
from typing import Any

import pytest
import requests

from okta_devorg import OrgHandle

ADA = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "login": "ada@example.com"}
FACTOR = {"factorType": "email", "provider": "OKTA", "profile": {"email": ADA["email"]}}


class Factors:
    """The factors of one user, through the API."""

    def __init__(self, org: OrgHandle) -> None:
        self.users, self.headers = f"{org.base}/api/v1/users", {"Authorization": f"SSWS {org.policy.api_token}"}
        body = {"profile": ADA, "credentials": {"password": {"value": "Correct-horse-7"}}}
        self.user = f"{self.users}/{self.call('POST', self.users, body)['id']}"

    def call(self, method: str, url: str, body: Any = None, status: int = 200) -> Any:
        reply = requests.request(method, url, json=body, headers=self.headers, timeout=60)
        assert reply.status_code == status, reply.text
        return reply.json()

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        return self.call("POST", f"{self.user}/{path}", body, status)

    def listed(self) -> list[tuple[str, str]]:
        return [(f["factorType"], f["status"]) for f in self.call("GET", f"{self.user}/factors")]


@pytest.fixture
def factors(org: OrgHandle) -> Factors:
    return Factors(org)


def test_a_code_activates_the_factor_and_verifies_the_address(org: OrgHandle, factors: Factors) -> None:
    factor = factors.post("factors", FACTOR)
    assert (factor["status"], factors.listed()) == ("PENDING_ACTIVATION", [("email", "PENDING_ACTIVATION")])
    activate = f"factors/{factor['id']}/lifecycle/activate"
    wrong = factors.post(activate, {"passCode": "000000"}, 403)
    assert (wrong["errorCode"], org.users[0].email_verified) == ("E0000068", False)
    first = org.code(ADA["email"])
    factors.post(f"factors/{factor['id']}/resend", FACTOR)
    factors.post(activate, {"passCode": first}, 403)
    factors.post(activate, {"passCode": org.code(ADA["email"])})
    assert (factors.listed(), org.users[0].email_verified) == ([("email", "ACTIVE")], True)


def test_a_code_of_a_challenge_works_once(org: OrgHandle, factors: Factors) -> None:
    factor = factors.post("factors", FACTOR)
    factors.post(f"factors/{factor['id']}/lifecycle/activate", {"passCode": org.code(ADA["email"])})
    verify = f"factors/{factor['id']}/verify"
    assert factors.post(verify, {})["factorResult"] == "CHALLENGE"
    code = {"passCode": org.code(ADA["email"])}
    assert factors.post(verify, code)["factorResult"] == "SUCCESS"
    factors.post(verify, code, 403)
    factors.post("factors", FACTOR, 400)


def test_an_expired_code_is_refused(org: OrgHandle, factors: Factors) -> None:
    factor = factors.post("factors", FACTOR)
    org.advance(301)
    factors.post(f"factors/{factor['id']}/lifecycle/activate", {"passCode": org.code(ADA["email"])}, 403)


INVALID: list[tuple[Any, int]] = [
    ({}, 400),
    (FACTOR | {"factorType": "sms"}, 400),
    (FACTOR | {"profile": {"email": "other@example.com"}}, 400),
    (FACTOR | {"profile": []}, 400),
]


@pytest.mark.parametrize(("body", "status"), INVALID)
def test_other_factors_and_other_addresses_are_refused(
    org: OrgHandle, factors: Factors, body: Any, status: int
) -> None:
    factors.post("factors", body, status)
    assert org.messages(ADA["email"]) == []


def test_the_email_factor_is_refused_without_the_email_authenticator(org: OrgHandle, factors: Factors) -> None:
    org.patch_policy({"authenticators": {"okta_email": "disabled"}})
    assert factors.post("factors", FACTOR, 403)["errorCode"] == "E0000015"


@pytest.mark.parametrize("verb", ["resend", "verify", "lifecycle/activate"])
def test_an_unknown_factor_has_status_404(factors: Factors, verb: str) -> None:
    factors.post(f"factors/eaeMadeUp/{verb}", {"passCode": "1"}, 404)


def test_activation_sends_a_link_only_to_users_without_a_password(org: OrgHandle, factors: Factors) -> None:
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


def test_the_code_of_the_factor_has_the_format_of_the_settings(org: OrgHandle, factors: Factors) -> None:
    org.patch_policy({"email_code": {"length": 9, "alphanumeric": True}})
    factors.post("factors", FACTOR)
    assert len(org.code(ADA["email"])) == 9
