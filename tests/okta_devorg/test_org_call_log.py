"""Neither the call log nor a repr contains a secret."""

import json
from typing import Any

import pytest
import requests

from okta_devorg import OrgHandle
from support.local_org.management_api import ManagementApi
from support.local_org.org_journey import ADA, Journey

CANARY = "canary7secret7canary7secret7canary"


def log_of(org: OrgHandle) -> str:
    return (
        requests.get(org.base + "/_devorg/calls", timeout=60).text + requests.get(org.base + "/calls", timeout=60).text
    )


@pytest.mark.parametrize("header", ["Authorization", "Cookie", "Referer", "Proxy-Authorization"])
def test_secret_headers_are_redacted(org: OrgHandle, header: str) -> None:
    requests.get(org.issuer + "/v1/keys", headers={header: CANARY}, timeout=60)
    log = log_of(org)
    assert (header in log, CANARY in log) == (True, False)


@pytest.mark.parametrize(
    "body",
    [
        {"passCode": CANARY},
        {"passcode": [CANARY]},
        {"credentials": {"password": {"value": CANARY}}},
        {"credentials": {"password": {"hash": {"salt": CANARY, "value": CANARY}}}},
        {"newPassword": {"value": CANARY}},
        {"sharedSecret": CANARY},
        {"x": [{"subject_token": CANARY}]},
        {"deviceToken": CANARY},
        {"PASSWORD": CANARY},
    ],
)
def test_secrets_in_bodies_are_redacted(org: OrgHandle, body: dict[str, Any]) -> None:
    requests.post(org.base + "/api/v1/users/x/factors/y/verify", json=body, timeout=60)
    requests.post(org.issuer + "/v1/token", data=body, params=body, timeout=60)
    assert CANARY not in log_of(org)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/signin/{0}", "/signin/{0}/more", "/signin/reset-password/{0}", "/signin/reset-password/{0}/more",
        "/tokens/{0}/verify", "/tokens/{0}", "/welcome/{0}", "/okta-verify/{0}", "//welcome/{0}", "/Welcome/{0}",
        "/elsewhere/{0}", "/email/verify/app/{0}",
    ],
)  # fmt: skip
def test_secrets_in_paths_are_redacted_even_for_unknown_paths(org: OrgHandle, method: str, path: str) -> None:
    for secret in (CANARY, CANARY[:20]):
        requests.request(method, org.base + path.format(secret), allow_redirects=False, timeout=60)
        if "elsewhere" not in path and "email" not in path:
            assert secret not in log_of(org)
    assert CANARY not in log_of(org)


def test_a_path_without_a_secret_is_logged_unchanged(org: OrgHandle) -> None:
    requests.get(org.base + "/api/v1/users/00u1a2b3c4d5e6f7g8h9/unheardOf", timeout=60)
    assert org.calls()[-1].path == "/api/v1/users/00u1a2b3c4d5e6f7g8h9/unheardOf"


def test_no_repr_contains_a_code_a_link_or_a_state(org: OrgHandle, journey: Journey) -> None:
    journey.registered().choose("Email")
    message = org.messages(ADA["email"])[0]
    transaction = org.org.transactions.find(journey.document["stateHandle"])
    text = repr((message, transaction))
    assert message.code
    assert message.link
    for secret in (message.code, message.link.rpartition("=")[2], journey.state, journey.nonce):
        assert secret not in text


def test_factor_codes_of_the_management_api_are_redacted(org: OrgHandle, api: ManagementApi, journey: Journey) -> None:
    journey.signed_up()
    factor = api("GET", f"users/{ADA['email']}/factors")[0]["id"]
    api("POST", f"users/{ADA['email']}/factors/{factor}/verify", {})
    code = org.code(ADA["email"])
    api("POST", f"users/{ADA['email']}/factors/{factor}/verify", {"passCode": code})
    assert code not in json.dumps([call.body for call in org.calls()])
