"""The start and the end of a transaction: refusals of interact and token, and claims of the tokens."""

import base64
import hashlib

import jwt
import pytest
import requests

from okta_devorg import OrgHandle
from support.local_org.org_journey import ADA, CLIENT, REDIRECT, SECRET, Journey, pkce

PUBLIC = {"client_id": "0oaPublic", "client_secret": None, "redirect_uris": [REDIRECT]}


@pytest.mark.parametrize(
    ("changes", "status", "error", "description"),
    [
        ({"client_id": "0oaUnknown"}, 401, "invalid_client", "Invalid value for 'client_id' parameter."),
        ({"client_id": None}, 401, "invalid_client", "Invalid value for 'client_id' parameter."),
        (
            {"client_secret": "wrong"},
            401,
            "invalid_client",
            "The client secret supplied for a confidential client is invalid.",
        ),
        (
            {"redirect_uri": REDIRECT + "more"},
            400,
            "invalid_request",
            "The 'redirect_uri' parameter must be a Login redirect URI in the client app settings.",
        ),
        (
            {"code_challenge": None},
            400,
            "invalid_request",
            "PKCE code challenge is required to use the interaction code flow.",
        ),
        (
            {"code_challenge_method": "plain"},
            400,
            "invalid_request",
            "PKCE code challenge method is not supported. Valid values: [S256]",
        ),
        (
            {"code_challenge": "sp ace" * 10},
            400,
            "invalid_request",
            "PKCE code challenge contains illegal characters.",
        ),
        ({"scope": ""}, 400, "invalid_scope", "No scopes were requested."),
        (
            {"scope": "openid everything"},
            400,
            "invalid_scope",
            "One or more scopes are not configured for the authorization server resource.",
        ),
        ({"activation_token": "none"}, 400, "invalid_request", "The activation token is invalid"),
    ],
)
def test_interact_refuses_with_the_messages_of_okta(
    journey: Journey, changes: dict[str, str | None], status: int, error: str, description: str
) -> None:
    reply = journey.interact(**changes)
    assert reply.status_code == status
    assert reply.json() == {"error": error, "error_description": description}


def test_interact_refuses_an_app_without_the_grant(org: OrgHandle, journey: Journey) -> None:
    app = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [REDIRECT], "grants": ["authorization_code"]}
    org.patch_policy({"apps": [app]})
    reply = journey.interact()
    assert (reply.status_code, reply.json()["error"]) == (400, "unauthorized_client")
    assert reply.json()["error_description"].endswith("Configured grant types: [authorization_code].")


def test_interact_accepts_basic_authentication(org: OrgHandle, journey: Journey) -> None:
    form = {**journey.interact_form(), "client_id": "", "client_secret": ""}
    reply = requests.post(journey.oauth + "/interact", data=form, auth=(CLIENT, SECRET), timeout=60)
    assert reply.status_code == 200


def test_a_public_app_needs_no_secret_and_cannot_use_activation_tokens(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"apps": [PUBLIC]})
    changes = {"client_id": "0oaPublic", "client_secret": None}
    assert journey.interact(**changes).status_code == 200
    text = "Only confidential clients can use the activation token flow"
    assert journey.interact(**changes, activation_token="x").json()["error_description"] == text


def test_interact_checks_a_secret_and_requires_it_only_if_configured(org: OrgHandle, journey: Journey) -> None:
    assert journey.interact(client_secret=None).status_code == 200
    assert journey.interact(client_secret="wrong").status_code == 401
    org.patch_policy({"unknowns": {"interact_requires_secret": True}})
    refusal = journey.interact(client_secret=None)
    assert (refusal.status_code, refusal.json()["error"]) == (401, "invalid_client")


def test_the_forwarded_address_is_ignored_without_a_client_secret(org: OrgHandle, journey: Journey) -> None:
    journey.http.headers["X-Forwarded-For"] = "203.0.113.9"
    journey.interact(client_secret=None)
    journey.interact()
    addresses = [
        event.address for event in org.org.system_log.events if event.event_type.endswith("interaction_handle")
    ]
    assert addresses == ["127.0.0.1", "203.0.113.9"]


def test_a_long_device_token_is_refused(journey: Journey) -> None:
    headers = {"X-Device-Token": "x" * 33}
    reply = requests.post(journey.oauth + "/interact", data=journey.interact_form(), headers=headers, timeout=60)
    assert reply.json()["error_description"] == "The request has a deviceToken with length greater than 32."


