"""Okta's calls to the site: who may call, what is answered, and that an event counts once."""

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
    "given", ["", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), f"Bearer {SECRET}", "é", "x" * 9_000]
)
def test_without_the_secret_nothing_is_answered(okta: Client, path: str, given: str) -> None:
    assert send(Client(), path, INLINE, Authorization=given).status_code == 401
    assert not OktaEvent.objects.exists()


@pytest.mark.parametrize("path", [REGISTRATION, EVENTS])
def test_without_a_secret_in_the_settings_the_hooks_do_not_exist(db: None, path: str) -> None:
    assert send(Client(), path, INLINE, Authorization="").status_code == 404


def test_a_profile_nobody_objects_to_is_allowed_as_it_is(okta: Client) -> None:
    allow = {"type": "com.okta.action.update", "value": {"registration": "ALLOW"}}
    assert send(okta, REGISTRATION, INLINE).json() == {"commands": [allow]}


@pytest.mark.parametrize(
    "hook", ["support.site_hooks.breaks", "support.site_hooks.returns_nonsense", "support.site_hooks.is_not_there"]
)
def test_a_broken_hook_lets_nobody_in(okta: Client, configure: Callable[..., None], hook: str) -> None:
    configure(PROFILE_HOOK=hook)
    answer = send(okta, REGISTRATION, INLINE)
    assert (answer.status_code, answer.json()["commands"][0]["value"]) == (200, {"registration": "DENY"})


def test_the_sites_hook_refuses_with_a_message_for_each_field(okta: Client, configure: Callable[..., None]) -> None:
    configure(PROFILE_HOOK="support.site_hooks.refuses_freemail")
    body = {**INLINE, "data": {"userProfile": PROFILE | {"email": "ada@example.com"}}}
    answer = send(okta, REGISTRATION, body).json()
    assert answer["commands"][0]["value"] == {"registration": "DENY"}
    assert [(c["location"], c["errorSummary"]) for c in answer["error"]["errorCauses"]] == [
        ("data.userProfile.email", "Use your work address.")
    ]


def test_the_sites_hook_amends(okta: Client, configure: Callable[..., None]) -> None:
    configure(PROFILE_HOOK="support.site_hooks.amends_the_name")
    change = send(okta, REGISTRATION, INLINE).json()["commands"][1]
    assert change == {"type": "com.okta.user.profile.update", "value": {"lastName": "LOVELACE"}}


MORE = {
    "eventType": "com.okta.user.pre-registration",
    "requestType": "progressive.profile",
    "data": {"context": {"user": {"id": "00uADA", "profile": PROFILE}}, "userProfileUpdate": {"city": "London"}},
}


def test_a_profile_that_grows_at_sign_in_is_answered_in_the_words_for_that(okta: Client) -> None:
    allow = {"type": "com.okta.action.update", "value": {"progressiveProfile": "ALLOW"}}
    assert send(okta, REGISTRATION, MORE).json() == {"commands": [allow]}


def test_the_sites_hook_judges_an_update_by_the_whole_person(okta: Client, configure: Callable[..., None]) -> None:
    configure(PROFILE_HOOK="support.site_hooks.amends_the_name")
    change = send(okta, REGISTRATION, MORE).json()["commands"][1]
    assert change == {"type": "com.okta.user.progressive.profile.update", "value": {"lastName": "LOVELACE"}}
    configure(PROFILE_HOOK="support.site_hooks.refuses_freemail")
    assert "error" not in send(okta, REGISTRATION, MORE).json()
    body = json.loads(json.dumps(MORE).replace("company.example", "example.com"))
    answer = send(okta, REGISTRATION, body).json()
    assert answer["commands"][0]["value"] == {"progressiveProfile": "DENY"}
    assert answer["error"]["errorCauses"][0]["location"] == "data.userProfileUpdate.email"


