"""Okta's hooks: authentication, registration hook, event hook, and invalid requests."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from selfreg.models import OktaEvent, OktaIdentity

REGISTRATION, EVENTS = "/signup/hooks/registration/", "/signup/hooks/events/"
SECRET = "canary-hook-secret"
PROFILE = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@company.example"}
INLINE = {"eventType": "com.okta.user.pre-registration", "data": {"userProfile": PROFILE}}


@pytest.fixture
def okta(db: None, configure: Callable[..., None]) -> Client:
    configure(HOOK_SECRET=SECRET, ISSUER="https://org.example")
    return Client(headers={"Authorization": SECRET}, enforce_csrf_checks=True)


@pytest.fixture
def identity(okta: Client) -> OktaIdentity:
    user = User.objects.create_user("okta-ada")
    return OktaIdentity.objects.create(issuer="https://org.example", subject="00uADA", user=user)


def send(client: Client, path: str, body: Any, **headers: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body)
    return client.post(path, raw, content_type="application/json", headers=headers)


def event(
    uuid: Any = "e1",
    kind: str = "user.mfa.factor.activate",
    user: Any = "00uADA",
    result: str = "SUCCESS",
    factor: Any = "EMAIL_FACTOR",
    reason: Any = None,
    login: Any = None,
) -> Any:
    target = [{"type": "User", "id": user, "alternateId": login}]
    outcome, debug = {"result": result, "reason": reason}, {"debugData": {"factor": factor}}
    return {"uuid": uuid, "eventType": kind, "target": target, "outcome": outcome, "debugContext": debug}


def delivery(*events: Any) -> Any:
    return {"eventType": "com.okta.event_hook", "data": {"events": list(events)}}


@pytest.mark.parametrize("path", [REGISTRATION, EVENTS])
@pytest.mark.parametrize(
    "secret", ["", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), f"Bearer {SECRET}", "é", "x" * 9_000]
)
def test_hook_without_the_secret_gets_status_401(okta: Client, path: str, secret: str) -> None:
    assert send(Client(), path, INLINE, Authorization=secret).status_code == 401
    assert not OktaEvent.objects.exists()


@pytest.mark.parametrize("path", [REGISTRATION, EVENTS])
def test_hooks_get_status_404_without_hook_secret_setting(db: None, path: str) -> None:
    assert send(Client(), path, INLINE, Authorization="").status_code == 404


def test_registration_hook_allows_a_profile_by_default(okta: Client) -> None:
    allow = {"type": "com.okta.action.update", "value": {"registration": "ALLOW"}}
    assert send(okta, REGISTRATION, INLINE).json() == {"commands": [allow]}


@pytest.mark.parametrize(
    "hook", ["support.site_hooks.breaks", "support.site_hooks.returns_nonsense", "support.site_hooks.is_not_there"]
)
def test_broken_profile_hook_denies_the_registration(okta: Client, configure: Callable[..., None], hook: str) -> None:
    configure(PROFILE_HOOK=hook)
    response = send(okta, REGISTRATION, INLINE)
    assert (response.status_code, response.json()["commands"][0]["value"]) == (200, {"registration": "DENY"})


def test_profile_hook_denies_with_a_message_for_each_field(okta: Client, configure: Callable[..., None]) -> None:
    configure(PROFILE_HOOK="support.site_hooks.refuses_freemail")
    body = {**INLINE, "data": {"userProfile": PROFILE | {"email": "ada@example.com"}}}
    response = send(okta, REGISTRATION, body).json()
    assert response["commands"][0]["value"] == {"registration": "DENY"}
    assert [(c["location"], c["errorSummary"]) for c in response["error"]["errorCauses"]] == [
        ("data.userProfile.email", "Use your work address.")
    ]


def test_profile_hook_can_change_the_profile(okta: Client, configure: Callable[..., None]) -> None:
    configure(PROFILE_HOOK="support.site_hooks.amends_the_name")
    change = send(okta, REGISTRATION, INLINE).json()["commands"][1]
    assert change == {"type": "com.okta.user.profile.update", "value": {"lastName": "LOVELACE"}}


PROGRESSIVE = {
    "eventType": "com.okta.user.pre-registration",
    "requestType": "progressive.profile",
    "data": {"context": {"user": {"id": "00uADA", "profile": PROFILE}}, "userProfileUpdate": {"city": "London"}},
}


def test_progressive_profile_request_gets_its_own_command(okta: Client) -> None:
    allow = {"type": "com.okta.action.update", "value": {"progressiveProfile": "ALLOW"}}
    assert send(okta, REGISTRATION, PROGRESSIVE).json() == {"commands": [allow]}


def test_profile_hook_gets_the_complete_profile_for_an_update(okta: Client, configure: Callable[..., None]) -> None:
    configure(PROFILE_HOOK="support.site_hooks.amends_the_name")
    change = send(okta, REGISTRATION, PROGRESSIVE).json()["commands"][1]
    assert change == {"type": "com.okta.user.progressive.profile.update", "value": {"lastName": "LOVELACE"}}
    configure(PROFILE_HOOK="support.site_hooks.refuses_freemail")
    assert "error" not in send(okta, REGISTRATION, PROGRESSIVE).json()
    body = json.loads(json.dumps(PROGRESSIVE).replace("company.example", "example.com"))
    response = send(okta, REGISTRATION, body).json()
    assert response["commands"][0]["value"] == {"progressiveProfile": "DENY"}
    assert response["error"]["errorCauses"][0]["location"] == "data.userProfileUpdate.email"


INVALID_BODIES: list[Any] = [
    b"",
    b"x",
    b"[]",
    b"null",
    b"{}",
    b'{"data":[]}',
    b'{"data":{"events":{}}}',
    b'{"data":{"events":null}}',
    b"\xff\xfe",
    b"[" * 50_000,
    {"eventType": "other", "data": {"userProfile": PROFILE}},
    b'{"pad":"' + b"x" * 300_000 + b'"}',
]


@pytest.mark.database
@pytest.mark.parametrize("path", [REGISTRATION, EVENTS])
@pytest.mark.parametrize("body", INVALID_BODIES, ids=range(len(INVALID_BODIES)))
def test_invalid_bodies_get_status_400(okta: Client, path: str, body: Any) -> None:
    assert send(okta, path, body).status_code == 400


def test_invalid_content_length_gets_status_400(okta: Client) -> None:
    response = okta.generic("POST", EVENTS, b"{}", content_type="application/json", CONTENT_LENGTH="many")
    assert response.status_code == 400


def test_verification_challenge_is_answered(okta: Client) -> None:
    response = okta.get(EVENTS, headers={"X-Okta-Verification-Challenge": "a-challenge"})
    assert response.json() == {"verification": "a-challenge"}


@pytest.mark.database
@pytest.mark.parametrize(
    "factor", [{"factor": "EMAIL_FACTOR"}, {"factor": None, "reason": "User set up EMAIL_FACTOR factor"}]
)
def test_email_factor_event_verifies_the_address_once(
    okta: Client, identity: OktaIdentity, factor: dict[str, Any]
) -> None:
    assert send(okta, EVENTS, delivery(event(**factor))).status_code == 204
    identity.refresh_from_db()
    verified_at = identity.email_verified_at
    assert verified_at is not None
    assert send(okta, EVENTS, delivery(event(**factor), event("e2", **factor))).status_code == 204
    identity.refresh_from_db()
    assert identity.email_verified_at == verified_at
    assert OktaEvent.objects.count() == 2


@pytest.mark.database
def test_event_delivered_twice_is_processed_once(okta: Client, identity: OktaIdentity) -> None:
    send(okta, EVENTS, delivery(event()))
    OktaIdentity.objects.update(email_verified_at=None)
    send(okta, EVENTS, delivery(event()))
    identity.refresh_from_db()
    assert identity.email_verified_at is None


@pytest.mark.database
def test_delivery_of_500_events_takes_few_queries(
    okta: Client, identity: OktaIdentity, django_assert_max_num_queries: Any
) -> None:
    verifying = [event(f"p{n}", user=f"00u{n}") for n in range(250)]
    deactivating = [event(f"d{n}", "user.lifecycle.deactivate", user=f"00u{n}") for n in range(250)]
    with django_assert_max_num_queries(10):
        assert send(okta, EVENTS, delivery(*verifying, *deactivating)).status_code == 204
    with django_assert_max_num_queries(4):
        assert send(okta, EVENTS, delivery(*verifying, *deactivating)).status_code == 204


def test_delivery_of_too_many_events_gets_status_413_without_queries(
    okta: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        assert send(okta, EVENTS, delivery(*[{"uuid": str(n)} for n in range(5_000)])).status_code == 413


def test_irrelevant_events_are_not_stored(okta: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert (
            send(okta, EVENTS, delivery(*[event(f"e{n}", "user.session.start") for n in range(400)])).status_code == 204
        )


def test_only_the_first_targets_of_an_event_are_processed(okta: Client, identity: OktaIdentity) -> None:
    crowded_event = event() | {"target": [{"type": "User", "id": f"00u{n}"} for n in range(5_000)]}
    crowded_event["target"].append({"type": "User", "id": identity.subject})
    assert send(okta, EVENTS, delivery(crowded_event)).status_code == 204
    identity.refresh_from_db()
    assert identity.email_verified_at is None


@pytest.mark.database
def test_event_ids_are_purged_when_their_events_are_too_old_to_be_processed(
    okta: Client, identity: OktaIdentity
) -> None:
    now = datetime.now(UTC)
    old_event = event() | {"published": now.isoformat()}
    send(okta, EVENTS, delivery(old_event))
    OktaIdentity.objects.update(email_verified_at=None)
    with time_machine.travel(now + timedelta(days=31)):
        call_command("selfreg_purge", verbosity=0)
        assert not OktaEvent.objects.exists()
        assert send(okta, EVENTS, delivery(old_event)).status_code == 204
    assert OktaIdentity.objects.get().email_verified_at is None


@pytest.mark.parametrize("published", ["", "yesterday", "2026-13-45T00:00:00Z", "2026-01-01T00:00:00", 7, None, ["x"]])
def test_event_without_a_valid_time_is_processed(okta: Client, identity: OktaIdentity, published: Any) -> None:
    assert send(okta, EVENTS, delivery(event() | {"published": published})).status_code == 204
    identity.refresh_from_db()
    assert identity.email_verified_at is not None


IRRELEVANT_EVENTS: list[Any] = [
    event(kind="user.session.start"),
    event(kind="user.lifecycle.activate"),
    event(factor="PASSWORD_AS_FACTOR"),
    event(factor="SMS_FACTOR", reason="User set up SMS_FACTOR factor"),
    event(factor=None),
    event(factor=["x"], reason=7),
    event(result="FAILURE"),
    event(user="00uSOMEBODY"),
    event(user=None),
    event(user=["00uADA"]),
    event(uuid=None),
    event(uuid=""),
    event(uuid="x" * 101),
    event(uuid=7),
    event(uuid="a\0b"),
    event(uuid="\ud800"),
    event(user="a\0"),
    event(user="\ud800"),
    "text",
    None,
    [],
    {"uuid": "e", "eventType": "user.mfa.factor.activate"},
    {"uuid": "e", "eventType": "user.mfa.factor.activate", "debugContext": {"debugData": {"factor": "EMAIL_FACTOR"}}},
]


@pytest.mark.parametrize("irrelevant", IRRELEVANT_EVENTS, ids=range(len(IRRELEVANT_EVENTS)))
def test_other_events_verify_no_address(okta: Client, identity: OktaIdentity, irrelevant: Any) -> None:
    assert send(okta, EVENTS, delivery(irrelevant)).status_code == 204
    identity.refresh_from_db()
    assert identity.email_verified_at is None


@pytest.mark.parametrize(
    ("login", "verifies"),
    [
        ("ada@example.com", True),
        ("Ada@EXAMPLE.com", True),
        ("ada", True),
        (None, True),
        (["ada@example.org"], True),
        ("ada@example.org", False),
    ],
)
def test_event_for_another_mailbox_does_not_verify_the_address(
    okta: Client, identity: OktaIdentity, login: Any, verifies: bool
) -> None:
    """The event arrives after the user changed to another address."""
    User.objects.update(email="ada@example.com")
    send(okta, EVENTS, delivery(event(login=login)))
    identity.refresh_from_db()
    assert (identity.email_verified_at is not None) is verifies
