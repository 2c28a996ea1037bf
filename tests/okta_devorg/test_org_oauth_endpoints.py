"""Discovery, introspection, pushed authorization requests, device grant, client registration and sessions."""

import json
import re
import time
from base64 import urlsafe_b64decode
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from okta_devorg import OrgHandle
from okta_devorg.oidc.client_authentication import ASSERTION_TYPE
from okta_devorg.state.users import Status
from okta_devorg.testing import OktaOrg
from support.local_org.management_api import ManagementApi
from support.local_org.org_browser import OrgBrowser
from support.local_org.org_journey import ADA, CLIENT, PASSWORD, REDIRECT, SECRET, Journey

AUTH = {"client_id": CLIENT, "client_secret": SECRET}


def metadata(issuer: str) -> dict[str, Any]:
    document: dict[str, Any] = requests.get(issuer + "/.well-known/openid-configuration", timeout=60).json()
    return document


@pytest.mark.parametrize("server", ["base", "issuer"])
def test_every_endpoint_in_the_discovery_document_exists(org: OrgHandle, server: str) -> None:
    document = metadata(getattr(org, server))
    endpoints = {name: url for name, url in document.items() if name.endswith(("_endpoint", "_uri"))}
    assert {"introspection_endpoint", "pushed_authorization_request_endpoint"} <= set(endpoints)
    for name, url in endpoints.items():
        method = (
            "GET"
            if name in ("jwks_uri", "userinfo_endpoint", "authorization_endpoint", "end_session_endpoint")
            else "POST"
        )
        assert requests.request(method, url, timeout=60, allow_redirects=False).status_code not in (404, 405, 500), name
    assert "interaction_code" in document["grant_types_supported"]
    assert document["request_parameter_supported"] is False


def test_the_oauth_metadata_equals_the_openid_configuration(org: OrgHandle) -> None:
    url = org.issuer + "/.well-known/oauth-authorization-server"
    assert requests.get(url, timeout=60).json() == metadata(org.issuer)


def introspect(org: OrgHandle, token: str, **changes: str) -> requests.Response:
    form = {**AUTH, "token": token, **changes}
    return requests.post(metadata(org.issuer)["introspection_endpoint"], data=form, timeout=60)


def test_tokens_can_be_introspected(org: OrgHandle, journey: Journey) -> None:
    journey.begin(scope="openid email offline_access").take("select-enroll-profile")
    journey.enroll_profile()
    journey.verify_email()
    journey.set_password()
    tokens = journey.token().json()
    introspected = introspect(org, tokens["access_token"]).json()
    assert (introspected["active"], introspected["username"], introspected["client_id"]) == (True, ADA["email"], CLIENT)
    assert (introspected["token_type"], introspected["scope"]) == ("Bearer", "openid email offline_access")
    assert introspect(org, tokens["refresh_token"]).json()["active"] is True
    for token in ("x", "", tokens["id_token"]):
        assert introspect(org, token).json() == {"active": False}
    assert introspect(org, tokens["access_token"], client_secret="wrong").status_code == 401
    requests.post(org.issuer + "/v1/revoke", data={**AUTH, "token": tokens["access_token"]}, timeout=60)
    assert introspect(org, tokens["access_token"]).json() == {"active": False}
    org.users[0].status = Status.SUSPENDED
    assert introspect(org, tokens["refresh_token"]).json() == {"active": False}


def test_tokens_have_the_recorded_headers(journey: Journey) -> None:
    tokens = journey.signed_up().token().json()
    for name in ("access_token", "id_token"):
        head, body = (json.loads(urlsafe_b64decode(part + "==")) for part in tokens[name].split(".")[:2])
        assert set(head) == {"kid", "alg"}
        assert isinstance(body["auth_time"], int)


def push(org: OrgHandle, browser: OrgBrowser, **changes: str) -> requests.Response:
    request = {
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": "openid email",
        "state": "abc",
        "code_challenge": browser.challenge,
        "code_challenge_method": "S256",
    }
    url = metadata(org.issuer)["pushed_authorization_request_endpoint"]
    return requests.post(url, data={**AUTH, **request, **changes}, timeout=60)


