"""The registration inline hook and event hooks, with a receiver on a real socket."""

from collections.abc import Iterator
from typing import Any

import pytest

from okta_devorg import OrgHandle
from support.local_org.hook_receiver import HookReceiver
from support.local_org.org_journey import ADA, Journey

GENERIC = "There was an error creating your account. Please try registering again."


@pytest.fixture
def service() -> Iterator[HookReceiver]:
    receiver = HookReceiver()
    yield receiver
    receiver.close()


@pytest.fixture
def hooked(org: OrgHandle, service: HookReceiver) -> HookReceiver:
    headers = [{"key": "Authorization", "value": "hook-secret"}]
    org.patch_policy({"hooks": {"registration": {"url": service.url, "headers": headers}, "timeout_seconds": 1}})
    return service


def texts(journey: Journey) -> list[str]:
    return [item["message"] for item in journey.document.get("messages", {}).get("value", [])]


def field_messages(journey: Journey) -> dict[str, list[str]]:
    fields = journey.document["remediation"]["value"][0]["value"][0]["form"]["value"]
    return {
        field["name"]: [item["message"] for item in field["messages"]["value"]]
        for field in fields
        if "messages" in field
    }


def command(kind: str, **value: Any) -> dict[str, Any]:
    return {"type": kind, "value": value}


DENY = command("com.okta.action.update", registration="DENY")


def test_the_hook_gets_the_profile_without_the_password(org: OrgHandle, hooked: HookReceiver, journey: Journey) -> None:
    org.patch_policy({"password_on_form": True})
    journey.to_profile().enroll_profile(credentials={"passcode": "Correct-horse-7"})
    headers, body = hooked.received.get(timeout=1)
    assert headers["Authorization"] == "hook-secret"
    assert body["eventType"] == "com.okta.user.pre-registration"
    assert body["requestType"] == "self.service.registration"
    assert body["data"]["userProfile"] == {**ADA, "login": ADA["email"]}
    assert body["data"]["context"]["request"]["url"] == {"value": "/idp/idx/enroll/new"}
    assert "Correct-horse-7" not in str(body)
    assert org.users[0].status == "STAGED"


def test_the_hook_does_not_get_sensitive_attributes(org: OrgHandle, hooked: HookReceiver, journey: Journey) -> None:
    org.patch_policy({"profile_schema": [{"name": "lastName", "sensitive": True}]})
    journey.registered()
    _headers, body = hooked.received.get(timeout=1)
    assert body["data"]["userProfile"].keys() == {"firstName", "email", "login"}
    assert org.users[0].profile == ADA


def test_the_hook_can_change_the_profile(org: OrgHandle, hooked: HookReceiver, journey: Journey) -> None:
    hooked.answers = [(200, {"commands": [command("com.okta.user.profile.update", firstName="Augusta", crm=7)]})]
    journey.registered()
    assert org.users[0].profile == {**ADA, "firstName": "Augusta", "crm": 7}


@pytest.mark.parametrize("answer", [None, {}, {"commands": None}, [], {"commands": [7, {"type": "?"}]}])
def test_an_answer_without_a_command_allows_the_registration(
    hooked: HookReceiver, journey: Journey, answer: object
) -> None:
    hooked.answers = [(200, answer)]
    assert journey.registered().steps == ["select-authenticator-enroll"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"commands": [DENY]}, "Registration denied."),
        ({"commands": [DENY], "error": {"errorSummary": "Members only."}}, "Members only."),
        ({"error": {}}, "Registration can't be completed at this time."),
    ],
)
def test_a_denial_ends_the_sign_up_with_the_message_of_the_hook(
    org: OrgHandle, hooked: HookReceiver, journey: Journey, answer: object, text: str
) -> None:
    hooked.answers = [(200, answer)]
    journey.registered()
    assert (journey.status, texts(journey)) == (400, [text])
    assert "remediation" not in journey.document
    assert org.users == []


def test_error_causes_are_shown_beside_their_fields(org: OrgHandle, hooked: HookReceiver, journey: Journey) -> None:
    causes = [
        {"errorSummary": "No such street", "location": "data.userProfile.lastName"},
        {"errorSummary": "Use your work address", "location": "data.userProfile.login"},
        {"errorSummary": "Somewhere else", "location": "data.userProfile.shoeSize"},
    ]
    error = {"errorSummary": "Please look again", "errorCauses": causes}
    hooked.answers = [(200, {"commands": [DENY], "error": error}), (200, {})]
    journey.registered()
    assert (journey.status, texts(journey)) == (400, ["Please look again", "Somewhere else"])
    assert field_messages(journey) == {"lastName": ["No such street"], "email": ["Use your work address"]}
    journey.enroll_profile()
    assert journey.steps == ["select-authenticator-enroll"]


