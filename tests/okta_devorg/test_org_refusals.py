"""What real orgs' Management APIs were recorded to refuse is refused here, with the same status and code.

Not here: a 423 while priorities are reconciled, and a 500.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from okta_devorg import OrgHandle
from okta_devorg.factors.catalogue import AUTHENTICATORS
from okta_devorg.testing import OktaOrg
from support.local_org import contract
from support.local_org.management_api import ManagementApi
from support.local_org.org_journey import ADA, CLIENT, Journey


@dataclass(frozen=True)
class Refusal:
    """One line of the list."""

    name: str
    method: str
    path: str
    status: int
    code: str


def read_refusals() -> list[Refusal]:
    file = Path(contract.__file__).with_name("refusals.txt")
    rows = [line.split() for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
    return [Refusal(name, method, path, int(status), code) for name, method, path, status, code in rows]


BODIES = {
    "unknown-attribute": {"profile": {**ADA, "login": ADA["email"], "notValid": "x"}},
    "authenticator-without-sense": {"key": "nonsense", "name": "x"},
    "mapping": {"resourceId": CLIENT},
}


@pytest.mark.parametrize("refusal", read_refusals(), ids=lambda refusal: refusal.name)
def test_it_is_refused_as_recorded(org: OrgHandle, api: ManagementApi, refusal: Refusal) -> None:
    user = OktaOrg(org).sign_up("grace@example.com").id
    policies = {"access_policy": "rstLocalAccessPol001", "password_policy": "00pLocalPassword0001"}
    ids = {key: authenticator.id for key, authenticator in AUTHENTICATORS.items()}
    path = refusal.path.format(app=CLIENT, user=user, **policies, **ids)
    error = api(refusal.method, path, BODIES.get(refusal.name), status=refusal.status)
    assert error["errorCode"] == refusal.code
    assert set(error) == {"errorCode", "errorSummary", "errorLink", "errorId", "errorCauses"}
    assert all(set(cause) == {"errorSummary"} for cause in error["errorCauses"])


def test_a_phone_is_not_switched_on_while_nothing_sends_texts(org: OrgHandle, api: ManagementApi) -> None:
    phone = next(item for item in api("GET", "authenticators") if item["key"] == "phone_number")
    (hook,) = api("GET", "inlineHooks", type="com.okta.telephony.provider")
    api("POST", f"inlineHooks/{hook['id']}/lifecycle/deactivate")
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    assert api("GET", f"authenticators/{phone['id']}")["status"] == "INACTIVE"
    refusal = api("POST", f"authenticators/{phone['id']}/lifecycle/activate", status=400)
    assert refusal["errorCode"] == "E0000226"
    api("POST", f"inlineHooks/{hook['id']}/lifecycle/activate")
    assert api("POST", f"authenticators/{phone['id']}/lifecycle/activate")["status"] == "ACTIVE"
    for method, body in (("DELETE", None), ("PUT", {"name": "x", "type": hook["type"]})):
        api(method, f"inlineHooks/{hook['id']}", body, status=403)


def test_nobody_is_asked_for_a_phone_that_gets_no_texts(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"telephony": False, "authenticators": {"phone_number": "required"}})
    assert "Phone" not in journey.registered().offered
