"""Authlib against the local org: sign-in by redirect, with and without a secret, at both issuers."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session

from okta_devorg import OrgHandle
from support.clients import CLIENT
from support.local_org.org_journey import ADA, PASSWORD, REDIRECT, Journey


def sign_in(authorization_url: str, base: str) -> str:
    """Fill in the org's pages and return the URL of the callback."""
    with requests.Session() as browser:
        page = browser.get(authorization_url, timeout=60)
        for values in ({"identifier": ADA["email"]}, {"password": PASSWORD}):
            action = re.search(r'<form method="post" action="([^"]+)"', page.text)
            assert action
            page = browser.post(base + unescape(action[1]), data=values, allow_redirects=False, timeout=60)
            if page.headers.get("Location", "").startswith("/"):
                page = browser.get(base + page.headers["Location"], timeout=60)
        return str(page.headers["Location"])


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
@pytest.mark.parametrize("server", ["org", "default"])
def test_authlib_signs_in(org: OrgHandle, method: str, server: str) -> None:
    secret = None if method == "none" else "s3cret"
    org.patch_policy({"apps": [{**CLIENT, "client_secret": "s3cret", "redirect_uris": [REDIRECT]}]})
    sign_up(org)
    org.patch_policy({"apps": [{**CLIENT, "client_secret": secret, "redirect_uris": [REDIRECT]}]})
    issuer = org.base if server == "org" else org.issuer
    configuration = requests.get(issuer + "/.well-known/openid-configuration", timeout=60).json()
    assert configuration["issuer"] == issuer
    verifier = "v" * 64
    client = OAuth2Session(
        CLIENT["client_id"],
        secret,
        scope="openid profile email offline_access",
        redirect_uri=REDIRECT,
        token_endpoint_auth_method=method,
        code_challenge_method="S256",
    )
    authorization_url, state = client.create_authorization_url(
        configuration["authorization_endpoint"], code_verifier=verifier, nonce="n"
    )
    callback_url = sign_in(authorization_url, org.base)
    assert parse_qs(urlsplit(callback_url).query)["state"] == [state]
    token = client.fetch_token(
        configuration["token_endpoint"], authorization_response=callback_url, code_verifier=verifier
    )
    key = jwt.PyJWKClient(configuration["jwks_uri"]).get_signing_key_from_jwt(token["id_token"])
    claims = jwt.decode(token["id_token"], key, ["RS256"], audience=CLIENT["client_id"], issuer=issuer)
    assert claims["nonce"] == "n"
    userinfo = client.get(configuration["userinfo_endpoint"]).json()
    assert (userinfo["sub"], userinfo["email"], userinfo["email_verified"]) == (claims["sub"], ADA["email"], True)
    refreshed = client.refresh_token(configuration["token_endpoint"], refresh_token=token["refresh_token"])
    assert refreshed["access_token"] != token["access_token"]


def sign_up(org: OrgHandle) -> None:
    journey = Journey(org)
    journey.begin(client_id=str(CLIENT["client_id"]), client_secret="s3cret").take("select-enroll-profile")
    journey.enroll_profile()
    journey.verify_email()
    journey.set_password()
    journey.close()
