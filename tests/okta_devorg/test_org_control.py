"""The control API and the pages: validation, access control and redaction of secrets."""

import json
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from okta_devorg import OrgHandle, running_org
from support.local_org.org_journey import ADA, CLIENT, PASSWORD, SECRET, Journey

POLICY = "/_devorg/policy"


def pem(key: PublicKeyTypes) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


RSA = pem(rsa.generate_private_key(65537, 2048).public_key())
ED25519 = pem(ed25519.Ed25519PrivateKey.generate().public_key())


def get(org: OrgHandle, path: str, **headers: str) -> requests.Response:
    return requests.get(org.base + path, headers=headers, timeout=60)


def patch(org: OrgHandle, body: object) -> requests.Response:
    return requests.patch(org.base + POLICY, json=body, timeout=60)


def test_the_default_policy_is_that_of_the_demo_site(org: OrgHandle) -> None:
    policy = get(org, POLICY).json()
    assert {key: policy[key] for key in ("sign_up", "password_on_form", "email_verification", "magic_link")} == {
        "sign_up": True,
        "password_on_form": False,
        "email_verification": True,
        "magic_link": True,
    }
    assert [item["name"] for item in policy["profile"]] == ["firstName", "lastName", "email"]
    app = policy["apps"][0]
    assert (app["client_id"], app["client_secret"]) == (CLIENT, SECRET)
    assert app["email_callback_uri"] == "http://127.0.0.1:8000/signup/verify/"
    assert policy["trusted_origins"] == []
    assert policy["api_token"] == "local-api-token-not-for-production"


def test_patch_merges_objects_and_replaces_lists(org: OrgHandle) -> None:
    changed = patch(
        org, {"authenticators": {"phone_number": "optional"}, "trusted_origins": ["https://a.example"]}
    ).json()
    assert changed["authenticators"]["okta_email"] == "required"
    assert changed["authenticators"]["phone_number"] == "optional"
    assert patch(org, {"trusted_origins": []}).json()["trusted_origins"] == []


def test_put_accepts_the_result_of_get_and_uses_defaults_for_missing_members(org: OrgHandle) -> None:
    policy = get(org, POLICY).json()
    put = requests.put(org.base + POLICY, json={**policy, "magic_link": False}, timeout=60)
    assert put.json() == {**policy, "magic_link": False}
    assert requests.put(org.base + POLICY, json={"apps": policy["apps"]}, timeout=60).json() == policy


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"sing_up": True}, "sing_up"),
        ({"sign_up": "yes"}, "sign_up"),
        ({"authenticators": {"okta_email": "sometimes"}}, "authenticators.okta_email"),
        ({"authenticators": {"carrier_pigeon": "required"}}, "authenticators.carrier_pigeon"),
        ({"lifetimes": {"with_user": "long"}}, "lifetimes.with_user"),
        ({"lifetimes": {"with_user": -1}}, "lifetimes.with_user"),
        ({"profile": {}}, "profile"),
        ({"profile": [{"name": "firstName", "label": "First name"}]}, "profile"),
        ({"profile": [{"label": "Email"}]}, "profile[0].name"),
        ({"profile": [{"name": "email", "label": "E", "required": True, "size": 1}]}, "profile[0].size"),
        ({"apps": [{"client_id": "a", "redirect_uris": "x"}]}, "apps[0].redirect_uris"),
        ({"apps": [{"client_id": "a"}, {"client_id": "a"}]}, "apps"),
        ({"statuses": {"wrong_code": 200}}, "statuses.wrong_code"),
        ({"apps": [{"client_id": "a", "public_keys": ["x"]}]}, "apps[0].public_keys[0]"),
        ({"apps": [{"client_id": "a"}, {"client_id": "b", "public_keys": [RSA, ED25519]}]}, "apps[1].public_keys[1]"),
        ({"apps": [{"client_id": "a", "label": "\ud800"}]}, "apps[0].label"),
        ({"apps": [{"client_id": "a", "label": " "}]}, "apps[0].label"),
        ({"apps": [{"client_id": ""}]}, "apps[0].client_id"),
        ({"apps": [{"client_id": "a", "redirect_uris": ["http://a/", "x"]}]}, "apps[0].redirect_uris[1]"),
        ({"apps": [{"client_id": "a", "redirect_uris": ["http://x:99999/"]}]}, "apps[0].redirect_uris[0]"),
        ({"apps": [{"client_id": "a", "sign_up_uri": "http://["}]}, "apps[0].sign_up_uri"),
        ({"unknowns": {"phone_refusal": "explode"}}, "unknowns.phone_refusal"),
        ({"password": {"complexity": {"minLength": None}}}, "password.complexity.minLength"),
        ([], "the policy"),
    ],
)
def test_invalid_settings_are_refused_with_their_name_and_nothing_changes(
    org: OrgHandle, change: object, expected: str
) -> None:
    before = get(org, POLICY).json()
    changes = {"magic_link": False, **change} if isinstance(change, dict) else change
    reply = patch(org, changes)
    assert reply.status_code == 400
    assert expected in reply.json()["error"]
    assert get(org, POLICY).json() == before