ODD: list[Any] = [
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
@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
def test_odd_bodies_are_refused_and_never_an_error(okta: Client, path: str, body: Any) -> None:
    assert send(okta, path, body).status_code == 400


def test_a_length_that_is_no_number_is_refused(okta: Client) -> None:
    answer = okta.generic("POST", EVENTS, b"{}", content_type="application/json", CONTENT_LENGTH="many")
    assert answer.status_code == 400


def test_the_one_time_verification_is_answered(okta: Client) -> None:
    answer = okta.get(EVENTS, headers={"X-Okta-Verification-Challenge": "a-challenge"})
    assert answer.json() == {"verification": "a-challenge"}


@pytest.mark.database
@pytest.mark.parametrize(
    "said", [{"factor": "EMAIL_FACTOR"}, {"factor": None, "reason": "User set up EMAIL_FACTOR factor"}]
)
def test_an_event_proves_the_address_once(okta: Client, identity: OktaIdentity, said: dict[str, Any]) -> None:
    assert send(okta, EVENTS, delivery(event(**said))).status_code == 204
    identity.refresh_from_db()
    first = identity.email_verified_at
    assert first is not None
    assert send(okta, EVENTS, delivery(event(**said), event("e2", **said))).status_code == 204
    identity.refresh_from_db()
    assert identity.email_verified_at == first
    assert OktaEvent.objects.count() == 2


@pytest.mark.database
def test_an_event_delivered_twice_is_handled_once(okta: Client, identity: OktaIdentity) -> None:
    send(okta, EVENTS, delivery(event()))
    OktaIdentity.objects.update(email_verified_at=None)
    send(okta, EVENTS, delivery(event()))
    identity.refresh_from_db()
    assert identity.email_verified_at is None


@pytest.mark.database
def test_a_delivery_is_a_handful_of_statements(
    okta: Client, identity: OktaIdentity, django_assert_max_num_queries: Any
) -> None:
    proofs = [event(f"p{n}", user=f"00u{n}") for n in range(250)]
    ends = [event(f"d{n}", "user.lifecycle.deactivate", user=f"00u{n}") for n in range(250)]
    with django_assert_max_num_queries(10):
        assert send(okta, EVENTS, delivery(*proofs, *ends)).status_code == 204
    with django_assert_max_num_queries(4):
        assert send(okta, EVENTS, delivery(*proofs, *ends)).status_code == 204


def test_a_delivery_of_too_many_events_is_refused_at_once(okta: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert send(okta, EVENTS, delivery(*[{"uuid": str(n)} for n in range(5_000)])).status_code == 413


def test_events_that_nobody_waits_for_leave_no_row(okta: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert (
            send(okta, EVENTS, delivery(*[event(f"e{n}", "user.session.start") for n in range(400)])).status_code == 204
        )


def test_one_event_names_no_more_users_than_an_event_has(okta: Client, identity: OktaIdentity) -> None:
    crowded = event() | {"target": [{"type": "User", "id": f"00u{n}"} for n in range(5_000)]}
    crowded["target"].append({"type": "User", "id": identity.subject})
    assert send(okta, EVENTS, delivery(crowded)).status_code == 204
    identity.refresh_from_db()
    assert identity.email_verified_at is None


@pytest.mark.database
def test_ids_of_events_are_purged_once_their_events_are_too_old_to_count(okta: Client, identity: OktaIdentity) -> None:
    now = datetime.now(UTC)
    told = event() | {"published": now.isoformat()}
    send(okta, EVENTS, delivery(told))
    OktaIdentity.objects.update(email_verified_at=None)
    with time_machine.travel(now + timedelta(days=31)):
        call_command("selfreg_purge", verbosity=0)
        assert not OktaEvent.objects.exists()
        assert send(okta, EVENTS, delivery(told)).status_code == 204
    assert OktaIdentity.objects.get().email_verified_at is None


@pytest.mark.parametrize("published", ["", "yesterday", "2026-13-45T00:00:00Z", "2026-01-01T00:00:00", 7, None, ["x"]])
def test_an_event_without_a_usable_time_counts(okta: Client, identity: OktaIdentity, published: Any) -> None:
    assert send(okta, EVENTS, delivery(event() | {"published": published})).status_code == 204
    identity.refresh_from_db()
    assert identity.email_verified_at is not None


UNPROVING: list[Any] = [
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


@pytest.mark.parametrize("odd", UNPROVING, ids=range(len(UNPROVING)))
def test_other_events_prove_nothing(okta: Client, identity: OktaIdentity, odd: Any) -> None:
    assert send(okta, EVENTS, delivery(odd)).status_code == 204
    identity.refresh_from_db()
    assert identity.email_verified_at is None


@pytest.mark.parametrize(
    ("login", "is_proof"),
    [
        ("ada@example.com", True),
        ("Ada@EXAMPLE.com", True),
        ("ada", True),
        (None, True),
        (["ada@example.org"], True),
        ("ada@example.org", False),
    ],
)
def test_the_proof_of_one_mailbox_that_arrives_late_is_none_for_another(
    okta: Client, identity: OktaIdentity, login: Any, is_proof: bool
) -> None:
    """The event was on its way while the person took another address, which nobody proved."""
    User.objects.update(email="ada@example.com")
    send(okta, EVENTS, delivery(event(login=login)))
    identity.refresh_from_db()
    assert (identity.email_verified_at is not None) is is_proof