def test_the_id_token_is_thin_signed_and_issued_for_the_client(org: OrgHandle, journey: Journey) -> None:
    tokens = journey.signed_up().token().json()
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 3600, "openid profile email")
    keys = requests.get(journey.oauth + "/keys", timeout=60).json()["keys"]
    header = jwt.get_unverified_header(tokens["id_token"])
    assert header["kid"] == keys[0]["kid"]
    key = jwt.PyJWK(keys[0])
    claims = jwt.decode(tokens["id_token"], key, algorithms=["RS256"], audience=CLIENT, issuer=org.issuer)
    assert set(claims) == {
        "sub", "name", "ver", "iss", "aud", "iat", "exp", "jti", "amr", "idp", "preferred_username", "auth_time",
        "at_hash", "nonce",
    }  # fmt: skip
    assert (claims["sub"], claims["nonce"], claims["preferred_username"]) == (
        org.users[0].id,
        journey.nonce,
        ADA["email"],
    )
    digest = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    access = jwt.decode(tokens["access_token"], key, algorithms=["RS256"], audience="api://default")
    assert (access["uid"], access["cid"], access["sub"]) == (org.users[0].id, CLIENT, ADA["email"])


def test_the_id_token_has_no_nonce_if_none_was_sent(journey: Journey) -> None:
    journey.nonce = ""
    tokens = journey.signed_up().token().json()
    assert "nonce" not in jwt.decode(tokens["id_token"], options={"verify_signature": False})


def test_userinfo_has_the_claims_and_the_verified_address(org: OrgHandle, journey: Journey) -> None:
    tokens = journey.signed_up().token().json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    claims = requests.get(journey.oauth + "/userinfo", headers=headers, timeout=60).json()
    assert (claims["sub"], claims["email"], claims["email_verified"]) == (org.users[0].id, ADA["email"], True)
    assert (claims["given_name"], claims["family_name"]) == ("Ada", "Lovelace")
    requests.post(
        journey.oauth + "/revoke",
        data={"token": tokens["access_token"], "client_id": CLIENT, "client_secret": SECRET},
        timeout=60,
    )
    refused = requests.get(journey.oauth + "/userinfo", headers=headers, timeout=60)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')


def test_an_interaction_code_can_be_redeemed_once(journey: Journey) -> None:
    journey.signed_up()
    assert journey.token().status_code == 200
    again = journey.token()
    assert again.status_code == 400
    assert again.json() == {
        "error": "invalid_grant",
        "error_description": "The interaction code is invalid or has expired.",
    }


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"code_verifier": pkce()[0]}, 400, "invalid_grant"),
        ({"code_verifier": ""}, 400, "invalid_request"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"interaction_code": "wrong"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, 400, "invalid_grant"),
    ],
)
def test_a_refused_token_request_does_not_use_up_the_code(
    journey: Journey, changes: dict[str, str], status: int, error: str
) -> None:
    journey.signed_up()
    reply = journey.token(**changes)
    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert journey.token().status_code == 200


def test_an_interaction_code_is_refused_for_another_app_or_issuer(org: OrgHandle, journey: Journey) -> None:
    default = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [REDIRECT]}
    org.patch_policy({"apps": [default, PUBLIC]})
    journey.signed_up()
    assert journey.token(client_id="0oaPublic").json()["error"] == "invalid_grant"
    other_issuer = requests.post(org.base + "/oauth2/v1/token", data=journey.token_form(), timeout=60)
    assert other_issuer.json()["error"] == "invalid_grant"


def test_token_refuses_an_unassigned_app_if_configured(org: OrgHandle, journey: Journey) -> None:
    app = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [REDIRECT], "assigned": False}
    org.patch_policy({"apps": [app], "unknowns": {"unassigned_refused_at": "token"}})
    reply = journey.signed_up().token()
    assert reply.status_code == 400
    assert reply.json()["error_description"] == "User is not assigned to the client application."


def test_offline_access_returns_a_refresh_token_that_is_rotated(org: OrgHandle, journey: Journey) -> None:
    journey.begin(scope="openid offline_access").take("select-enroll-profile")
    journey.enroll_profile()
    journey.verify_email()
    journey.set_password()
    first = journey.token().json()["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": first, "client_id": CLIENT, "client_secret": SECRET}
    renewed = requests.post(journey.oauth + "/token", data=form, timeout=60)
    assert renewed.json()["refresh_token"] != first
    assert requests.post(journey.oauth + "/token", data=form, timeout=60).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("path", ["", "/oauth2/default"])
def test_discovery_has_the_requested_issuer(org: OrgHandle, path: str) -> None:
    document = requests.get(f"{org.base}{path}/.well-known/openid-configuration", timeout=60).json()
    assert document["issuer"] == org.base + path
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert requests.get(document["jwks_uri"], timeout=60).json()["keys"][0]["kty"] == "RSA"
