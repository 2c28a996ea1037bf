"""Refusals recorded from the Management APIs of real orgs: the same status and code here.
Not here: a 423 while priorities are reconciled, and a 500.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from okta_devorg import OrgHandle
from okta_devorg.factors.catalogue import AUTHENTICATORS
from okta_devorg.testing import OktaOrg
from support.local_org import contract
from support.local_org.management_api import Json, ManagementApi
from support.local_org.org_journey import ADA, CLIENT, Journey


@dataclass(frozen=True)
class Refusal:
    """One line of the list."""

    name: str
    method: str
    path: str
    status: int
    code: str
    words: str


def hook_body(kind: str) -> Json:
    channel = {"type": "HTTP", "version": "1.0.0", "config": {"uri": "http://127.0.0.1:9/"}}
    return {"name": "Hook", "type": kind, "version": "1.0.0", "channel": channel}


def read_refusals() -> list[Refusal]:
    file = Path(contract.__file__).with_name("refusals.txt")
    rows = [line.split(maxsplit=5) for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
    return [
        Refusal(name, method, path, int(status), code, "".join(words))
        for name, method, path, status, code, *words in rows
    ]


BODIES = {
    "unknown-attribute": {"profile": {**ADA, "login": ADA["email"], "notValid": "x"}},
    "authenticator-without-sense": {"key": "nonsense", "name": "x"},
    "mapping": {"resourceId": CLIENT},
}


@pytest.mark.parametrize("refusal", read_refusals(), ids=lambda refusal: refusal.name)
def test_a_recorded_refusal_has_the_same_status_and_error(org: OrgHandle, api: ManagementApi, refusal: Refusal) -> None:
    user = OktaOrg(org).sign_up("grace@example.com").id
    policies = {"access_policy": "rstLocalAccessPol001", "password_policy": "00pLocalPassword0001"}
    ids = {key: authenticator.id for key, authenticator in AUTHENTICATORS.items()}
    path = refusal.path.format(app=CLIENT, user=user, **policies, **ids)
    error = api(refusal.method, path, BODIES.get(refusal.name), status=refusal.status)
    assert error["errorCode"] == refusal.code
    words = " | ".join([error["errorSummary"], *(cause["errorSummary"] for cause in error["errorCauses"])])
    assert refusal.words in ("", re.sub(r"not found: \S+ \(", "not found: ID (", words))
    assert set(error) == {"errorCode", "errorSummary", "errorLink", "errorId", "errorCauses"}
    assert all(set(cause) == {"errorSummary"} for cause in error["errorCauses"])


def test_the_phone_authenticator_cannot_be_activated_without_a_telephony_hook(
    org: OrgHandle, api: ManagementApi
) -> None:
    phone = next(item for item in api("GET", "authenticators") if item["key"] == "phone_number")
    assert api("GET", "inlineHooks") == []
    org.patch_policy({"telephony": False, "authenticators": {"phone_number": "required"}})
    assert api("GET", f"authenticators/{phone['id']}")["status"] == "INACTIVE"
    activation = f"authenticators/{phone['id']}/lifecycle/activate"
    assert api("POST", activation, status=400)["errorCode"] == "E0000226"
    assert api("PUT", f"authenticators/{phone['id']}", phone, status=400)["errorCode"] == "E0000226"
    hook = api("POST", "inlineHooks", hook_body("com.okta.telephony.provider"))
    assert [item["id"] for item in api("GET", "inlineHooks", type=hook["type"])] == [hook["id"]]
    assert api("POST", activation)["status"] == "ACTIVE"
    api("POST", f"inlineHooks/{hook['id']}/lifecycle/deactivate")
    assert api("GET", f"authenticators/{phone['id']}")["status"] == "INACTIVE"
    api("POST", f"inlineHooks/{hook['id']}/lifecycle/activate")
    assert api("POST", activation)["status"] == "ACTIVE"
    api("DELETE", f"inlineHooks/{hook['id']}", status=204)
    assert api("POST", activation, status=400)["errorCode"] == "E0000226"


def test_a_telephony_hook_cannot_be_used_for_registration(api: ManagementApi) -> None:
    hook = api("POST", "inlineHooks", hook_body("com.okta.telephony.provider"))
    policy = api("GET", "policies", type="PROFILE_ENROLLMENT")[0]
    (rule,) = api("GET", f"policies/{policy['id']}/rules")
    rule["actions"]["profileEnrollment"]["preRegistrationInlineHooks"] = [{"inlineHookId": hook["id"]}]
    path = f"policies/{policy['id']}/rules/{rule['id']}"
    assert api("PUT", path, rule, status=404)["errorCode"] == "E0000007"
    other = hook_body("com.okta.user.pre-registration")
    assert api("PUT", f"inlineHooks/{hook['id']}", other, status=400)["errorCode"] == "E0000001"


@pytest.mark.parametrize("key", ["okta_email", "phone_number", "security_question"])
def test_the_use_of_an_authenticator_can_be_changed(org: OrgHandle, api: ManagementApi, key: str) -> None:
    path = f"authenticators/{AUTHENTICATORS[key].id}"
    shown = api("GET", path)
    assert shown["settings"]["allowedFor"] == "any"
    shown["settings"]["allowedFor"] = "recovery"
    assert api("PUT", path, shown)["settings"]["allowedFor"] == "recovery"
    assert list(org.policy.recovery_only) == [key]
    shown["settings"]["allowedFor"] = "any"
    assert api("PUT", path, shown)["settings"]["allowedFor"] == "any"
    assert not org.policy.recovery_only
    shown["settings"]["allowedFor"] = "parties"
    assert api("PUT", path, shown, status=400)["errorCode"] == "E0000001"


def test_the_phone_is_not_offered_without_telephony(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"telephony": False, "authenticators": {"phone_number": "required"}})
    assert "Phone" not in journey.registered().offered
