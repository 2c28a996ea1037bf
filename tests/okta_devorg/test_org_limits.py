"""Rate limits, which are off by default."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from okta_devorg import OrgHandle
from support.local_org.org_journey import ADA, Journey


def test_the_client_limit_applies_per_minute(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"limits": {"client_per_minute": 2}})
    for status in (200, 200, 429):
        reply = journey.interact()
        assert reply.status_code == status
    assert reply.json()["errorCode"] == "E0000047"
    assert reply.headers["X-Rate-Limit-Remaining"] == "0"
    org.advance(61)
    assert journey.interact().status_code == 200


def test_a_state_handle_has_a_limit(org: OrgHandle, journey: Journey) -> None:
    journey.begin()
    org.patch_policy({"limits": {"state_handle_per_5_seconds": 3}})
    statuses = []
    for _ in range(4):
        journey.introspect()
        statuses.append(journey.status)
    assert statuses == [200, 200, 200, 429]


def test_a_user_has_a_limit_over_all_transactions(org: OrgHandle, journey: Journey) -> None:
    journey.signed_up()
    org.patch_policy({"sign_on": "password_and_another", "limits": {"user_per_5_seconds": 2}})
    journey.sign_in()
    assert (journey.status, journey.reply.headers["X-Rate-Limit-Limit"]) == (200, "600")
    step = journey.document
    journey.choose_challenge("Email")
    assert (journey.reply.headers["X-Rate-Limit-Limit"], journey.reply.headers["X-Rate-Limit-Remaining"]) == ("2", "1")
    journey.introspect()
    assert journey.status == 200
    journey.document = step
    journey.choose_challenge("Email")
    assert (journey.status, journey.document["errorCode"]) == (429, "E0000047")
    reset = int(journey.reply.headers["X-Rate-Limit-Reset"])
    assert time.time() - 1 <= reset <= time.time() + 6
    other = Journey(org)
    assert other.begin().status == 200
    other.close()
    org.advance(5)
    journey.document = step
    journey.choose_challenge("Email")
    assert journey.status == 200


@pytest.mark.parametrize(("body", "steps"), [("messages", []), ("page", ["select-authenticator-enroll"])])
def test_an_idx_call_over_the_limit_can_have_a_document(
    org: OrgHandle, journey: Journey, body: str, steps: list[str]
) -> None:
    journey.registered()
    org.patch_policy({"limits": {"state_handle_per_5_seconds": 1, "idx_body": body}})
    journey.introspect()
    assert journey.status == 200
    journey.introspect()
    assert (journey.status, journey.keys, journey.steps) == (429, ["tooManyRequests"], steps)
    assert journey.reply.headers["X-Rate-Limit-Remaining"] == "0"


def test_the_org_limit_applies_to_each_group_of_paths(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"limits": {"org_per_minute": 2}})
    keys = org.issuer + "/v1/keys"
    replies = [requests.get(keys, timeout=60) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert [reply.headers["X-Rate-Limit-Remaining"] for reply in replies] == ["1", "0", "0"]
    assert replies[2].json()["errorCode"] == "E0000047"
    assert requests.get(org.base + "/oauth2/v1/keys", timeout=60).status_code == 200
    assert requests.get(org.base + "/_devorg/policy", timeout=60).status_code == 200
    assert requests.options(keys, timeout=60).status_code == 204
    org.patch_policy({"limits": {"idx_body": "messages"}})
    for status in (401, 401, 429):
        journey.post(org.base + "/idp/idx/introspect", {"interactionHandle": "x"})
        assert journey.status == status
    assert (journey.keys, journey.document["version"]) == (["tooManyRequests"], "1.0.0")
    org.advance(60)
    assert requests.get(keys, timeout=60).status_code == 200


def test_calls_over_the_concurrency_limit_are_refused_with_zero_headers(org: OrgHandle) -> None:
    org.patch_policy({"limits": {"concurrent": 1}})
    org.fail("/keys", "timeout", seconds=20)
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(requests.get, org.issuer + "/v1/keys", timeout=60)
        while not org.org.in_flight:
            assert not hanging.done()
        reply = requests.get(org.base + "/oauth2/v1/keys", timeout=60)
        org.reset()
        with pytest.raises(requests.RequestException):
            hanging.result()
    assert (reply.status_code, reply.json()["errorCode"]) == (429, "E0000047")
    assert (reply.headers["X-Rate-Limit-Limit"], reply.headers["X-Rate-Limit-Remaining"]) == ("0", "0")
    assert requests.get(org.base + "/oauth2/v1/keys", timeout=60).status_code == 200


def test_a_reset_ends_hanging_calls(org: OrgHandle) -> None:
    org.fail("/keys", "timeout", seconds=60)
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(requests.get, org.issuer + "/v1/keys", timeout=30)
        while not org.org.in_flight:
            assert not hanging.done()
        org.reset()
        org.patch_policy({"limits": {"concurrent": 1}})
        assert requests.get(org.base + "/oauth2/v1/keys", timeout=60).status_code == 200
        assert isinstance(hanging.exception(), requests.ConnectionError)


def test_the_token_limit_of_a_user_is_an_oauth_error(org: OrgHandle, journey: Journey) -> None:
    journey.signed_up()
    org.patch_policy({"limits": {"tokens_per_user_per_second": 1}})
    org.org.counters.hits["tokens:" + org.users[0].id].append(org.org.clock.now() + 60)
    reply = journey.token()
    assert (reply.status_code, reply.json()["error"]) == (429, "invalid_grant")
    assert reply.json()["error_description"] == "API call exceeded rate limit due to too many requests."


def test_emails_to_a_recipient_are_limited(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"limits": {"recipient_per_minute": 1}})
    journey.registered().choose("Email")
    journey.act("resend")
    assert (journey.status, journey.keys) == (429, ["tooManyRequests"])
    assert len(org.messages(ADA["email"])) == 1


def test_a_text_message_cannot_be_resent_immediately(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"limits": {"resend_after_seconds": 30}, "authenticators": {"phone_number": "required"}})
    journey.signed_up().choose("Phone", methodType="sms", phoneNumber="+14155550100")
    step = journey.document
    assert journey.act("resend")["errorCode"] == "E0000109"
    assert journey.status == 429
    org.advance(30)
    journey.document = step
    journey.act("resend")
    assert journey.status == 200


def test_the_client_limit_does_not_apply_to_other_calls(org: OrgHandle) -> None:
    org.patch_policy({"limits": {"client_per_minute": 1}})
    assert all(requests.get(org.issuer + "/v1/keys", timeout=60).ok for _ in range(3))
