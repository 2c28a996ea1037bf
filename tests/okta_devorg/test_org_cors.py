"""CORS headers for a browser client on another loopback port."""

import pytest
import requests

from okta_devorg import OrgHandle
from support.local_org.org_journey import Journey

SITE = "http://localhost:3000"


def test_every_response_allows_the_origin_with_credentials_even_errors(org: OrgHandle, journey: Journey) -> None:
    journey.interact()
    journey.http.headers["Origin"] = SITE
    for body in ({"interactionHandle": journey.handle}, {"interactionHandle": "stale"}):
        journey.post(org.base + "/idp/idx/introspect", body)
        headers = journey.reply.headers
        assert headers["Access-Control-Allow-Origin"] == SITE
        assert headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in headers["Vary"]
    org.fail("*", "status", status=503)
    journey.introspect()
    assert (journey.status, journey.reply.headers["Access-Control-Allow-Origin"]) == (503, SITE)


@pytest.mark.parametrize(
    "path",
    [
        "/oauth2/default/v1/interact",
        "/oauth2/default/v1/keys",
        "/oauth2/default/.well-known/openid-configuration",
        "/idp/idx/introspect",
    ],
)
def test_preflight_requests_are_answered_on_every_path(org: OrgHandle, path: str) -> None:
    reply = requests.options(org.base + path, headers={"Origin": SITE}, timeout=60)
    assert (reply.status_code, reply.content) == (204, b"")
    assert reply.headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"
    for name in ("content-type", "accept", "accept-language", "authorization", "x-okta-user-agent-extended"):
        assert name in reply.headers["Access-Control-Allow-Headers"].split(", ")


def test_other_origins_are_allowed_only_if_trusted(org: OrgHandle) -> None:
    url, other_origin = org.issuer + "/v1/keys", "https://app.example"
    allowed = "Access-Control-Allow-Origin"
    assert allowed not in requests.get(url, headers={"Origin": other_origin}, timeout=60).headers
    org.patch_policy({"trusted_origins": [other_origin]})
    assert requests.get(url, headers={"Origin": other_origin}, timeout=60).headers[allowed] == other_origin
    assert allowed not in requests.get(url, headers={"Origin": SITE}, timeout=60).headers


def test_every_response_has_a_request_id_and_rate_limit_headers(org: OrgHandle) -> None:
    for path in ("/oauth2/default/v1/keys", "/idp/idx/nowhere"):
        headers = requests.get(org.base + path, timeout=60).headers
        assert headers["X-Okta-Request-Id"]
        assert {"X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset"} <= set(headers)
