"""Invalid input of users and clients, and the errors of the org."""

from typing import Any

import pytest
import requests

from okta_devorg import OrgHandle
from support.local_org.org_journey import ADA, PASSWORD, Journey

PATTERN = "registration.error.doesNotMatchPattern"
REQUIRED = "api.error.field_required"


@pytest.mark.parametrize(
    "email", ["ada", "ada@", "@example.com", "a da@example.com", "ada@example", "a" * 95 + "@b.co"]
)
def test_a_malformed_address_has_both_recorded_messages(journey: Journey, email: str) -> None:
    journey.to_profile().enroll_profile(userProfile={**ADA, "email": email})
    assert journey.status == 400
    assert journey.steps == ["enroll-profile", "select-identify"]
    field = journey.document["remediation"]["value"][0]["value"][0]["form"]["value"][2]
    assert [item["i18n"] for item in field["messages"]["value"]] == [
        {"key": "registration.error.invalidLoginEmail", "params": ["Email"]},
        {"key": PATTERN, "params": ["Email"]},
    ]


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"firstName": None}, [REQUIRED]),
        ({"firstName": "  "}, [REQUIRED]),
        ({"firstName": "x" * 51}, [PATTERN]),
        ({"lastName": 7}, [PATTERN]),
        ({"email": ""}, [REQUIRED]),
    ],
)
def test_each_invalid_field_has_its_own_message(journey: Journey, changes: dict[str, Any], keys: list[str]) -> None:
    before = journey.to_profile().document["stateHandle"]
    journey.enroll_profile(userProfile={**ADA, **changes})
    assert (journey.status, journey.keys) == (400, keys)
    assert journey.document["stateHandle"] == before


@pytest.mark.parametrize("profile", [None, "x", [], {**ADA, "shoeSize": "42"}, {**ADA, "email": {"a": 1}}])
def test_a_malformed_profile_is_a_bad_request_without_a_step(journey: Journey, profile: object) -> None:
    journey.to_profile().enroll_profile(userProfile=profile)
    assert (journey.status, journey.keys, journey.steps) == (400, ["E0000020"], [])


ATTRIBUTES = [
    {"name": "email", "label": "Work mail", "required": True, "customLabel": True},
    {"name": "age", "label": "Age", "type": "integer"},
    {"name": "score", "label": "Score", "type": "number"},
    {"name": "news", "label": "News", "type": "boolean", "display": "checkbox"},
    {"name": "terms", "label": "Terms", "type": "boolean", "display": "radio"},
    {"name": "plan", "label": "Plan", "display": "select", "options": [{"label": "Free", "value": "free"}]},
    {"name": "country", "label": "Country", "format": "country-code"},
    {"name": "timezone", "label": "Time zone", "format": "timezone"},
    {"name": "nick", "label": "Nick", "minLength": 2, "maxLength": 4},
]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("age", 41, "41"),
        ("age", 0, 1.5),
        ("score", 1.5, "1.5"),
        ("news", False, "perhaps"),
        ("terms", "true", 3),
        ("plan", "free", "gold"),
        ("country", "DE", "Germany"),
        ("timezone", "Europe/Berlin", "Mars/Olympus"),
        ("nick", "Bo", "B"),
        ("nick", "Bobo", "Bobob"),
        ("email", "ada@example.com", "ada"),
    ],
)
def test_every_type_of_attribute_is_validated(
    org: OrgHandle, journey: Journey, name: str, good: object, bad: object
) -> None:
    org.patch_policy({"profile": ATTRIBUTES})
    journey.to_profile().enroll_profile(userProfile={"email": ADA["email"], name: bad})
    assert journey.status == 400
    assert journey.keys[-1] == PATTERN
    journey.enroll_profile(userProfile={"email": ADA["email"], name: good})
    assert journey.status == 200
    assert org.users[0].profile[name] == (True if good == "true" else good)


def test_the_message_contains_the_custom_label(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"profile": ATTRIBUTES})
    journey.to_profile().enroll_profile(userProfile={"email": "ada"})
    field = journey.document["remediation"]["value"][0]["value"][0]["form"]["value"][0]
    assert field["customLabel"] is True
    assert field["messages"]["value"][0]["message"] == "'Work mail' must be in the form of an email address"


@pytest.mark.parametrize(
    "password",
    ["", "short1A", "nouppercase1", "NOLOWERCASE1", "NoNumberHere", "Lovelace-77", "Example-77-x", "xX1" + "y" * 80],
)
def test_a_password_that_breaks_a_rule_is_refused_with_all_rules(journey: Journey, password: str) -> None:
    journey.registered().choose("Password")
    journey.answer(password)
    assert (journey.status, journey.keys) == (400, ["password.passwordRequirementsNotMet"])
    passcode = journey.document["remediation"]["value"][0]["value"][0]["form"]["value"][0]
    text = passcode["messages"]["value"][0]["i18n"]["params"][0]
    assert text.startswith("Password requirements were not met. Password requirements: at least 8 characters")
    journey.answer(PASSWORD)
    assert journey.status == 200


def test_a_common_password_has_its_own_message(org: OrgHandle, journey: Journey) -> None:
    journey.registered().choose("Password")
    journey.answer("Password123")
    assert (journey.status, journey.keys) == (400, ["password.common"])
    org.patch_policy({"password": {"common_passwords": False}})
    journey.answer("Password123")
    assert journey.status == 200


def test_errors_of_password_and_profile_on_the_form_are_returned_together(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"password_on_form": True})
    journey.to_profile().enroll_profile(userProfile={**ADA, "email": "ada"}, credentials={"passcode": "x"})
    assert journey.keys == [
        "registration.error.invalidLoginEmail",
        PATTERN,
        "password.passwordRequirementsNotMet",
    ]


