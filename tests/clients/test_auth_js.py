"""okta-auth-js, both majors, in node."""

import json
import subprocess
from typing import Any

import pytest
import requests
from conftest import CLIENT, HERE
from org_journey import ADA, PASSWORD

from okta_devorg import OrgHandle

pytestmark = pytest.mark.parametrize("major", ["7", "8"])


class Runner:
    def __init__(self, node: str, org: OrgHandle) -> None:
        self.node, self.org = node, org

    def __call__(self, major: str, scenario: str, **app: Any) -> dict[str, Any]:
        client = json.dumps({**CLIENT, **app})
        command = [self.node, "auth_js.cjs", major, scenario, self.org.issuer, self.org.base, client]
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=30, check=False)
        assert done.stdout, done.stderr
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result


@pytest.fixture
def run(node: str, org: OrgHandle) -> Runner:
    return Runner(node, org)


def signed_up(result: dict[str, Any], org: OrgHandle) -> None:
    assert result["status"] == "SUCCESS", result
    user = org.users[0]
    assert user.status == "ACTIVE"
    assert result["claims"]["sub"] == result["userinfo"]["sub"] == user.id
    assert result["userinfo"]["email"] == ADA["email"]


@pytest.mark.parametrize(
    ("scenario", "policy"),
    [
        ("a_password_too_weak", {}),
        ("resending_the_code", {}),
        ("a_phone", {"authenticators": {"phone_number": "required"}}),
        ("a_security_question", {"authenticators": {"security_question": "required"}}),
        ("skipping_the_rest", {"authenticators": {"okta_password": "optional"}}),
    ],
)
def test_it_signs_up(run: Runner, org: OrgHandle, major: str, scenario: str, policy: dict[str, Any]) -> None:
    org.patch_policy(policy)
    signed_up(run(major, scenario), org)


def test_it_signs_up_and_in_and_not_up_again(run: Runner, org: OrgHandle, major: str) -> None:
    signed_up(run(major, "email_and_password"), org)
    signed_up(run(major, "signing_in"), org)
    assert run(major, "an_existing_person")["messages"] == ["registration.error.notUniqueWithinOrg"]
    assert PASSWORD not in str(org.calls())


def test_it_understands_a_wrong_code(run: Runner, org: OrgHandle, major: str) -> None:
    result = run(major, "a_wrong_code_first")
    assert "api.authn.error.PASSCODE_INVALID" in result["messages"]
    signed_up(result, org)


def test_it_starts_from_an_activation_token(run: Runner, org: OrgHandle, major: str) -> None:
    app = {"client_secret": "s3cret"}
    org.patch_policy({"apps": [{**CLIENT, **app}], "authenticators": {"okta_email": "disabled"}})
    headers = {"Authorization": f"SSWS {org.policy.api_token}"}
    api = org.base + "/api/v1/users"
    profile = {"profile": {**ADA, "login": ADA["email"]}}
    user = requests.post(api + "?activate=false", json=profile, headers=headers, timeout=5).json()
    url = f"{api}/{user['id']}/lifecycle/activate?sendEmail=false"
    token = requests.post(url, headers=headers, timeout=5).json()["activationToken"]
    signed_up(run(major, "an_activation_token", activation_token=token, **app), org)


def test_it_is_told_that_the_session_expired(run: Runner, major: str) -> None:
    assert "idx.session.expired" in run(major, "a_session_that_expired")["messages"]
