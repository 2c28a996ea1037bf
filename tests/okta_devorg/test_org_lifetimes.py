"""How long handles live, and what renews them (docs/protocol.md, section 2.1)."""

from collections.abc import Callable
from datetime import datetime

import pytest

from okta_devorg import OrgHandle
from support.local_org.org_journey import ADA, Journey


def left(journey: Journey) -> float:
    """Seconds the transaction has left by its own word."""
    expires = datetime.fromisoformat(journey.document["expiresAt"])
    return (expires - datetime.now(expires.tzinfo)).total_seconds()


def test_two_hours_before_there_is_a_person_five_minutes_after_one_at_the_end(journey: Journey) -> None:
    journey.to_profile()
    assert left(journey) == pytest.approx(7200, abs=10)
    journey.enroll_profile()
    assert left(journey) == pytest.approx(300, abs=10)
    journey.prove_email()
    journey.set_password()
    assert left(journey) == pytest.approx(60, abs=10)


@pytest.mark.parametrize("path", ["introspect", "enroll", "challenge/answer", "cancel"])
def test_a_stale_handle_is_a_401_everywhere(org: OrgHandle, journey: Journey, path: str) -> None:
    handle = journey.registered().document["stateHandle"]
    org.advance(301)
    key = "stateToken" if path == "introspect" else "stateHandle"
    journey.post(f"{org.base}/idp/idx/{path}", {key: handle})
    assert (journey.status, journey.keys, journey.steps) == (401, ["idx.session.expired"], [])
    json = "application/json"
    assert journey.reply.headers["Content-Type"] == (
        json if path == "introspect" else "application/ion+json; okta-version=1.0.0"
    )


def test_steps_renew_polling_and_introspecting_do_not(org: OrgHandle, journey: Journey) -> None:
    journey.registered().choose("Email")
    org.advance(200)
    journey.act("poll")
    journey.introspect()
    assert left(journey) == pytest.approx(100, abs=10)
    journey.act("resend")
    assert left(journey) == pytest.approx(300, abs=10)


def test_polling_and_introspecting_renew_where_the_policy_says_so(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"unknowns": {"poll_renews": True, "introspect_renews": True}})
    journey.registered().choose("Email")
    renewals: tuple[Callable[[], object], ...] = (lambda: journey.act("poll"), journey.introspect)
    for renewing in renewals:
        org.advance(200)
        renewing()
        assert left(journey) == pytest.approx(300, abs=10)


def test_a_new_start_after_advancing_the_clock_is_stamped_with_real_time(org: OrgHandle, journey: Journey) -> None:
    org.advance(10_800)
    journey.signed_up()
    assert left(journey) == pytest.approx(60, abs=10)


def test_the_interaction_code_lives_a_minute(org: OrgHandle, journey: Journey) -> None:
    journey.signed_up()
    org.advance(61)
    reply = journey.token()
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")


def test_a_lost_answer_is_found_again_by_introspect(org: OrgHandle, journey: Journey) -> None:
    journey.registered().choose("Email")
    code, document = org.code(ADA["email"]), journey.document
    journey.answer(code)
    journey.document = document
    journey.introspect()
    assert journey.offered == ["Password"]