def test_an_authorization_request_can_be_pushed(org: OrgHandle, browser: OrgBrowser) -> None:
    OktaOrg(org).sign_up()
    pushed = push(org, browser)
    assert (pushed.status_code, pushed.json()["expires_in"]) == (201, 60)
    query = {"client_id": CLIENT, "request_uri": pushed.json()["request_uri"]}
    browser.go("GET", org.issuer + "/v1/authorize", params=query)
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    assert browser.landed["state"] == "abc"
    assert browser.token().status_code == 200
    browser.go("GET", org.issuer + "/v1/authorize", params=query)
    assert browser.page.status_code == 400


@pytest.mark.parametrize(
    ("pushed", "page"),
    [({"prompt": "login"}, "Sign in"), ({"max_age": "0"}, "Sign in"), ({"login_hint": "a@b.example"}, "a@b.example")],
)
def test_pushed_parameters_take_precedence_over_the_query(
    org: OrgHandle, browser: OrgBrowser, pushed: dict[str, str], page: str
) -> None:
    OktaOrg(org).sign_up()
    if "login_hint" not in pushed:
        browser.authorize()
        browser.fill(identifier=ADA["email"])
        browser.fill(password=PASSWORD)
        org.advance(1)
    request_uri = push(org, browser, **pushed).json()["request_uri"]
    query = {"client_id": CLIENT, "request_uri": request_uri, "prompt": "none", "max_age": "9999"}
    browser.go("GET", org.issuer + "/v1/authorize", params=query)
    assert browser.page.status_code == 200
    assert page in browser.page.text


def test_an_inactive_app_cannot_sign_in(org: OrgHandle, api: ManagementApi, browser: OrgBrowser) -> None:
    api("POST", f"apps/{CLIENT}/lifecycle/deactivate")
    browser.authorize()
    assert (browser.page.status_code, "client_id" in browser.page.text) == (400, True)


def test_a_pushed_request_is_validated_and_bound_to_its_client(org: OrgHandle, browser: OrgBrowser) -> None:
    assert push(org, browser, client_secret="wrong").status_code == 401
    assert push(org, browser, redirect_uri="https://evil.example/").json()["error"] == "invalid_request"
    assert push(org, browser, scope="nonsense").json()["error"] == "invalid_scope"
    other = {"client_id": "0oaOther", "client_secret": SECRET, "redirect_uris": [REDIRECT]}
    apps = requests.get(org.base + "/_devorg/policy", timeout=60).json()["apps"]
    org.patch_policy({"apps": [*apps, other]})
    request_uri = push(org, browser).json()["request_uri"]
    page = browser.go("GET", org.issuer + "/v1/authorize", params={"client_id": "0oaOther", "request_uri": request_uri})
    assert page.status_code == 400
    org.advance(61)
    page = browser.go("GET", org.issuer + "/v1/authorize", params={"client_id": CLIENT, "request_uri": request_uri})
    assert page.status_code == 400


def test_the_code_can_be_returned_in_the_fragment(org: OrgHandle, browser: OrgBrowser) -> None:
    OktaOrg(org).sign_up()
    browser.authorize(response_mode="fragment")
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    target = urlsplit(browser.page.headers["Location"])
    assert (target.query, parse_qs(target.fragment)["state"]) == ("", ["abc"])


@pytest.mark.parametrize(
    ("changes", "separator"),
    [
        ({"response_mode": "fragment", "scope": "boats"}, "#"),
        ({"response_mode": "fragment", "prompt": "none"}, "#"),
        ({"response_type": "id_token token"}, "#"),
        ({"response_type": "token", "response_mode": "query"}, "?"),
        ({"response_type": "nonsense"}, "?"),
        ({"prompt": "none"}, "?"),
    ],
)
def test_an_error_is_returned_in_the_requested_response_mode(
    browser: OrgBrowser, changes: dict[str, str], separator: str
) -> None:
    target = browser.authorize(**changes).headers["Location"]
    assert target.startswith(REDIRECT + separator)
    assert "error=" in target
    assert "state=abc" in target


