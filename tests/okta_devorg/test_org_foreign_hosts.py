"""Requests with a foreign Host or Origin are refused on every path (DNS rebinding, cross-site requests)."""

import pytest
import requests

from okta_devorg import OrgHandle
from support.local_org.management_api import TOKEN

PATHS = [
    ("GET", "/"), ("GET", "/users"), ("GET", "/_devorg/policy"), ("GET", "/static/org.css"),
    ("GET", "/api/v1/users"), ("POST", "/api/v1/users"), ("POST", "/api/v1/eventHooks"), ("GET", "/nowhere"),
    ("GET", "/oauth2/default/v1/keys"), ("GET", "/.well-known/openid-configuration"), ("OPTIONS", "/api/v1/users"),
    ("POST", "/oauth2/default/v1/interact"), ("POST", "/oauth2/v1/token"), ("GET", "/oauth2/v1/authorize"),
    ("POST", "/idp/idx/introspect"), ("GET", "/signin/x"), ("GET", "/welcome/x"), ("GET", "/okta-verify/x"),
]  # fmt: skip


def call(org: OrgHandle, method: str, path: str, **headers: str) -> int:
    headers = {"Authorization": f"SSWS {TOKEN}", **headers}
    url = org.base + path
    return requests.request(method, url, headers=headers, allow_redirects=False, timeout=60).status_code


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    "host", ["evil.test", "evil.test:9000", "127.0.0.1.evil.test", "localhost.evil.test", "10.0.0.1", "["]
)
def test_a_foreign_host_header_is_refused(org: OrgHandle, method: str, path: str, host: str) -> None:
    assert call(org, method, path, Host=host) == 403
    assert org.users == []


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    "origin", ["https://evil.test", "null", "http://127.0.0.1.evil.test", "file://", "http://[", "x"]
)
def test_a_foreign_origin_is_refused(org: OrgHandle, method: str, path: str, origin: str) -> None:
    assert call(org, method, path, Origin=origin) == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "127.8.8.8"])
def test_every_loopback_host_is_accepted(org: OrgHandle, host: str) -> None:
    port = org.base.rpartition(":")[2]
    assert call(org, "GET", "/api/v1/users", Host=f"{host}:{port}", Origin="http://localhost:3000") == 200


def test_trusted_origins_and_origins_of_apps_are_accepted(org: OrgHandle) -> None:
    org.patch_policy({"trusted_origins": ["https://spa.example"]})
    app = {"client_id": "0oaFar", "redirect_uris": ["https://shop.example/oidc/callback/"]}
    org.patch_policy({"apps": [app]})
    for origin in ("https://spa.example", "https://shop.example", org.base):
        assert call(org, "GET", "/oauth2/default/v1/keys", Origin=origin) == 200
