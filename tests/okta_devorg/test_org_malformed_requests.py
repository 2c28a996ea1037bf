"""Malformed requests never cause a status 500."""

import base64
import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from okta_devorg import OrgHandle
from okta_devorg.management.routes import ROUTES
from okta_devorg.state.okta_policies import DEFAULT_POLICIES
from okta_devorg.state.users import new_enrollment
from okta_devorg.testing import OktaOrg
from support.local_org.management_api import ManagementApi
from support.local_org.org_browser import OrgBrowser
from support.local_org.org_journey import ADA, PASSWORD, Journey

VALUES: list[Any] = [None, True, 0, -1.5, 10**30, "", "x", "\ud800", "\x00", "x" * 5000, [], [[]], {}, {"id": {}}]
# One value of each kind, which every endpoint of the Management API gets; the others are for the night.
VALUES_OF_EACH_KIND = [
    pytest.param(
        value, id=repr(value)[:12], marks=() if value in (None, -1.5, "", "\ud800", [], {}) else pytest.mark.nightly
    )
    for value in VALUES
]
PATHS = [
    "introspect", "identify", "identify/select", "enroll", "enroll/new", "credential/enroll", "challenge",
    "challenge/answer",
    "challenge/resend", "challenge/poll", "unlock-account", "skip", "cancel", "recover",
]  # fmt: skip
LABELS = [None, "Email", "Phone", "Password", "Security Question", "Google Authenticator"]


def bodies(handle: str) -> list[dict[str, Any]]:
    """Bodies with every value in every member that a step reads."""
    nested = [
        {
            "userProfile": {**ADA, "firstName": value, "email": value},
            "credentials": {"passcode": value},
            "identifier": value,
        }
        | {"authenticator": {"id": value}}
        for value in VALUES
    ]
    flat = [dict.fromkeys(("userProfile", "credentials", "authenticator", "identifier"), value) for value in VALUES]
    answers = [{"credentials": {"questionKey": "custom", "question": value, "answer": value}} for value in VALUES]
    return [{**body, "stateHandle": handle} for body in (*nested, *flat, *answers)]


@pytest.mark.parametrize("label", LABELS)
def test_no_body_causes_a_500_during_sign_up(org: OrgHandle, journey: Journey, label: str | None) -> None:
    every = dict.fromkeys(("phone_number", "security_question", "google_otp"), "required")
    org.patch_policy({"authenticators": every, "limits": {"wrong_codes_per_5_minutes": 0}})
    journey.to_profile()
    if label:
        journey.enroll_profile()
        journey.choose(label, **({"methodType": "sms", "phoneNumber": "+14155550100"} if label == "Phone" else {}))
    handle = journey.document["stateHandle"]
    for path in PATHS[:-2]:
        for body in bodies(handle):
            reply = journey.http.post(f"{org.base}/idp/idx/{path}", json=body, timeout=60)
            assert reply.status_code < 500, (path, body)
            assert isinstance(reply.json(), dict)


@pytest.mark.parametrize("start", ["recover", "unlock-account", "Email", "Phone", "Security Question"])
def test_no_body_causes_a_500_during_sign_in(org: OrgHandle, journey: Journey, start: str) -> None:
    OktaOrg(org).sign_up()
    person = org.users[0]
    person.enroll(new_enrollment("phone_number", ("sms",), phone="+14155550100"))
    person.enroll(new_enrollment("security_question", ("security_question",), question="Why?", answer_hash=None))
    recovery = {"unlock": True, "authenticators": ["okta_email", "phone_number"]}
    limits = {"wrong_codes_per_5_minutes": 0}
    org.patch_policy({"sign_on": "password_and_another", "limits": limits, "password": {"recovery": recovery}})
    if start == "recover":
        journey.begin().act("recover")
    elif start == "unlock-account":
        journey.begin().take("unlock-account")
    else:
        journey.sign_in().choose_challenge(start)
    handle = journey.document["stateHandle"]
    for path in PATHS[:-2]:
        for body in bodies(handle):
            reply = journey.http.post(f"{org.base}/idp/idx/{path}", json=body, timeout=60)
            assert reply.status_code < 500, (path, body)
            assert isinstance(reply.json(), dict)


