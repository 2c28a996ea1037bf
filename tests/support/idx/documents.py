"""IDX documents written by hand from the description of the protocol. Tests must not change them."""

from typing import Any

ORG = "https://dev-1.example.com"
Json = dict[str, Any]
STATE_HANDLE: Json = {
    "name": "stateHandle",
    "required": True,
    "value": "02canaryStateHandle",
    "visible": False,
    "mutable": False,
}


def message(text: str, key: str = "", params: list[Any] | None = None, severity: str | None = "ERROR") -> Json:
    i18n = {"i18n": {"key": key, **({} if params is None else {"params": params})}} if key else {}
    return {"message": text, **i18n, **({"class": severity} if severity else {})}


def array(*items: Json) -> Json:
    return {"type": "array", "value": list(items)}


def wrapped(item: Json) -> Json:
    return {"type": "object", "value": item}


def step(name: str, *fields: Json, path: str = "/idp/idx/challenge/answer", **more: Any) -> Json:
    return {
        "rel": ["create-form"],
        "name": name,
        "href": ORG + path,
        "method": "POST",
        "produces": "application/ion+json; okta-version=1.0.0",
        "value": [*fields, STATE_HANDLE],
        "accepts": "application/json; okta-version=1.0.0",
        **more,
    }


def document(*steps: Json, **more: Any) -> Json:
    remediation = {"remediation": array(*steps)} if steps else {}
    return {
        "version": "1.0.0",
        "stateHandle": "02canaryStateHandle",
        "expiresAt": "2030-01-01T12:00:00.000Z",
        "intent": "LOGIN",
        **remediation,
        **more,
    }


def profile_field(name: str, **more: Any) -> Json:
    return {"name": "userProfile", "form": {"value": [{"name": name, "label": name.capitalize(), **more}]}}


EMAIL: Json = {
    "type": "email",
    "key": "okta_email",
    "id": "autEMAIL",
    "displayName": "Email",
    "methods": [{"type": "email"}],
}
PHONE: Json = {
    "type": "phone",
    "key": "phone_number",
    "id": "autPHONE",
    "displayName": "Phone",
    "methods": [{"type": "sms"}, {"type": "voice"}],
}

