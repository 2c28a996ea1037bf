"""Lifetimes of handles, and what renews them (docs/protocol.md, section 2.1)."""

from collections.abc import Callable
from datetime import datetime

import pytest

from okta_devorg import OrgHandle
from support.local_org.org_journey import ADA, Journey


def remaining_seconds(journey: Journey) -> float:
    """The seconds until the transaction expires, according to its document."""
    expires = datetime.fromisoformat(journey.document["expiresAt"])
    return (expires - datetime.now(expires.tzinfo)).total_seconds()


def test_a_transaction_lives_two_hours_then_five_minutes_then_one_minute(journey: Journey) -> None:
    journey.to_profile()
    assert remaining_seconds(journey) == pytest.approx(7200, abs=10)
    journey.enroll_profile()
    assert remaining_seconds(journey) == pytest.approx(300, abs=10)
    journey.verify_email()
    journey.set_password()
    assert remaining_seconds(journey) == pytest.approx(60, abs=10)


@pytest.mark.parametrize("path", ["introspect", "enroll", "challenge/answer", "cancel"])
def test_an_expired_handle_has_status_401_on_every_path(org: OrgHandle, journey: Journey, path: str) -> None:
    handle = journey.registered().document["stateHandle"]
    org.advance(301)
    key = "stateToken" if path == "introspect" else "stateHandle"
    journey.post(f"{org.base}/idp/idx/{path}", {key: handle})
    assert (journey.status, journey.keys, journey.steps) == (401, ["idx.session.expired"], [])
    json = "application/json"
    assert journey.reply.headers["Content-Type"] == (
        json if path == "introspect" else "application/ion+json; okta-version=1.0.0"
    )


def test_steps_renew_the_lifetime_and_polls_and_introspects_do_not(org: OrgHandle, journey: Journey) -> None:
    journey.registered().choose("Email")
    org.advance(200)
    journey.act("poll")
    journey.introspect()
    assert remaining_seconds(journey) == pytest.approx(100, abs=10)
    journey.act("resend")
    assert remaining_seconds(journey) == pytest.approx(300, abs=10)


def test_polls_and_introspects_renew_the_lifetime_if_configured(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"unknowns": {"poll_renews": True, "introspect_renews": True}})
    journey.registered().choose("Email")
    renewals: tuple[Callable[[], object], ...] = (lambda: journey.act("poll"), journey.introspect)
    for renew in renewals:
        org.advance(200)
        renew()
        assert remaining_seconds(journey) == pytest.approx(300, abs=10)


def test_a_new_transaction_uses_real_time_after_the_clock_was_advanced(org: OrgHandle, journey: Journey) -> None:
    org.advance(10_800)
    journey.signed_up()
    assert remaining_seconds(journey) == pytest.approx(60, abs=10)


def test_the_interaction_code_expires_after_a_minute(org: OrgHandle, journey: Journey) -> None:
    journey.signed_up()
    org.advance(61)
    reply = journey.token()
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")


def test_introspect_returns_the_step_after_a_lost_answer(org: OrgHandle, journey: Journey) -> None:
    journey.registered().choose("Email")
    code, document = org.code(ADA["email"]), journey.document
    journey.answer(code)
    journey.document = document
    journey.introspect()
    assert journey.offered == ["Password"]