def test_an_error_after_sign_in_is_returned_in_the_requested_response_mode(org: OrgHandle, browser: OrgBrowser) -> None:
    OktaOrg(org).sign_up()
    browser.authorize(response_mode="fragment")
    org.patch_policy({"sign_on": "denied"})
    browser.fill(identifier=ADA["email"])
    assert browser.fill(password=PASSWORD).headers["Location"].startswith(REDIRECT + "#error=access_denied")


def form_post_values(page: requests.Response) -> dict[str, str]:
    """The values that the form_post page sends to the app."""
    assert page.status_code == 200
    assert f'<form method="post" action="{REDIRECT}" data-submit>' in page.text
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(REDIRECT))
    assert f"form-action 'self' {origin};" in page.headers["Content-Security-Policy"]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text))


def test_the_code_can_be_returned_by_form_post(org: OrgHandle, browser: OrgBrowser) -> None:
    modes = ["query", "fragment", "form_post", "okta_post_message"]
    assert metadata(org.issuer)["response_modes_supported"] == modes
    OktaOrg(org).sign_up()
    browser.authorize(response_mode="form_post", state='"><b>')
    browser.fill(identifier=ADA["email"])
    sent = form_post_values(browser.fill(password=PASSWORD))
    assert unescape(sent.pop("state")) == '"><b>'
    assert set(sent) == {"code"}
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code_verifier": browser.verifier}
    assert requests.post(org.issuer + "/v1/token", data={**AUTH, **form, **sent}, timeout=60).status_code == 200
    assert set(form_post_values(browser.authorize(response_mode="form_post"))) == {"code", "state"}


def test_an_error_can_be_returned_by_form_post(browser: OrgBrowser) -> None:
    sent = form_post_values(browser.authorize(response_mode="form_post", prompt="none"))
    assert (sent["error"], sent["state"]) == ("login_required", "abc")