def test_a_body_that_is_not_json_is_refused(org: OrgHandle) -> None:
    reply = requests.patch(org.base + POLICY, data="{", timeout=60)
    assert (reply.status_code, reply.json()) == (400, {"error": "the body is not JSON"})


@pytest.mark.parametrize("path", [POLICY, "/_devorg/messages", "/", "/users"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_foreign_hosts_and_origins_are_refused(org: OrgHandle, path: str, headers: dict[str, str]) -> None:
    reply = get(org, path, **headers)
    assert reply.status_code == 403
    assert "Access-Control-Allow-Origin" not in reply.headers


def test_cross_site_forms_are_refused(org: OrgHandle) -> None:
    for headers in (
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert requests.post(org.base + "/_devorg/reset", headers=headers, timeout=60).status_code == 403
        assert requests.post(org.base + "/policy", data={}, headers=headers, timeout=60).status_code == 403
    assert org.policy.sign_up


def test_the_policy_form_saves_switches_and_authenticators(org: OrgHandle) -> None:
    form = {"sign_up": "on", "authenticators.okta_email": "optional", "authenticators.okta_password": "required"}
    requests.post(org.base + "/policy", data=form, headers={"Origin": org.base}, timeout=60)
    policy = get(org, POLICY).json()
    assert (policy["sign_up"], policy["email_verification"]) == (True, False)
    assert policy["authenticators"]["okta_email"] == "optional"


def test_messages_are_newest_first_and_can_be_filtered_by_address(org: OrgHandle, journey: Journey) -> None:
    journey.registered().choose("Email")
    journey.act("resend")
    messages = get(org, "/_devorg/messages?to=ADA@example.com").json()
    assert set(messages[0]) == {"channel", "to", "template", "code", "link", "at", "subject", "body"}
    assert messages[0]["code"] == org.code(ADA["email"])
    assert messages[0]["at"] >= messages[1]["at"]
    assert get(org, "/_devorg/messages?to=nobody@example.com").json() == []


def test_users_have_their_status_and_no_secret(org: OrgHandle, journey: Journey) -> None:
    journey.signed_up()
    listed = get(org, "/_devorg/users")
    user = listed.json()[0]
    assert (user["login"], user["status"], user["email_verified"]) == (ADA["email"], "ACTIVE", True)
    assert user["authenticators"] == ["okta_password", "okta_email"]
    assert PASSWORD not in listed.text
    assert str(org.users[0].password_hash) not in listed.text + repr(org.users[0])


def test_calls_are_logged_with_headers_and_without_secrets(org: OrgHandle, journey: Journey) -> None:
    journey.http.headers.update(
        {"Accept-Language": "de", "X-Forwarded-For": "203.0.113.9", "Cookie": "a=cookie-secret"}
    )
    journey.registered()
    journey.verify_email()
    code = org.code(ADA["email"])
    journey.set_password()
    tokens = journey.token().json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    requests.get(org.issuer + "/v1/userinfo", headers=bearer, timeout=60)
    requests.get(str(org.messages()[0].link), allow_redirects=False, timeout=60)
    requests.get(org.base + "/tokens/bearer-in-a-path/verify", timeout=60)
    log = get(org, "/_devorg/calls")
    calls = log.json()
    assert [call["path"] for call in calls[:3]] == [
        "/oauth2/default/v1/interact",
        "/idp/idx/introspect",
        "/idp/idx/enroll",
    ]
    assert (calls[0]["headers"]["Accept-Language"], calls[0]["headers"]["X-Forwarded-For"]) == ("de", "203.0.113.9")
    assert calls[2]["summary"] == {"steps": ["enroll-profile", "select-identify"]}
    assert f'"{code}"' not in log.text
    secrets = [PASSWORD, SECRET, journey.verifier, journey.handle, journey.nonce, journey.state, "cookie-secret"]
    secrets += [tokens["access_token"], tokens["id_token"], str(org.messages()[0].link)[-20:], "bearer-in-a-path"]
    for secret in secrets:
        assert secret not in log.text


def test_control_calls_are_not_in_the_log(org: OrgHandle) -> None:
    get(org, POLICY)
    get(org, "/users")
    assert org.calls() == []


@pytest.mark.parametrize("body", [{}, {"advance": "10"}, {"advance": -1}, {"advance": True}, []])
def test_the_clock_accepts_only_seconds(org: OrgHandle, body: object) -> None:
    reply = requests.post(org.base + "/_devorg/clock", json=body, timeout=60)
    assert (reply.status_code, reply.json()["error"][:7]) == (400, "advance")


def test_advancing_the_clock_expires_open_transactions(org: OrgHandle, journey: Journey) -> None:
    journey.begin()
    requests.post(org.base + "/_devorg/clock", json={"advance": 10800}, timeout=60)
    journey.introspect()
    assert (journey.status, journey.keys) == (401, ["idx.session.expired"])


def test_reset_restores_the_initial_state(org: OrgHandle, journey: Journey) -> None:
    before = get(org, POLICY).json()
    journey.registered().choose("Email")
    patch(org, {"sign_up": False})
    org.advance(5)
    org.fail("*", "status")
    requests.post(org.base + "/_devorg/reset", timeout=60)
    assert get(org, POLICY).json() == before
    assert (org.users, org.messages(), org.calls()) == ([], [], [])
    assert get(org, "/_devorg/clock").json()["advanced"] == 0
    assert journey.introspect()["messages"]["value"][0]["i18n"]["key"] == "idx.session.expired"


def test_two_orgs_are_independent(org: OrgHandle, journey: Journey) -> None:
    journey.registered()
    with running_org(policy={"magic_link": False}, site="http://127.0.0.1:8080") as other:
        assert (other.users, other.policy.magic_link, org.policy.magic_link) == ([], False, True)
        assert other.policy.apps[0].redirect_uris == ("http://127.0.0.1:8080/oidc/callback/",)
        other.reset()
        assert not other.policy.magic_link


@pytest.mark.parametrize("path", ["/", "/phone", "/users", "/policy", "/calls"])
def test_pages_escape_input_and_have_a_strict_csp(org: OrgHandle, journey: Journey, path: str) -> None:
    org.patch_policy({"profile": [*profile_of_policy(org), {"name": "nick", "label": "Nick"}]})
    journey.to_profile().enroll_profile(userProfile={**ADA, "firstName": "<b>Ada</b>"})
    journey.choose("Email")
    page = get(org, path)
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "<b>Ada" not in page.text
    assert "style=" not in page.text
    assert "<script>" not in page.text
    assert ADA["email"] in page.text or path in ("/phone", "/policy", "/calls")


def profile_of_policy(org: OrgHandle) -> list[dict[str, Any]]:
    profile: list[dict[str, Any]] = json.loads(get(org, POLICY).text)["profile"]
    return profile
