"""Whatever is sent: an answer in JSON, never a 500, and the org goes on."""

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

ODD: list[Any] = [None, True, 0, -1.5, 10**30, "", "x", "\ud800", "\x00", "x" * 5000, [], [[]], {}, {"id": {}}]
# One value of each kind, which every endpoint of the Management API gets; the others are for the night.
EACH_KIND = [
    pytest.param(odd, id=repr(odd)[:12], marks=() if odd in (None, -1.5, "", "\ud800", [], {}) else pytest.mark.nightly)
    for odd in ODD
]
PATHS = [
    "introspect", "identify", "identify/select", "enroll", "enroll/new", "credential/enroll", "challenge",
    "challenge/answer",
    "challenge/resend", "challenge/poll", "unlock-account", "skip", "cancel", "recover",
]  # fmt: skip
LABELS = [None, "Email", "Phone", "Password", "Security Question", "Google Authenticator"]


def bodies(handle: str) -> list[dict[str, Any]]:
    """Every odd value in every place a step reads."""
    nested = [
        {"userProfile": {**ADA, "firstName": odd, "email": odd}, "credentials": {"passcode": odd}, "identifier": odd}
        | {"authenticator": {"id": odd}}
        for odd in ODD
    ]
    flat = [dict.fromkeys(("userProfile", "credentials", "authenticator", "identifier"), odd) for odd in ODD]
    answers = [{"credentials": {"questionKey": "custom", "question": odd, "answer": odd}} for odd in ODD]
    return [{**body, "stateHandle": handle} for body in (*nested, *flat, *answers)]


@pytest.mark.parametrize("label", LABELS)
def test_no_body_of_any_shape_makes_a_500(org: OrgHandle, journey: Journey, label: str | None) -> None:
    every = dict.fromkeys(("phone_number", "security_question", "google_otp"), "required")
    org.patch_policy({"authenticators": every, "limits": {"wrong_codes_per_5_minutes": 0}})
    journey.to_profile()
    if label:
        journey.enroll_profile()
        journey.choose(label, **({"methodType": "sms", "phoneNumber": "+14155550100"} if label == "Phone" else {}))
    handle = journey.document["stateHandle"]
    for path in PATHS[:-2]:
        for body in bodies(handle):
            reply = journey.http.post(f"{org.base}/idp/idx/{path}", json=body, timeout=5)
            assert reply.status_code < 500, (path, body)
            assert isinstance(reply.json(), dict)


@pytest.mark.parametrize("at", ["recover", "unlock-account", "Email", "Phone", "Security Question"])
def test_nor_does_it_at_sign_in(org: OrgHandle, journey: Journey, at: str) -> None:
    OktaOrg(org).sign_up()
    person = org.users[0]
    person.enroll(new_enrollment("phone_number", ("sms",), phone="+14155550100"))
    person.enroll(new_enrollment("security_question", ("security_question",), question="Why?", answer_hash=None))
    recovery = {"unlock": True, "authenticators": ["okta_email", "phone_number"]}
    limits = {"wrong_codes_per_5_minutes": 0}
    org.patch_policy({"sign_on": "password_and_another", "limits": limits, "password": {"recovery": recovery}})
    if at == "recover":
        journey.begin().act("recover")
    elif at == "unlock-account":
        journey.begin().take("unlock-account")
    else:
        journey.sign_in().prove(at)
    handle = journey.document["stateHandle"]
    for path in PATHS[:-2]:
        for body in bodies(handle):
            reply = journey.http.post(f"{org.base}/idp/idx/{path}", json=body, timeout=5)
            assert reply.status_code < 500, (path, body)
            assert isinstance(reply.json(), dict)


def test_every_page_can_still_be_shown_after_odd_names(org: OrgHandle, journey: Journey) -> None:
    for name in ("\ud800", "\x00", "\u200fא\u200c", "<i>", "{{ 7 * 7 }}", "%(x)s {name}"):
        journey.to_profile().enroll_profile(userProfile={**ADA, "firstName": name})
        if journey.status == 200:
            journey.choose("Email")
        requests.post(f"{org.base}/api/v1/users", json={"profile": {"login": name}}, timeout=5)
        for path in ("/", "/users", "/calls"):
            assert requests.get(org.base + path, timeout=5).status_code == 200
        org.reset()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
@pytest.mark.parametrize("path", ["/_devorg/policy", "/_devorg/faults", "/_devorg/clock"])
def test_the_control_api_refuses_odd_bodies(org: OrgHandle, method: str, path: str) -> None:
    deep = "[" * 100_000
    bodies = [deep, "", "{", '{"lifetimes":{"with_user":1e400}}', '{"kind":"slow","seconds":1e400}', '{"advance":NaN}']
    for body in (*bodies, *(json.dumps(odd) for odd in ODD if odd != {})):
        reply = requests.request(method, org.base + path, data=body, timeout=5)
        assert 400 <= reply.status_code < 500, body


def test_deep_nesting_is_a_bad_request(org: OrgHandle) -> None:
    reply = requests.post(
        org.base + "/idp/idx/introspect",
        data='{"a":' * 50_000,
        headers={"Content-Type": "application/json"},
        timeout=5,
    )
    assert reply.status_code == 400


def test_one_address_raced_for_is_given_once(org: OrgHandle) -> None:
    journeys = [Journey(org).to_profile() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda journey: journey.enroll_profile(), journeys))
    assert sorted(journey.status for journey in journeys) == [200] + [400] * 7
    assert len(org.users) == 1
    for journey in journeys:
        journey.close()


