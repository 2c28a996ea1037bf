"""okta-auth-js (both major versions) in node against the local org."""

import json
import subprocess
from typing import Any

import pytest
import requests

from okta_devorg import OrgHandle
from okta_devorg.factors.questions import PREDEFINED
from okta_devorg.state.users import Status, User, hash_secret, new_enrollment
from okta_devorg.testing import OktaOrg
from support.clients import CLIENT, CLIENTS
from support.local_org.org_journey import ADA, PASSWORD

pytestmark = pytest.mark.parametrize("major", ["7", "8"])


class Runner:
    def __init__(self, node: str, org: OrgHandle) -> None:
        self.node, self.org = node, org

    def __call__(self, major: str, scenario: str, **app: Any) -> dict[str, Any]:
        client = json.dumps({**CLIENT, **app})
        command = [self.node, "auth_js.cjs", major, scenario, self.org.issuer, self.org.base, client]
        process = subprocess.run(command, cwd=CLIENTS, capture_output=True, text=True, timeout=30, check=False)
        assert process.stdout, process.stderr
        result: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
        return result


@pytest.fixture
def run(node: str, org: OrgHandle) -> Runner:
    return Runner(node, org)


def assert_signed_in(result: dict[str, Any], org: OrgHandle) -> None:
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
def test_auth_js_signs_up(run: Runner, org: OrgHandle, major: str, scenario: str, policy: dict[str, Any]) -> None:
    org.patch_policy(policy)
    assert_signed_in(run(major, scenario), org)


def test_auth_js_signs_up_once_and_signs_in(run: Runner, org: OrgHandle, major: str) -> None:
    assert_signed_in(run(major, "email_and_password"), org)
    assert_signed_in(run(major, "signing_in"), org)
    assert run(major, "an_existing_person")["messages"] == ["registration.error.notUniqueWithinOrg"]
    assert PASSWORD not in str(org.calls())


@pytest.fixture
def ada(org: OrgHandle) -> User:
    """Create an account with a phone and a security question."""
    OktaOrg(org).sign_up()
    user = org.users[0]
    user.enroll(new_enrollment("phone_number", ("sms",), phone="+14155550100"))
    question = {"question": PREDEFINED["disliked_food"], "answer_hash": hash_secret("beetroot")}
    user.enroll(new_enrollment("security_question", ("security_question",), **question))
    return user


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    ("scenario", "amr"),
    [
        ("signing_in_with_a_mailed_code", ["pwd", "otp"]),
        ("signing_in_with_a_resent_code", ["pwd", "otp"]),
        ("signing_in_with_a_text", ["pwd", "sms"]),
        ("signing_in_with_a_question", ["pwd", "kba"]),
        ("recovering_the_password", ["otp", "pwd"]),
    ],
)
def test_auth_js_verifies_the_authenticators_of_the_policy(
    run: Runner, org: OrgHandle, major: str, scenario: str, amr: list[str]
) -> None:
    org.patch_policy({"sign_on": "password_and_another"})
    result = run(major, scenario)
    assert_signed_in(result, org)
    assert result["claims"]["amr"] == amr


@pytest.mark.usefixtures("ada")
def test_auth_js_enrolls_a_missing_authenticator_at_sign_in(run: Runner, org: OrgHandle, major: str) -> None:
    org.users[0].enrollments.pop("phone_number")
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    result = run(major, "signing_in_with_a_required_phone_missing")
    assert_signed_in(result, org)
    assert "phone_number" in org.users[0].enrollments


def test_auth_js_changes_an_expired_password(run: Runner, org: OrgHandle, major: str, ada: User) -> None:
    ada.status = Status.PASSWORD_EXPIRED
    result = run(major, "signing_in_with_an_expired_password")
    assert "reenroll-authenticator" in result["steps"]
    assert_signed_in(result, org)


def test_auth_js_unlocks_an_account(run: Runner, org: OrgHandle, major: str, ada: User) -> None:
    org.patch_policy({"password": {"recovery": {"unlock": True}}})
    ada.status = Status.LOCKED_OUT
    result = run(major, "unlocking_the_account")
    assert (result["status"], result["messages"]) == ("TERMINAL", ["selfservice.unlock_user.success.message"])
    assert ada.status is Status.ACTIVE


def test_auth_js_reports_a_wrong_code(run: Runner, org: OrgHandle, major: str) -> None:
    result = run(major, "a_wrong_code_first")
    assert "api.authn.error.PASSCODE_INVALID" in result["messages"]
    assert_signed_in(result, org)


def test_auth_js_continues_with_an_activation_token(run: Runner, org: OrgHandle, major: str) -> None:
    app = {"client_secret": "s3cret"}
    org.patch_policy({"apps": [{**CLIENT, **app}], "authenticators": {"okta_email": "disabled"}})
    headers = {"Authorization": f"SSWS {org.policy.api_token}"}
    api = org.base + "/api/v1/users"
    profile = {"profile": {**ADA, "login": ADA["email"]}}
    user = requests.post(api + "?activate=false", json=profile, headers=headers, timeout=60).json()
    url = f"{api}/{user['id']}/lifecycle/activate?sendEmail=false"
    token = requests.post(url, headers=headers, timeout=60).json()["activationToken"]
    assert_signed_in(run(major, "an_activation_token", activation_token=token, **app), org)


def test_auth_js_reports_an_expired_session(run: Runner, major: str) -> None:
    assert "idx.session.expired" in run(major, "a_session_that_expired")["messages"]