def posted_message(page: requests.Response) -> dict[str, str]:
    """The message that the page posts to the window of the app."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(REDIRECT))
    assert (page.status_code, f"frame-ancestors {origin}" in page.headers["Content-Security-Policy"]) == (200, True)
    assert f'data-origin="{origin}"' in page.text
    (sent,) = re.findall(r'data-message="([^"]*)"', page.text)
    values: dict[str, str] = json.loads(unescape(sent))
    return values


def test_the_code_can_be_returned_by_post_message(org: OrgHandle, browser: OrgBrowser) -> None:
    message = posted_message(browser.authorize(response_mode="okta_post_message", prompt="none"))
    assert (message["error"], message["state"]) == ("login_required", "abc")
    OktaOrg(org).sign_up()
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    assert set(posted_message(browser.authorize(response_mode="okta_post_message"))) == {"code", "state"}


# ---- devices without a browser (RFC 8628)

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def device(org: OrgHandle) -> dict[str, Any]:
    """The response of the device authorization endpoint, as for a television."""
    apps = json.loads(requests.get(org.base + "/_devorg/policy", timeout=60).text)["apps"]
    org.patch_policy({"apps": [{**apps[0], "grants": [*apps[0]["grants"], DEVICE_GRANT]}]})
    OktaOrg(org).sign_up()
    url = metadata(org.issuer)["device_authorization_endpoint"]
    answer = requests.post(url, data={**AUTH, "scope": "openid email"}, timeout=60)
    assert answer.status_code == 200, answer.text
    response: dict[str, Any] = answer.json()
    return response


def poll_for_tokens(org: OrgHandle, device: dict[str, Any], **changes: str) -> requests.Response:
    org.advance(device["interval"])
    form = {**AUTH, "grant_type": DEVICE_GRANT, "device_code": device["device_code"], **changes}
    return requests.post(org.issuer + "/v1/token", data=form, timeout=60)


def test_a_device_gets_tokens_after_its_user_code_was_entered(
    org: OrgHandle, device: dict[str, Any], browser: OrgBrowser
) -> None:
    assert poll_for_tokens(org, device).json()["error"] == "authorization_pending"
    browser.go("GET", device["verification_uri_complete"])
    assert device["user_code"] in browser.page.text
    browser.fill(user_code=device["user_code"].lower()[:4] + "-" + device["user_code"][4:])
    browser.fill(identifier=ADA["email"])
    done_url = browser.fill(password=PASSWORD).headers["Location"]
    assert "Your device is signed in" in browser.go("GET", done_url).text
    tokens = poll_for_tokens(org, device)
    assert tokens.status_code == 200, tokens.text
    assert {"access_token", "id_token"} <= set(tokens.json())
    assert poll_for_tokens(org, device).json()["error"] == "invalid_grant"
    assert browser.go("GET", done_url).status_code == 400


def test_a_device_that_polls_too_fast_or_too_late_gets_an_error(org: OrgHandle, device: dict[str, Any]) -> None:
    poll_for_tokens(org, device)
    form = {**AUTH, "grant_type": DEVICE_GRANT, "device_code": device["device_code"]}
    assert requests.post(org.issuer + "/v1/token", data=form, timeout=60).json()["error"] == "slow_down"
    assert poll_for_tokens(org, device, device_code="x").json()["error"] == "invalid_grant"
    org.advance(device["expires_in"])
    assert poll_for_tokens(org, device).json()["error"] == "expired_token"


def test_other_codes_do_not_sign_in_a_device(org: OrgHandle, device: dict[str, Any], browser: OrgBrowser) -> None:
    browser.go("GET", device["verification_uri"])
    assert browser.fill(user_code="BCDFGHJK").status_code == 400
    browser.authorize(state=device["user_code"])
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    foreign = {"state": device["user_code"], "code": browser.landed["code"]}
    assert requests.get(device["verification_uri"] + "/done", params=foreign, timeout=60).status_code == 400
    assert poll_for_tokens(org, device).json()["error"] == "authorization_pending"


def test_a_device_gets_access_denied_after_a_refused_sign_in(
    org: OrgHandle, device: dict[str, Any], browser: OrgBrowser
) -> None:
    org.patch_policy({"sign_on": "denied"})
    browser.go("GET", device["verification_uri"])
    browser.fill(user_code=device["user_code"])
    browser.fill(identifier=ADA["email"])
    browser.go("GET", browser.fill(password=PASSWORD).headers["Location"])
    assert browser.page.status_code == 400
    assert poll_for_tokens(org, device).json()["error"] == "access_denied"


def test_the_device_grant_is_refused_for_an_app_without_it(org: OrgHandle) -> None:
    url = metadata(org.issuer)["device_authorization_endpoint"]
    assert requests.post(url, data={**AUTH, "scope": "openid"}, timeout=60).json()["error"] == "unauthorized_client"


# ---- dynamic client registration (RFC 7591)


def test_a_client_can_be_registered_used_and_deleted(org: OrgHandle, api: ManagementApi, journey: Journey) -> None:
    url = metadata(org.issuer)["registration_endpoint"]
    body = {
        "client_name": "Second",
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "interaction_code"],
        "token_endpoint_auth_method": "client_secret_post",
    }
    assert requests.post(url, json=body, timeout=60).status_code == 401
    created = api.http.post(url, json=body, timeout=60)
    assert created.status_code == 201, created.text
    client = created.json()
    credentials = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    assert journey.interact(**credentials).status_code == 200
    assert journey.interact(**{**credentials, "client_secret": "other"}).status_code == 401
    one = f"{url}/{client['client_id']}"
    read = api.http.get(one, timeout=60).json()
    assert "client_secret" not in read
    assert api.http.put(one, json={**read, "client_name": "Third"}, timeout=60).json()["client_name"] == "Third"
    assert "Third" in [item["client_name"] for item in api.http.get(url, timeout=60).json()]
    for wrong in ({}, {"client_name": "x", "redirect_uris": "y"}, {"client_name": "x", "sails": 1}):
        assert api.http.post(url, json=wrong, timeout=60).status_code == 400
    assert api.http.delete(one, timeout=60).status_code == 204
    assert api.http.get(one, timeout=60).status_code == 404
    assert journey.interact(**credentials).status_code == 401


def test_a_client_can_be_registered_with_its_keys(org: OrgHandle, api: ManagementApi, journey: Journey) -> None:
    url, key = metadata(org.issuer)["registration_endpoint"], ec.generate_private_key(ec.SECP256R1())
    jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    body = {"client_name": "Third", "redirect_uris": [REDIRECT], "grant_types": ["interaction_code"]}
    signed = {**body, "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [jwk]}}
    client = api.http.post(url, json=signed, timeout=60).json()
    assert "client_secret" not in client
    assert (client["token_endpoint_auth_method"], client["jwks"]) == ("private_key_jwt", {"keys": [jwk]})
    name, endpoint = client["client_id"], journey.oauth + "/interact"
    claims = {"iss": name, "sub": name, "aud": endpoint, "exp": int(time.time()) + 60}
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": jwt.encode(claims, key, algorithm="ES256")}
    assert journey.interact(client_id=name, client_secret=None, **form).status_code == 200
    assert journey.interact(client_id=name, client_secret=None).status_code == 401
    other_kind = OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key(), as_dict=True)
    bad_keys = ({"kty": "EC"}, {"kty": "oct", "k": "AQAB"}, {"kty": "RSA", "n": 7, "e": "AQAB"}, "x", None, other_kind)
    without_key: list[Any] = [*({"keys": [bad]} for bad in bad_keys), {"keys": []}, None]
    for jwks in without_key:
        refused = api.http.post(url, json={**signed, "jwks": jwks}, timeout=60)
        assert (refused.status_code, refused.json()["errorCode"]) == (400, "E0000001")


# ---- sessions


def test_a_browser_can_read_extend_and_end_its_session(org: OrgHandle, api: ManagementApi, browser: OrgBrowser) -> None:
    OktaOrg(org).sign_up()
    own = org.base + "/api/v1/sessions/me"
    assert browser.http.get(own, timeout=60).status_code == 404
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    introspected = browser.http.get(own, timeout=60).json()
    assert (introspected["login"], introspected["status"], introspected["amr"]) == (ADA["email"], "ACTIVE", ["pwd"])
    cookie = browser.http.cookies["sid"]
    assert cookie not in str(introspected)
    assert api("GET", f"sessions/{cookie}")["userId"] == introspected["userId"]
    org.advance(60)
    assert browser.http.post(own + "/lifecycle/refresh", timeout=60).status_code == 200
    assert cookie not in requests.get(org.base + "/_devorg/calls", timeout=60).text
    assert browser.http.delete(own, timeout=60).status_code == 204
    api("GET", f"sessions/{cookie}", status=404)
    assert browser.authorize().status_code == 200


# ---- who is asking


def me(org: OrgHandle, **more: Any) -> requests.Response:
    return requests.get(org.base + "/api/v1/users/me", timeout=60, **more)


def test_users_me_returns_the_owner_of_the_api_token(org: OrgHandle, api: ManagementApi) -> None:
    owner = api("GET", "users/me")
    assert (owner["status"], owner["profile"]["email"]) == ("ACTIVE", "administrator@localhost.example")
    assert api("GET", f"users/{owner['id']}") == owner
    assert owner["activated"]
    assert api("GET", "users") == []
    for headers in ({}, {"Authorization": "SSWS wrong"}, {"Authorization": "Bearer wrong"}):
        assert (me(org, headers=headers).status_code, me(org, headers=headers).json()["errorCode"]) == (
            401,
            "E0000011",
        )


def test_users_me_returns_the_user_of_the_session(org: OrgHandle, browser: OrgBrowser) -> None:
    user = OktaOrg(org).sign_up()
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    assert me(org, cookies={"sid": browser.http.cookies["sid"]}).json()["id"] == user.id
    assert me(org, cookies={"sid": "wrong"}).status_code == 401
