"""Whatever is sent: an answer in JSON, never a 500, and the org goes on."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from okta_devorg import OrgHandle
from okta_devorg.state.users import new_enrollment
from okta_devorg.testing import OktaOrg
from support.local_org.org_journey import ADA, Journey

ODD: list[Any] = [None, True, 0, -1.5, 10**30, "", "x", "\ud800", "\x00", "x" * 5000, [], [[]], {}, {"id": {}}]
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