def test_pages_can_be_rendered_with_unusual_names(org: OrgHandle, journey: Journey) -> None:
    for name in ("\ud800", "\x00", "\u200fא\u200c", "<i>", "{{ 7 * 7 }}", "%(x)s {name}"):
        journey.to_profile().enroll_profile(userProfile={**ADA, "firstName": name})
        if journey.status == 200:
            journey.choose("Email")
        requests.post(f"{org.base}/api/v1/users", json={"profile": {"login": name}}, timeout=60)
        for path in ("/", "/users", "/calls"):
            assert requests.get(org.base + path, timeout=60).status_code == 200
        org.reset()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
@pytest.mark.parametrize("path", ["/_devorg/policy", "/_devorg/faults", "/_devorg/clock"])
def test_the_control_api_refuses_malformed_bodies(org: OrgHandle, method: str, path: str) -> None:
    deep = "[" * 100_000
    bodies = [deep, "", "{", '{"lifetimes":{"with_user":1e400}}', '{"kind":"slow","seconds":1e400}', '{"advance":NaN}']
    for body in (*bodies, *(json.dumps(value) for value in VALUES if value != {})):
        reply = requests.request(method, org.base + path, data=body, timeout=60)
        assert 400 <= reply.status_code < 500, body


def test_deeply_nested_json_is_a_bad_request(org: OrgHandle) -> None:
    reply = requests.post(
        org.base + "/idp/idx/introspect",
        data='{"a":' * 50_000,
        headers={"Content-Type": "application/json"},
        timeout=60,
    )
    assert reply.status_code == 400


def test_concurrent_sign_ups_with_one_address_create_one_user(org: OrgHandle) -> None:
    journeys = [Journey(org).to_profile() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda journey: journey.enroll_profile(), journeys))
    assert sorted(journey.status for journey in journeys) == [200] + [400] * 7
    assert len(org.users) == 1
    for journey in journeys:
        journey.close()


def nested(value: Any) -> list[Any]:
    """Bodies with a value as the whole body and in every member that an endpoint reads."""
    names = (
        "profile", "credentials", "groupIds", "name", "type", "key", "settings", "actions", "conditions", "channel",
        "events", "priority", "label", "signOnMode", "origin", "passCode", "factorType", "oldPassword", "newPassword",
        "password", "recovery_question", "description", "status",
    )  # fmt: skip
    people = {"people": {"users": {"include": value}, "groups": value}, "grantTypes": {"include": value}}
    enrollment = {
        "unknownUserAction": value, "targetGroupIds": [value], "profileAttributes": [value, {"name": value}],
        "preRegistrationInlineHooks": [value], "allowedIdentifiers": [value], "enrollAuthenticatorTypes": [value],
        "activationRequirements": value,
    }  # fmt: skip
    sign_on = {"access": value, "verificationMethod": {"factorMode": value}}
    password = {
        "complexity": {"minLength": value, "dictionary": value},
        "age": value,
        "lockout": {"maxAttempts": value},
    }
    client = {"redirect_uris": [value], "grant_types": [value], "initiate_login_uri": value}
    return [
        value,
        dict.fromkeys(names, value),
        {"name": "x", "label": "x", "profile": {**ADA, "login": value, "email": value}, "conditions": people},
        {"actions": {"profileEnrollment": enrollment, "appSignOn": sign_on}, "name": "x"},
        {
            "settings": {"password": password, "authenticators": [value, {"key": value, "enroll": value}]},
            "type": "PASSWORD",
        },
        {"settings": {"tokenLifetimeInMinutes": value, "oauthClient": client}, "name": "oidc_client", "label": "x"},
        {"name": "x", "channel": {"config": {"uri": "http://x/", "headers": [value], "authScheme": value}}},
        {"name": "x", "type": "com.okta.user.pre-registration", "channel": {"config": {"uri": value}}},
    ]


DIGITS = "9" * 5_000


