"""The shape of the documents: keys, their order, types, and resolvable references."""

import re
from typing import Any

from okta_devorg import OrgHandle
from support.local_org.org_journey import Journey

ION = "application/ion+json; okta-version=1.0.0"
ACCEPTS = "application/json; okta-version=1.0.0"
HEAD = ["version", "stateHandle", "expiresAt", "intent"]
OPTIONAL = {"email_verification": False, "authenticators": {"okta_email": "optional", "phone_number": "optional"}}


def resolve(document: dict[str, Any], path: str) -> Any:
    value: Any = document
    for name, index in re.findall(r"\.(\w+)(?:\[(\d+)\])?", path):
        value = value[name] if index == "" else value[name][int(index)]
    return value


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [path for item in value for path in references(item)]
    if not isinstance(value, dict):
        return []
    own = value.get("relatesTo", [])
    return ([own] if isinstance(own, str) else list(own)) + [path for v in value.values() for path in references(v)]


def handle_field(journey: Journey) -> dict[str, Any]:
    handle = journey.document["stateHandle"]
    return {"name": "stateHandle", "required": True, "value": handle, "visible": False, "mutable": False}


def test_the_first_page_has_the_documented_shape(org: OrgHandle, journey: Journey) -> None:
    document = journey.begin().document
    assert list(document) == [*HEAD, "remediation", "currentAuthenticator", "cancel", "app"]
    assert (document["version"], document["intent"]) == ("1.0.0", "LOGIN")
    assert document["stateHandle"].startswith("02")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", document["expiresAt"])
    assert document["app"] == {
        "type": "object",
        "value": {"name": "oidc_client", "label": "Demo site", "id": "0oaLocalDemoApp0000"},
    }
    assert document["remediation"]["value"][1] == {
        "rel": ["create-form"],
        "name": "select-enroll-profile",
        "href": org.base + "/idp/idx/enroll",
        "method": "POST",
        "produces": ION,
        "value": [handle_field(journey)],
        "accepts": ACCEPTS,
    }
    assert document["currentAuthenticator"]["value"]["recover"]["name"] == "recover"
    assert journey.reply.headers["Content-Type"] == ION


def test_the_profile_form_has_the_documented_shape(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"password_on_form": True, "ui_display": {"label": "Create account"}})
    document = journey.to_profile().document
    assert list(document) == [*HEAD, "remediation", "currentAuthenticator", "cancel", "app", "uiDisplay"]
    profile, credentials, handle = document["remediation"]["value"][0]["value"]
    assert profile == {
        "name": "userProfile",
        "form": {
            "value": [
                {"name": "firstName", "label": "First name", "required": True, "minLength": 1, "maxLength": 50},
                {"name": "lastName", "label": "Last name", "required": True, "minLength": 1, "maxLength": 50},
                {"name": "email", "label": "Email", "required": True},
            ]
        },
    }
    assert credentials == {
        "name": "credentials",
        "type": "object",
        "required": True,
        "relatesTo": "$.currentAuthenticator",
        "form": {"value": [{"name": "passcode", "label": "Enter Password", "required": True, "secret": True}]},
    }
    assert handle == handle_field(journey)
    assert document["currentAuthenticator"]["value"]["settings"] == {
        "complexity": {
            "minLength": 8,
            "minLowerCase": 1,
            "minUpperCase": 1,
            "minNumber": 1,
            "minSymbol": 0,
            "excludeUsername": True,
            "excludeAttributes": ["firstName", "lastName"],
        },
        "age": {"minAgeMinutes": 0, "historyCount": 4},
    }
    assert document["uiDisplay"]["value"] == {"label": "Create account", "buttonLabel": "Sign Up"}


def test_attributes_have_display_options(org: OrgHandle, journey: Journey) -> None:
    choices = [{"label": "Free", "value": "free"}]
    email = {"name": "email", "label": "Email", "required": True}
    org.patch_policy(
        {
            "profile": [
                email,
                {"name": "plan", "label": "Plan", "display": "radio", "options": choices},
                {"name": "news", "label": "News", "type": "boolean", "display": "checkbox"},
                {"name": "country", "label": "Country", "format": "country-code"},
                {"name": "age", "label": "Age", "type": "integer"},
            ]
        }
    )
    fields = journey.to_profile().document["remediation"]["value"][0]["value"][0]["form"]["value"]

    def hint(kind: str, **more: object) -> list[dict[str, object]]:
        return [{"label": "display", "value": {"type": "object", "value": {"inputType": kind, **more}}}]

    assert fields[1:] == [
        {
            "name": "plan",
            "type": "string",
            "label": "Plan",
            "required": False,
            "options": hint("radio", options=choices),
        },
        {"name": "news", "type": "boolean", "label": "News", "required": False, "options": hint("checkbox")},
        {
            "name": "country",
            "type": "string",
            "label": "Country",
            "required": False,
            "options": hint("select", format="country-code"),
        },
        {"name": "age", "type": "integer", "label": "Age", "required": False},
    ]