def test_a_wrong_code_has_status_401_and_the_same_step(org: OrgHandle, journey: Journey) -> None:
    journey.registered().choose("Email")
    expires = journey.document["expiresAt"]
    journey.answer("wrong")
    assert (journey.status, journey.keys) == (401, ["api.authn.error.PASSCODE_INVALID"])
    assert journey.steps == ["enroll-authenticator", "select-authenticator-enroll"]
    assert journey.document["expiresAt"] == expires
    journey.answer(org.code(ADA["email"]))
    assert journey.status == 200


def test_a_correct_code_is_refused_after_five_wrong_codes(org: OrgHandle, journey: Journey) -> None:
    journey.registered().choose("Email")
    for _ in range(5):
        journey.answer("wrong")
    code = org.code(ADA["email"])
    journey.answer(code)
    assert (journey.status, journey.keys) == (429, ["tooManyRequests"])
    assert journey.steps[0] == "enroll-authenticator"
    assert journey.reply.headers["X-Rate-Limit-Remaining"] == "0"
    org.patch_policy({"limits": {"wrong_codes_per_5_minutes": 0}})
    journey.answer(code)
    assert journey.status == 200


def test_only_the_newest_code_is_accepted_unless_configured(org: OrgHandle, journey: Journey) -> None:
    journey.registered().choose("Email")
    old = org.code(ADA["email"])
    journey.act("resend")
    assert len(org.messages(ADA["email"])) == 2
    journey.answer(old)
    assert journey.status == (401 if old != org.code(ADA["email"]) else 200)
    org.patch_policy({"unknowns": {"old_code_valid_after_resend": True}})
    newest = org.code(ADA["email"])
    journey.act("resend")
    journey.answer(newest)
    assert journey.status == 200


def test_an_expired_code_is_treated_like_a_wrong_code(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"lifetimes": {"with_user": 3600}})
    journey.registered().choose("Email")
    org.advance(301)
    journey.answer(org.code(ADA["email"]))
    assert (journey.status, journey.keys) == (401, ["api.authn.error.PASSCODE_INVALID"])


BAD_PHONES = ["4155550100", "+1", "+18005550100", "+12345", "not a number", "+442079460000"]


@pytest.mark.parametrize("number", BAD_PHONES)
def test_an_invalid_phone_number_returns_to_the_choice(org: OrgHandle, journey: Journey, number: str) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    journey.signed_up().choose("Phone", methodType="sms", phoneNumber=number)
    assert journey.status == 400
    assert journey.steps == ["select-authenticator-enroll", "skip"]
    assert journey.keys == ["Unable to initiate factor enrollment: Invalid Phone Number."]
    assert "currentAuthenticator" not in journey.document
    assert org.messages(number) == []


def test_an_invalid_phone_number_stays_at_its_step_if_configured(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}, "unknowns": {"phone_refusal": "stay"}})
    journey.signed_up().choose("Phone", methodType="sms", phoneNumber="+1")
    assert journey.steps[0] == "authenticator-enrollment-data"
    assert journey.keys == ["api.factors.error.sms.invalid_phone"]


@pytest.mark.parametrize("authenticator", [None, "x", {}, {"id": "autUnknown"}, {"id": ["a"]}])
def test_an_authenticator_that_is_not_offered_is_a_bad_request(journey: Journey, authenticator: object) -> None:
    journey.registered().take("select-authenticator-enroll", authenticator=authenticator)
    assert (journey.status, journey.keys) == (400, ["E0000020"])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b'{"stateHandle":7}', b"\xff\xfe", b"{}"])
@pytest.mark.parametrize("path", ["introspect", "enroll/new", "challenge/answer"])
def test_a_malformed_body_has_status_400_and_a_json_error(org: OrgHandle, path: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    reply = requests.post(f"{org.base}/idp/idx/{path}", data=body, headers=headers, timeout=60)
    assert reply.status_code == 400
    assert reply.json()["messages"]["value"][0]["i18n"]["key"] == "E0000020"


def test_unknown_paths_methods_and_large_bodies_have_json_errors(org: OrgHandle) -> None:
    for reply, status, code in (
        (requests.post(org.base + "/idp/idx/nowhere", timeout=60), 404, "E0000007"),
        (requests.get(org.base + "/idp/idx/enroll", timeout=60), 405, "E0000022"),
        (requests.post(org.base + "/idp/idx/enroll", data=b"x" * (2 << 20), timeout=60), 413, "E0000003"),
    ):
        assert (reply.status_code, reply.json()["errorCode"]) == (status, code)


def test_a_step_that_is_not_available_is_denied(org: OrgHandle, journey: Journey) -> None:
    journey.begin()
    handle = {"stateHandle": journey.document["stateHandle"]}
    for path in ("enroll/new", "credential/enroll", "challenge/answer", "challenge/resend", "skip"):
        journey.post(f"{org.base}/idp/idx/{path}", handle)
        assert (journey.status, journey.keys) == (403, ["security.access_denied"])
    journey.introspect()
    assert journey.steps == ["identify", "select-enroll-profile"]


def test_disabled_sign_up_is_not_offered_and_is_refused(org: OrgHandle, journey: Journey) -> None:
    offered = journey.begin().document
    org.patch_policy({"sign_up": False})
    journey.introspect()
    assert journey.steps == ["identify"]
    journey.post(org.base + "/idp/idx/enroll", {"stateHandle": offered["stateHandle"]})
    assert (journey.status, journey.keys) == (403, ["idx.error.registration.unavailable"])