@pytest.mark.parametrize("number", [DIGITS, "²", "٣", "-1", "1e9"])
def test_invalid_numbers_are_refused_or_ignored(
    org: OrgHandle, api: ManagementApi, browser: OrgBrowser, number: str
) -> None:
    for name in ("after", "limit"):
        api("GET", "users", status=400, **{name: number})
    assert requests.get(org.base + "/", params={"page": number}, timeout=60).status_code == 200
    settings = requests.post(org.base + "/policy", data={"email_code.length": number}, timeout=60)
    assert (settings.status_code, "email_code.length must be" in settings.text) == (400, True)
    OktaOrg(org).sign_up()
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    assert browser.landed["code"]
    assert browser.authorize(max_age=number).status_code in (200, 302)


def test_an_invalid_content_length_is_a_bad_request(org: OrgHandle) -> None:
    for length in ("²".encode("latin-1"), DIGITS.encode()):
        with socket.create_connection(("127.0.0.1", urlsplit(org.base).port or 80), timeout=60) as connection:
            head = b"POST /idp/idx/introspect HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + length + b"\r\n\r\n{}"
            connection.sendall(head)
            assert b" 400 " in b"".join(iter(lambda: connection.recv(4096), b"")).splitlines()[0] + b" "


def test_the_clock_can_be_advanced_repeatedly(org: OrgHandle) -> None:
    OktaOrg(org).sign_up()
    for _ in range(70):
        org.advance(10**9)
    for path in ("/_devorg/users", "/_devorg/clock", "/users"):
        assert requests.get(org.base + path, timeout=60).status_code == 200


def token(**values: Any) -> str:
    return base64.b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    "answer",
    [
        *VALUES, "é", "a" * 4, base64.b64encode(b"[" * 50_000).decode(), base64.b64encode(b"[]").decode(),
        token(salt="\ud800", number=1, signature="x"), token(salt="x", number=1, signature="é"),
        token(salt="?expires=nan&", number=float("inf"), signature=[]),
        token(salt=DIGITS, number=DIGITS, signature="x"),
        token(salt="?expires=" + DIGITS + "&", number={}, signature=None),
    ],
    ids=lambda value: repr(value)[:12],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["ALTCHA", "HCAPTCHA"])
def test_malformed_captcha_answers_are_refused(org: OrgHandle, journey: Journey, kind: str, answer: Any) -> None:
    org.patch_policy({"captcha": {"type": kind}})
    journey.to_profile()
    for value in ({"captchaToken": answer}, answer):
        journey.enroll_profile(captchaVerify=value)
        assert journey.status == 400
        assert "The captcha was not solved. Try again." in str(journey.document)


PARAMETER = re.compile(r"<(?:path:)?(\w+)>")


def value_in(named: dict[str, str], parameter: re.Match[str]) -> str:
    return named.get(parameter[1], "x")


@pytest.mark.parametrize("value", VALUES_OF_EACH_KIND)
def test_no_body_causes_a_500_in_the_management_api(org: OrgHandle, value: Any) -> None:
    user = OktaOrg(org).sign_up()
    token = {"Authorization": f"SSWS {org.policy.api_token}"}
    ids = {"user_id": user.id, "app_id": "0oaLocalDemoApp0000", "group_id": "00gLocalEveryone0001"}
    ids |= {"server_id": "default", "authenticator_id": "autLocalEmail0000001", "change": "activate"}
    with requests.Session() as http:
        http.headers.update(token)
        for kind, policy, rule, _ in DEFAULT_POLICIES:
            named = {**ids, "policy_id": policy, "rule_id": rule}
            for methods, path, _ in ROUTES:
                if "policy_id" not in path and kind != "PASSWORD":
                    continue
                filled = PARAMETER.sub(partial(value_in, named), path)
                for method in set(methods.split()) & {"POST", "PUT"}:
                    for body in nested(value):
                        reply = http.request(method, org.base + filled, data=json.dumps(body), timeout=60)
                        assert reply.status_code < 500, (method, filled, body, reply.text)