def test_the_choice_of_authenticators_has_the_documented_shape(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy(OPTIONAL)
    document = journey.registered().set_password()
    assert list(document) == [
        *HEAD, "remediation", "authenticators", "authenticatorEnrollments", "user", "cancel", "app",
    ]  # fmt: skip
    email, phone = document["remediation"]["value"][0]["value"][0]["options"]
    assert [field["name"] for field in email["value"]["form"]["value"]] == ["id", "methodType"]
    assert phone == {
        "label": "Phone",
        "value": {
            "form": {
                "value": [
                    {
                        "name": "id",
                        "required": True,
                        "value": phone["value"]["form"]["value"][0]["value"],
                        "mutable": False,
                    },
                    {
                        "name": "methodType",
                        "type": "string",
                        "required": False,
                        "options": [{"label": "SMS", "value": "sms"}, {"label": "Voice call", "value": "voice"}],
                    },
                    {"name": "phoneNumber", "label": "Phone number", "required": False},
                ]
            }
        },
        "relatesTo": "$.authenticators.value[1]",
    }
    offered = document["authenticators"]["value"][1]
    assert list(offered) == ["type", "key", "id", "displayName", "methods"]
    assert (offered["type"], offered["key"]) == ("phone", "phone_number")
    enrolled = document["authenticatorEnrollments"]["value"]
    assert [item["key"] for item in enrolled] == ["okta_password"]
    assert enrolled[0]["id"].startswith("lae")


def test_the_email_code_page_has_the_documented_shape(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy(OPTIONAL)
    journey.registered().set_password()
    document = journey.choose("Email")
    assert list(document) == [
        *HEAD, "remediation", "currentAuthenticator", "authenticators", "authenticatorEnrollments",
        "enrollmentAuthenticator", "user", "cancel", "app",
    ]  # fmt: skip
    assert journey.steps == ["enroll-authenticator", "select-authenticator-enroll", "skip"]
    step = document["remediation"]["value"][0]
    assert list(step) == ["rel", "name", "relatesTo", "href", "method", "produces", "value", "accepts"]
    assert step["value"][0] == {
        "name": "credentials",
        "type": "object",
        "form": {"value": [{"name": "passcode", "label": "Enter code"}]},
        "required": True,
    }
    current = document["currentAuthenticator"]["value"]
    assert list(current)[:2] == ["resend", "poll"]
    assert current["poll"]["refresh"] == 4000
    assert "resend" not in document["enrollmentAuthenticator"]["value"]


def test_the_phone_pages_have_the_documented_shape(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    journey.signed_up()
    number_page = journey.choose("Phone")
    assert "enrollmentAuthenticator" not in number_page
    assert "resend" in number_page["currentAuthenticator"]["value"]
    code_page = journey.choose("Phone", methodType="sms", phoneNumber="+14155550100")
    assert code_page["currentAuthenticator"]["value"]["methods"] == [{"type": "sms"}]
    assert "poll" not in code_page["currentAuthenticator"]["value"]
    assert code_page["authenticators"]["value"][0]["methods"] == [{"type": "sms"}, {"type": "voice"}]


def test_the_success_document_has_the_documented_shape(org: OrgHandle, journey: Journey) -> None:
    document = journey.signed_up().document
    assert list(document) == [*HEAD, "user", "cancel", "app", "successWithInteractionCode"]
    issue = document["successWithInteractionCode"]
    assert list(issue) == ["rel", "name", "href", "method", "value", "accepts"]
    assert (issue["name"], issue["href"]) == ("issue", org.issuer + "/v1/token")
    assert issue["accepts"] == "application/x-www-form-urlencoded"
    assert [field["name"] for field in issue["value"]] == [
        "grant_type", "interaction_code", "client_id", "code_verifier",
    ]  # fmt: skip


def test_every_reference_resolves_on_every_page(org: OrgHandle, journey: Journey) -> None:
    every = dict.fromkeys(("phone_number", "security_question", "google_otp"), "required")
    org.patch_policy({"password_on_form": True, "authenticators": every})
    pages = [journey.to_profile().document, journey.enroll_profile(credentials={"passcode": "x"})]
    pages.append(journey.enroll_profile(credentials={"passcode": "Correct-horse-7"}))
    pages += [journey.choose(label) for label in ("Email", "Phone", "Security Question", "Google Authenticator")]
    pages.append(journey.answer("wrong"))
    found = [(page, path) for page in pages for path in references(page)]
    assert len(found) > 20
    for page, path in found:
        assert isinstance(resolve(page, path), dict), path