def nested(odd: Any) -> list[Any]:
    """The odd value as a whole body, and in every place that some endpoint reads."""
    names = (
        "profile", "credentials", "groupIds", "name", "type", "key", "settings", "actions", "conditions", "channel",
        "events", "priority", "label", "signOnMode", "origin", "passCode", "factorType", "oldPassword", "newPassword",
        "password", "recovery_question", "description", "status",
    )  # fmt: skip
    people = {"people": {"users": {"include": odd}, "groups": odd}, "grantTypes": {"include": odd}}
    enrollment = {
        "unknownUserAction": odd, "targetGroupIds": [odd], "profileAttributes": [odd, {"name": odd}],
        "preRegistrationInlineHooks": [odd], "allowedIdentifiers": [odd], "enrollAuthenticatorTypes": [odd],
        "activationRequirements": odd,
    }  # fmt: skip
    sign_on = {"access": odd, "verificationMethod": {"factorMode": odd}}
    password = {"complexity": {"minLength": odd, "dictionary": odd}, "age": odd, "lockout": {"maxAttempts": odd}}
    client = {"redirect_uris": [odd], "grant_types": [odd], "initiate_login_uri": odd}
    return [
        odd,
        dict.fromkeys(names, odd),
        {"name": "x", "label": "x", "profile": {**ADA, "login": odd, "email": odd}, "conditions": people},
        {"actions": {"profileEnrollment": enrollment, "appSignOn": sign_on}, "name": "x"},
        {"settings": {"password": password, "authenticators": [odd, {"key": odd, "enroll": odd}]}, "type": "PASSWORD"},
        {"settings": {"tokenLifetimeInMinutes": odd, "oauthClient": client}, "name": "oidc_client", "label": "x"},
        {"name": "x", "channel": {"config": {"uri": "http://x/", "headers": [odd], "authScheme": odd}}},
        {"name": "x", "type": "com.okta.user.pre-registration", "channel": {"config": {"uri": odd}}},
    ]


DIGITS = "9" * 5_000


@pytest.mark.parametrize("number", [DIGITS, "²", "٣", "-1", "1e9"])
def test_no_number_breaks_a_list_or_a_page(
    org: OrgHandle, api: ManagementApi, browser: OrgBrowser, number: str
) -> None:
    for name in ("after", "limit"):
        api("GET", "users", status=400, **{name: number})
    assert requests.get(org.base + "/", params={"page": number}, timeout=5).status_code == 200
    settings = requests.post(org.base + "/policy", data={"email_code.length": number}, timeout=5)
    assert (settings.status_code, "email_code.length must be" in settings.text) == (400, True)
    OktaOrg(org).sign_up()
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    assert browser.landed["code"]
    assert browser.authorize(max_age=number).status_code in (200, 302)


def test_a_length_that_is_no_number_ends_the_connection_after_an_answer(org: OrgHandle) -> None:
    for length in ("²".encode("latin-1"), DIGITS.encode()):
        with socket.create_connection(("127.0.0.1", urlsplit(org.base).port or 80), timeout=5) as connection:
            head = b"POST /idp/idx/introspect HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + length + b"\r\n\r\n{}"
            connection.sendall(head)
            assert b" 400 " in b"".join(iter(lambda: connection.recv(4096), b"")).splitlines()[0] + b" "


def test_the_clock_can_be_moved_again_and_again(org: OrgHandle) -> None:
    OktaOrg(org).sign_up()
    for _ in range(70):
        org.advance(10**9)
    for path in ("/_devorg/users", "/_devorg/clock", "/users"):
        assert requests.get(org.base + path, timeout=5).status_code == 200


def token(**values: Any) -> str:
    return base64.b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    "answer",
    [
        *ODD, "é", "a" * 4, base64.b64encode(b"[" * 50_000).decode(), base64.b64encode(b"[]").decode(),
        token(salt="\ud800", number=1, signature="x"), token(salt="x", number=1, signature="é"),
        token(salt="?expires=nan&", number=float("inf"), signature=[]),
        token(salt=DIGITS, number=DIGITS, signature="x"),
        token(salt="?expires=" + DIGITS + "&", number={}, signature=None),
    ],
    ids=lambda odd: repr(odd)[:12],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["ALTCHA", "HCAPTCHA"])
def test_no_answer_to_a_captcha_is_more_than_wrong(org: OrgHandle, journey: Journey, kind: str, answer: Any) -> None:
    org.patch_policy({"captcha": {"type": kind}})
    journey.to_profile()
    for value in ({"captchaToken": answer}, answer):
        journey.enroll_profile(captchaVerify=value)
        assert journey.status == 400
        assert "The captcha was not solved. Try again." in str(journey.document)


PARAMETER = re.compile(r"<(?:path:)?(\w+)>")


def value_in(named: dict[str, str], parameter: re.Match[str]) -> str:
    return named.get(parameter[1], "x")


@pytest.mark.parametrize("odd", EACH_KIND)
def test_no_body_breaks_the_management_api(org: OrgHandle, odd: Any) -> None:
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
                    for body in nested(odd):
                        reply = http.request(method, org.base + filled, data=json.dumps(body), timeout=10)
                        assert reply.status_code < 500, (method, filled, body, reply.text)
