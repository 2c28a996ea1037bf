"""Tokens that are bound to a key of the client (DPoP, RFC 9449)."""

import base64
import hashlib
import json
import time
from typing import Any
from uuid import uuid4

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec

from okta_devorg import OrgHandle
from okta_devorg.policy.serialization import policy_to_json
from okta_devorg.testing import OktaOrg
from support.local_org.org_browser import OrgBrowser
from support.local_org.org_journey import ADA, CLIENT, PASSWORD, REDIRECT, SECRET, Journey

Json = dict[str, Any]


class Prover:
    """A client with a key: makes the proof for a call, and uses the nonce that the org requires."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.jwk = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        self.nonce = ""

    @property
    def thumbprint(self) -> str:
        members = {name: self.jwk[name] for name in ("crv", "kty", "x", "y")}
        return digest(json.dumps(members, sort_keys=True, separators=(",", ":")))

    def proof(self, method: str, url: str, token: str = "", head: Json | None = None, **changes: Any) -> str:
        claims: Json = {"htm": method, "htu": url, "iat": int(time.time()), "jti": uuid4().hex, **changes}
        claims |= {"nonce": self.nonce} if self.nonce and "nonce" not in changes else {}
        claims |= {"ath": digest(token)} if token and "ath" not in changes else {}
        present = {name: value for name, value in claims.items() if value is not None}
        headers = {"typ": "dpop+jwt", "jwk": self.jwk, **(head or {})}
        return jwt.encode(present, self.key, algorithm="ES256", headers=headers)

    def token(self, journey: Journey, form: Json, **changes: Any) -> requests.Response:
        url = journey.oauth + "/token"
        return requests.post(url, data=form, headers={"DPoP": self.proof("POST", url, **changes)}, timeout=60)

    def tokens(self, journey: Journey, form: Json) -> Json:
        """Requests tokens without a nonce, then with the required one."""
        first = self.token(journey, form)
        assert (first.status_code, first.json()["error"]) == (400, "use_dpop_nonce")
        self.nonce = first.headers["dpop-nonce"]
        second = self.token(journey, form)
        assert second.status_code == 200, second.text
        result: Json = second.json()
        return result

    def get(self, url: str, token: str, scheme: str = "DPoP", **changes: Any) -> requests.Response:
        headers = {"Authorization": f"{scheme} {token}", "DPoP": self.proof("GET", url, token, **changes)}
        return requests.get(url, headers=headers, timeout=60)


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def prover() -> Prover:
    return Prover()


@pytest.fixture
def signed_up(journey: Journey) -> Journey:
    journey.begin(scope="openid email offline_access").take("select-enroll-profile")
    journey.enroll_profile()
    journey.verify_email()
    journey.set_password()
    return journey


def test_tokens_are_bound_to_the_key_of_the_proof(org: OrgHandle, signed_up: Journey, prover: Prover) -> None:
    discovery = requests.get(org.issuer + "/.well-known/openid-configuration", timeout=60).json()
    assert "ES256" in discovery["dpop_signing_alg_values_supported"]
    tokens = prover.tokens(signed_up, signed_up.token_form())
    assert tokens["token_type"] == "DPoP"
    access_token, url = tokens["access_token"], signed_up.oauth + "/userinfo"
    claims = jwt.decode(access_token, options={"verify_signature": False})
    assert claims["cnf"] == {"jkt": prover.thumbprint}
    assert prover.get(url, access_token).json()["sub"] == claims["uid"]
    auth = {name: signed_up.token_form()[name] for name in ("client_id", "client_secret")}
    introspected = requests.post(
        signed_up.oauth + "/introspect", data={**auth, "token": access_token}, timeout=60
    ).json()
    assert (introspected["token_type"], introspected["cnf"]) == ("DPoP", {"jkt": prover.thumbprint})
    refresh = {**auth, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert Prover().token(signed_up, refresh, nonce=prover.nonce).json()["error"] == "invalid_grant"
    assert requests.post(signed_up.oauth + "/token", data=refresh, timeout=60).json()["error"] == "invalid_grant"
    assert prover.token(signed_up, refresh).json()["token_type"] == "DPoP"


@pytest.mark.parametrize(
    ("scheme", "changes"),
    [
        ("Bearer", {}),
        ("DPoP", {"ath": digest("another token")}),
        ("DPoP", {"ath": None}),
        ("DPoP", {"htm": "POST"}),
        ("DPoP", {"htu": "http://127.0.0.1/elsewhere"}),
        ("DPoP", {"iat": 1}),
        ("DPoP", {"jti": None}),
    ],
)
def test_a_bound_token_is_refused_without_a_valid_proof(
    signed_up: Journey, prover: Prover, scheme: str, changes: Json
) -> None:
    token = prover.tokens(signed_up, signed_up.token_form())["access_token"]
    url = signed_up.oauth + "/userinfo"
    refused = prover.get(url, token, scheme, **changes)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("DPoP error=")
    assert Prover().get(url, token).status_code == 401
    assert requests.get(url, headers={"Authorization": f"DPoP {token}"}, timeout=60).status_code == 401
    assert prover.get(url, token).status_code == 200


def test_a_proof_can_be_used_once(signed_up: Journey, prover: Prover) -> None:
    token = prover.tokens(signed_up, signed_up.token_form())["access_token"]
    url = signed_up.oauth + "/userinfo"
    assert [prover.get(url, token, jti="once").status_code for _ in range(2)] == [200, 401]


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htu": "http://127.0.0.1/elsewhere"},
        {"iat": 1},
        {"iat": str(int(time.time()))},
        {"iat": True},
        {"jti": {}},
        {"head": {"jwk": {}}},
        {"head": {"jwk": {"kty": "RSA", "n": 7, "e": 7}}},
        {"head": {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}}},
        {"head": {"jwk": {"kty": "EC", "crv": "P-256", "x": "AQ", "y": None}}},
        {"head": {"jwk": {"kty": ["RSA"]}}},
        {"head": {"typ": "jwt"}},
        {"head": {"jwk": {"kty": "oct", "k": "c2VjcmV0"}}},
        {"head": {"jwk": "none"}},
    ],
)
def test_an_invalid_proof_gets_no_token(signed_up: Journey, prover: Prover, changes: Json) -> None:
    refused = prover.token(signed_up, signed_up.token_form(), **changes)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")


def test_an_app_can_require_a_proof(org: OrgHandle, signed_up: Journey, prover: Prover) -> None:
    (app, *_rest) = policy_to_json(org.policy)["apps"]
    org.patch_policy({"apps": [{**app, "dpop_bound_access_tokens": True}]})
    refused = signed_up.token()
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    assert prover.tokens(signed_up, signed_up.token_form())["token_type"] == "DPoP"


@pytest.mark.parametrize("issuer", ["issuer", "base"])
def test_an_interaction_code_can_be_bound_to_a_key(org: OrgHandle, prover: Prover, issuer: str) -> None:
    journey = Journey(org, getattr(org, issuer))
    journey.begin(dpop_jkt=prover.thumbprint).take("select-enroll-profile")
    journey.enroll_profile()
    journey.verify_email()
    journey.set_password()
    form = journey.token_form()
    thief = Prover()
    assert thief.token(journey, form).json()["error"] == "use_dpop_nonce"
    thief.nonce = org.org.dpop_nonce
    assert thief.token(journey, form).json()["error"] == "invalid_grant"
    assert journey.token().json()["error"] == "invalid_grant"
    assert prover.tokens(journey, form)["token_type"] == "DPoP"
    journey.close()


@pytest.mark.parametrize("way", ["authorize", "par"])
def test_an_authorization_code_can_be_bound_to_a_key(
    org: OrgHandle, browser: OrgBrowser, prover: Prover, way: str
) -> None:
    OktaOrg(org).sign_up()
    if way == "authorize":
        browser.authorize(dpop_jkt=prover.thumbprint)
    else:
        parameters = {
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": "openid",
            "dpop_jkt": prover.thumbprint,
        }
        parameters |= {"code_challenge": browser.challenge, "code_challenge_method": "S256", "client_id": CLIENT}
        url = org.issuer + "/v1/par"
        pushed = requests.post(url, data={**parameters, "client_secret": SECRET}, timeout=60).json()
        query = {"client_id": CLIENT, "request_uri": pushed["request_uri"]}
        browser.go("GET", org.issuer + "/v1/authorize", params=query)
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    assert browser.token().json()["error"] == "invalid_grant"
    form = {"grant_type": "authorization_code", "code": browser.landed["code"], "redirect_uri": REDIRECT}
    form |= {"client_id": CLIENT, "client_secret": SECRET, "code_verifier": browser.verifier}
    assert prover.tokens(Journey(org), form)["token_type"] == "DPoP"


def test_an_invalid_key_thumbprint_is_refused(org: OrgHandle, journey: Journey, browser: OrgBrowser) -> None:
    refused = journey.interact(dpop_jkt="x")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    browser.authorize(dpop_jkt="")
    assert browser.landed["error"] == "invalid_request"
