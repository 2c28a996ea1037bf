"""Rate limits, which are off until the policy sets them."""

import requests
from org_journey import ADA, Journey

from okta_devorg import OrgHandle


def test_a_client_that_calls_too_often_waits_a_minute(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"limits": {"client_per_minute": 2}})
    for status in (200, 200, 429):
        reply = journey.interact()
        assert reply.status_code == status
    assert reply.json()["errorCode"] == "E0000047"
    assert reply.headers["X-Rate-Limit-Remaining"] == "0"
    org.advance(61)
    assert journey.interact().status_code == 200


def test_a_state_handle_has_its_own_limit(org: OrgHandle, journey: Journey) -> None:
    journey.begin()
    org.patch_policy({"limits": {"state_handle_per_5_seconds": 3}})
    statuses = []
    for _ in range(4):
        journey.introspect()
        statuses.append(journey.status)
    assert statuses == [200, 200, 200, 429]


def test_a_mailbox_is_not_flooded(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"limits": {"recipient_per_minute": 1}})
    journey.registered().choose("Email")
    journey.act("resend")
    assert (journey.status, journey.keys) == (429, ["tooManyRequests"])
    assert len(org.messages(ADA["email"])) == 1


def test_a_text_is_not_sent_again_at_once(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"limits": {"resend_after_seconds": 30}, "authenticators": {"phone_number": "required"}})
    journey.signed_up().choose("Phone", methodType="sms", phoneNumber="+14155550100")
    step = journey.document
    assert journey.act("resend")["errorCode"] == "E0000109"
    assert journey.status == 429
    org.advance(30)
    journey.document = step
    journey.act("resend")
    assert journey.status == 200


def test_limits_do_not_count_calls_of_others(org: OrgHandle) -> None:
    org.patch_policy({"limits": {"client_per_minute": 1}})
    assert all(requests.get(org.issuer + "/v1/keys", timeout=5).ok for _ in range(3))