def test_a_server_error_of_the_hook_is_retried_once(hooked: HookReceiver, journey: Journey) -> None:
    hooked.answers = [(503, None), (200, {})]
    journey.registered()
    assert journey.steps == ["select-authenticator-enroll"]
    assert len(hooked.calls) == 2


@pytest.mark.parametrize(("status", "calls"), [(500, 2), (404, 1), (302, 1)])
def test_a_failing_hook_denies_the_registration(
    org: OrgHandle, hooked: HookReceiver, journey: Journey, status: int, calls: int
) -> None:
    hooked.answers = [(status, {})]
    journey.registered()
    assert (texts(journey), journey.keys) == ([GENERIC], ["registration.error.generic"])
    assert (len(hooked.calls), org.users) == (calls, [])


@pytest.mark.slow
def test_a_hook_that_times_out_denies_the_registration(hooked: HookReceiver, journey: Journey) -> None:
    hooked.delay = 1.5
    journey.registered()
    assert (texts(journey), len(hooked.calls)) == ([GENERIC], 2)


def test_an_unreachable_hook_denies_the_registration(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"hooks": {"registration": {"url": "http://127.0.0.1:1/"}}})
    journey.registered()
    assert texts(journey) == [GENERIC]


def test_progressive_profiling_calls_the_hook(org: OrgHandle, hooked: HookReceiver, journey: Journey) -> None:
    org.patch_policy({"progressive_profile": {"attributes": [{"name": "plan", "label": "Plan", "required": True}]}})
    journey.signed_up()
    hooked.answers = [(200, {"commands": [command("com.okta.action.update", progressiveProfile="DENY")]})]
    journey.take("profile-update", userProfile={"plan": "free"})
    assert (journey.steps, texts(journey)) == (["profile-update"], ["Profile update denied."])
    update = command("com.okta.user.progressive.profile.update", plan="gold")
    hooked.answers = [(200, {"commands": [update]})]
    journey.take("profile-update", userProfile={"plan": "free"})
    assert org.users[0].profile["plan"] == "gold"
    body = hooked.calls[-1]
    assert (body["requestType"], body["data"]["userProfileUpdate"]) == ("progressive.profile", {"plan": "free"})


def event_hook(service: HookReceiver, **more: Any) -> dict[str, Any]:
    events = ["user.lifecycle.create", "user.lifecycle.activate"]
    return {"hooks": {"events": [{"url": service.url, "events": events, "verified": True, **more}]}}


def test_event_hooks_get_the_subscribed_events_and_a_retry(
    org: OrgHandle, service: HookReceiver, journey: Journey
) -> None:
    org.patch_policy(event_hook(service))
    service.answers = [(500, None), (200, None)]
    journey.signed_up()
    received = [service.received.get(timeout=60)[1] for _ in range(3)]
    kinds = [body["data"]["events"][0]["eventType"] for body in received]
    assert kinds == ["user.lifecycle.create", "user.lifecycle.create", "user.lifecycle.activate"]
    assert received[0]["eventId"] == received[1]["eventId"]
    assert received[0]["data"]["events"][0]["target"][0]["alternateId"] == ADA["email"]


def test_an_unverified_event_hook_gets_no_events(org: OrgHandle, service: HookReceiver, journey: Journey) -> None:
    unverified = event_hook(service, verified=False)["hooks"]["events"]
    with_sentinel = [*unverified, {"url": service.url, "events": ["user.mfa.factor.activate"], "verified": True}]
    org.patch_policy({"hooks": {"events": with_sentinel}})
    journey.signed_up()
    _, first = service.received.get(timeout=60)
    assert first["data"]["events"][0]["eventType"] == "user.mfa.factor.activate"


def test_the_hook_can_set_the_login(org: OrgHandle, hooked: HookReceiver, journey: Journey) -> None:
    hooked.answers = [(200, {"commands": [command("com.okta.user.profile.update", login="ada7")]})]
    journey.signed_up()
    assert [user.login for user in org.users] == ["ada7"]
    assert journey.claims["preferred_username"] == "ada7"


@pytest.mark.parametrize("name", ["login", "employeeNumber"])
def test_a_taken_identifier_from_the_hook_is_refused(
    org: OrgHandle, hooked: HookReceiver, journey: Journey, name: str
) -> None:
    org.patch_policy({"allowed_identifiers": ["login", "employeeNumber"]})
    hooked.answers = [(200, {"commands": [command("com.okta.user.profile.update", **{name: "7"})]})]
    journey.registered()
    other = Journey(org).to_profile()
    other.enroll_profile(userProfile={**ADA, "email": "grace@example.com"})
    assert (other.status, texts(other)) == (400, [f"A user with this {name} already exists"])
    assert len(org.users) == 1
    other.close()