CHOICE: Json = {
    "name": "authenticator",
    "type": "object",
    "options": [
        {
            "label": "Email",
            "relatesTo": "$.authenticators.value[0]",
            "value": {
                "form": {
                    "value": [
                        {"name": "id", "required": True, "value": "autEMAIL", "mutable": False},
                        {"name": "methodType", "required": False, "value": "email", "mutable": False},
                    ]
                }
            },
        },
        {
            "label": "Phone",
            "relatesTo": "$.authenticators.value[1]",
            "value": {
                "form": {
                    "value": [
                        {"name": "id", "required": True, "value": "autPHONE", "mutable": False},
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
        },
    ],
}
SELECT = step("select-authenticator-enroll", CHOICE, path="/idp/idx/credential/enroll")
SELECT_PAGE = document(SELECT, authenticators=array(EMAIL, PHONE))

PASSCODE: Json = {
    "name": "credentials",
    "type": "object",
    "required": True,
    "form": {"value": [{"name": "passcode", "label": "Enter code"}]},
}
RESEND: Json = {
    "rel": ["create-form"],
    "name": "resend",
    "href": ORG + "/idp/idx/challenge/resend",
    "method": "POST",
    "value": [STATE_HANDLE],
}
POLL: Json = {**RESEND, "name": "poll", "href": ORG + "/idp/idx/challenge/poll", "refresh": 4200}
CODE_PAGE = document(
    step("enroll-authenticator", PASSCODE, relatesTo=["$.currentAuthenticator"]),
    SELECT,
    step("skip", path="/idp/idx/skip"),
    currentAuthenticator=wrapped({**EMAIL, "resend": RESEND, "poll": POLL}),
    enrollmentAuthenticator=wrapped(EMAIL),
    authenticators=array(EMAIL, PHONE),
    user=wrapped({"id": "00u1"}),
    cancel={**RESEND, "name": "cancel", "href": ORG + "/idp/idx/cancel"},
)
SETTINGS: Json = {
    "complexity": {
        "minLength": 8,
        "minLowerCase": 1,
        "minUpperCase": 2,
        "minNumber": 3,
        "minSymbol": 4,
        "excludeUsername": True,
        "excludeAttributes": ["firstName", "lastName"],
        "maxConsecutiveRepeatingCharacters": 3,
        "useADComplexityRequirements": True,
    },
    "age": {"minAgeMinutes": 5, "historyCount": 4},
}
PASSWORD: Json = {
    "type": "password",
    "key": "okta_password",
    "id": "autPASSWORD",
    "displayName": "Password",
    "methods": [{"type": "password"}],
    "settings": SETTINGS,
}
PROFILE_PAGE = document(
    step(
        "enroll-profile",
        {
            "name": "userProfile",
            "form": {
                "value": [
                    {"name": "firstName", "label": "First name", "required": True, "minLength": 1, "maxLength": 50},
                    {"name": "email", "label": "Email", "required": True},
                    {
                        "name": "newsletter",
                        "type": "boolean",
                        "label": "News?",
                        "options": [{"label": "display", "value": wrapped({"inputType": "checkbox"})}],
                    },
                    {
                        "name": "plan",
                        "label": "Plan",
                        "options": [
                            {
                                "label": "display",
                                "value": wrapped(
                                    {
                                        "inputType": "select",
                                        "options": [
                                            {"label": "Free", "value": "free"},
                                            {"label": "Gold", "value": "gold"},
                                        ],
                                    }
                                ),
                            }
                        ],
                    },
                    {
                        "name": "country",
                        "label": "Country",
                        "options": [
                            {
                                "label": "display",
                                "value": wrapped({"inputType": "select", "format": "country-code"}),
                            }
                        ],
                    },
                ]
            },
        },
        {
            "name": "credentials",
            "type": "object",
            "required": True,
            "relatesTo": "$.currentAuthenticator",
            "form": {"value": [{"name": "passcode", "label": "Enter Password", "required": True, "secret": True}]},
        },
        path="/idp/idx/enroll/new",
    ),
    step("select-identify", path="/idp/idx/identify/select"),
    currentAuthenticator=wrapped(PASSWORD),
    uiDisplay=wrapped({"label": "Join us", "buttonLabel": "Join"}),
    app=wrapped({"name": "oidc_client", "label": "My App", "id": "0oa1"}),
)
SUCCESS: Json = document(
    successWithInteractionCode={
        "rel": ["create-form"],
        "name": "issue",
        "href": ORG + "/oauth2/default/v1/token",
        "method": "POST",
        "value": [
            {"name": "grant_type", "required": True, "value": "interaction_code"},
            {"name": "interaction_code", "required": True, "value": "canaryInteractionCode"},
            {"name": "client_id", "required": True, "value": "0oa1"},
            {"name": "code_verifier", "required": True},
        ],
        "accepts": "application/x-www-form-urlencoded",
    },
    user=wrapped({"id": "00u1", "identifier": "ada@example.com"}),
)
CHECK_MAIL = document(
    messages=array(message("To finish signing in, check your email.", "idx.email.verification.required", None, "INFO"))
)
EXPIRED: Json = {
    "version": "1.0.0",
    "messages": array(message("The session has expired.", "idx.session.expired")),
}
OTP_PAGE: Json = {
    "version": "1.0.0",
    "intent": "enrollment",
    "messages": array(message("Enter the OTP in your original browser", "idx.enter.otp.in.original.tab", None, "INFO")),
    "currentAuthenticator": wrapped({**EMAIL, "contextualData": {"otp": "123456"}}),
    "client": wrapped({"browser": "Firefox", "os": "Linux", "location": {}}),
}
EVERY_PAGE = (SELECT_PAGE, CODE_PAGE, PROFILE_PAGE, SUCCESS, CHECK_MAIL, EXPIRED, OTP_PAGE)
