"""Every situation an org can put a sign-up into, as one table: what it says, and what a person must find on the page.

Written by hand after the protocol's description; names, ids and most sentences are made up.
"""

from dataclasses import dataclass
from typing import Any

from support.idx.documents import (
    CHOICE,
    EMAIL,
    PASSCODE,
    PASSWORD,
    PHONE,
    POLL,
    RESEND,
    SELECT,
    array,
    document,
    message,
    profile_field,
    step,
    wrapped,
)

Json = dict[str, Any]


@dataclass(frozen=True)
class Situation:
    """``names``: the fields of the page in order. ``says``: sentences on it. ``offers``: words of its buttons and
    links.
    """

    name: str
    document: Json
    heading: str
    names: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    status: int = 200


def authenticator(key: str, kind: str, label: str, **more: Any) -> Json:
    return {"type": kind, "key": key, "id": f"aut-{key}", "displayName": label, "methods": [{"type": "otp"}], **more}


def credentials(*fields: Json, **more: Any) -> Json:
    return {"name": "credentials", "type": "object", "required": True, "form": {"value": list(fields)}, **more}


def enrolling(
    holder: Json, *fields: Json, name: str = "enroll-authenticator", also: tuple[Json, ...] = (), **more: Any
) -> Json:
    own = step(name, *(fields or (PASSCODE,)), relatesTo=["$.currentAuthenticator"])
    return document(own, *also, currentAuthenticator=wrapped(holder), user=wrapped({"id": "00u1"}), **more)


def challenging(holder: Json, *fields: Json) -> Json:
    own = step("challenge-authenticator", *fields, relatesTo=["$.currentAuthenticatorEnrollment"])
    return document(own, currentAuthenticatorEnrollment=wrapped(holder), user=wrapped({"id": "00u1"}))


def choice(*holders: Json, name: str = "select-authenticator-enroll") -> tuple[Json, Json]:
    """The step and the ``authenticators`` it points to."""
    options = [
        {
            "label": a["displayName"],
            "relatesTo": f"$.authenticators.value[{n}]",
            "value": {"form": {"value": [{"name": "id", "required": True, "value": a["id"], "mutable": False}]}},
        }
        for n, a in enumerate(holders)
    ]
    return step(name, {"name": "authenticator", "type": "object", "options": options}), array(*holders)


def choosing(*holders: Json, also: tuple[Json, ...] = (), **more: Any) -> Json:
    own, named = choice(*holders)
    return document(own, *also, authenticators=named, user=wrapped({"id": "00u1"}), **more)


def ending(text: str, key: str = "", severity: str | None = "ERROR", **more: Any) -> Json:
    return document(messages=array(message(text, key, None, severity)), **more)


def link(name: str, **more: Any) -> Json:
    return {"name": name, "href": "https://dev-1.example.com/login/token/redirect?t=1", "method": "GET", **more}


def phone_data(methods: list[Json], *messages: Json) -> Json:
    inner = [
        {"name": "id", "required": True, "value": "autPHONE", "mutable": False},
        {"name": "methodType", "type": "string", "required": True, "options": methods},
        {"name": "phoneNumber", "required": True, **({"messages": array(*messages)} if messages else {})},
    ]
    data = {"name": "authenticator", "label": "Phone", "form": {"value": inner}}
    return enrolling(
        PHONE, data, name="authenticator-enrollment-data", also=(SELECT,), authenticators=array(EMAIL, PHONE)
    )


def question(*messages: Json) -> Json:
    said = {"messages": array(*messages)} if messages else {}
    answer = {"name": "answer", "label": "Answer", "required": True, **said}
    known = {"name": "questionKey", "label": "Pick a question", "required": True, "options": QUESTIONS}
    own = {"name": "question", "label": "Write a question", "required": True}
    constant = {"name": "questionKey", "required": True, "value": "custom", "mutable": False}
    ways = [("Pick one", [known, answer]), ("Write one", [constant, own, answer])]
    options = [{"label": label, "value": {"form": {"value": fields}}} for label, fields in ways]
    return enrolling(QUESTION, {"name": "credentials", "type": "object", "required": True, "options": options})


QUESTIONS = [{"label": "First harbour?", "value": "harbour"}, {"label": "First boat?", "value": "boat"}]
SMS, CALL = {"label": "SMS", "value": "sms"}, {"label": "Voice call", "value": "voice"}
SKIP = step("skip", path="/idp/idx/skip")
QUESTION = authenticator("security_question", "security_question", "Security Question")
APP = authenticator("google_otp", "app", "Google Authenticator", contextualData={"sharedSecret": "JBSWY3DPEHPK3PXP"})
VERIFY = authenticator("okta_verify", "app", "Okta Verify")
DUO = authenticator("duo", "app", "Duo Security")
TOKEN = authenticator("rsa_token", "security_key", "RSA SecurID")
ON_PREMISES = authenticator("del_oath", "security_key", "House Token")
SYMANTEC = authenticator("symantec_vip", "app", "Symantec VIP")
YUBIKEY = authenticator("yubikey_token", "security_key", "YubiKey")
CUSTOM = authenticator("custom_otp", "security_key", "House OTP")
PASSKEY = authenticator(
    "webauthn", "security_key", "Passkeys", contextualData={"activationData": {"challenge": "YWJj"}}
)
SMART_CARD = authenticator("smart_card_idp", "security_key", "Smart card")
ATTESTATION = [
    {"name": "clientData", "required": True, "visible": False},
    {"name": "attestation", "required": True, "visible": False},
]
SECRET_CODE = {"name": "passcode", "label": "Enter password", "secret": True}
POLLING = step("enroll-poll", path="/idp/idx/challenge/poll", relatesTo=["$.currentAuthenticator"], refresh=4000)
CHANNEL: Json = {
    "name": "authenticator",
    "value": {"form": {"value": [{"name": "channel", "options": [{"label": "SMS", "value": "sms"}]}]}},
}
IDENTIFY = step("identify", {"name": "identifier", "label": "Username"}, path="/idp/idx/identify")
SIGN_UP = step("select-enroll-profile", path="/idp/idx/enroll")
CONSENT: Json = {
    "name": "consent",
    "type": "boolean",
    "required": True,
    "options": [{"label": "Allow", "value": True}, {"label": "Do not allow", "value": False}],
}
WRONG_CODE = message("Invalid code. Try again.", "api.authn.error.PASSCODE_INVALID", [])
WARNED = message("This number cannot be called.")

NOT_HERE, NEXT, ENDED = "This cannot be done here", "One more step", "The sign-up could not be finished"
CHECK, CODE = "Check your e-mail", ("credentials.passcode",)

SITUATIONS = (
    # -- profile forms
    Situation(
        "profile fields of every kind",
        document(
            step(
                "enroll-profile-update",
                {
                    "name": "userProfile",
                    "form": {
                        "value": [
                            {"name": "boat", "label": "Boat"},
                            {"name": "crew", "label": "Crew", "type": "integer"},
                            {"name": "sails", "label": "Sails?", "type": "boolean"},
                            {"name": "berth", "label": "Berth", "options": QUESTIONS},
                        ]
                    },
                },
            ),
            SKIP,
            uiDisplay=wrapped({"label": "About your boat", "buttonLabel": "Moor"}),
        ),
        "About your boat",
        ("userProfile.boat", "userProfile.crew", "userProfile.sails", "userProfile.berth"),
        says=("Boat", "Crew", "Sails?", "Berth"),
        offers=("Moor", "Skip for now"),
    ),
    Situation(
        "several fields that are all called userProfile",
        document(step("profile-update", profile_field("boat"), profile_field("berth"))),
        "A few more details",
        ("userProfile.boat", "userProfile.berth"),
    ),
    Situation(
        "an objection to a field, one to the page, one to the step itself",
        document(
            step(
                "enroll-profile",
                profile_field("boat", messages=array(message("That boat sank.", "boat.sank"))),
                messages=array(message("Said by the step.")),
            ),
            messages=array(message("Said by the <page>."), message("Said beside it.", "x", None, "INFO")),
        ),
        "Create your account",
        ("userProfile.boat",),
        says=("That boat sank.", "Said by the step.", "Said by the <page>.", "Said beside it."),
        status=400,
    ),
    # -- choices
    Situation(
        "a choice leaves out what no page can do",
        choosing(EMAIL, VERIFY, DUO, TOKEN, SMART_CARD, QUESTION, also=(SKIP,)),
        "Secure your account",
        ("authenticator.id",),
        says=("Email", "RSA SecurID", "Security Question"),
        offers=("Continue", "Skip for now"),
    ),
    Situation(
        "a choice of nothing that a page can do", choosing(VERIFY, DUO), NOT_HERE, offers=("Cancel sign-up", "Sign in")
    ),
    Situation("the same, optional", choosing(VERIFY, also=(SKIP,)), NOT_HERE, offers=("Skip for now",)),
    Situation(
        "a choice with a message in one of its options",
        document(
            step(
                "select-authenticator-enroll",
                {
                    **CHOICE,
                    "options": [
                        CHOICE["options"][0],
                        {
                            **CHOICE["options"][1],
                            "value": {
                                "form": {
                                    "value": [
                                        CHOICE["options"][1]["value"]["form"]["value"][0],
                                        {"name": "phoneNumber", "messages": array(WARNED)},
                                    ]
                                }
                            },
                        },
                    ],
                },
            ),
            authenticators=array(EMAIL, PHONE),
        ),
        "Secure your account",
        ("authenticator.id",),
        says=(WARNED["message"],),
        status=400,
    ),
    # -- authenticators
    Situation(
        "e-mail, to be sent after a press",
        enrolling(
            EMAIL,
            {
                "name": "authenticator",
                "form": {
                    "value": [{"name": "methodType", "label": "By", "options": [{"label": "Email", "value": "email"}]}]
                },
            },
            name="authenticator-enrollment-data",
        ),
        NEXT,
        ("authenticator.methodType",),
    ),
    Situation(
        "e-mail with a wrong code",
        enrolling(
            {**EMAIL, "resend": RESEND, "poll": POLL},
            credentials({"name": "passcode", "label": "Enter code", "messages": array(WRONG_CODE)}),
            also=(SELECT,),
        ),
        CHECK,
        CODE,
        says=("Invalid code. Try again.",),
        offers=("Send a new code", "Use another way"),
        status=401,
    ),
    Situation(
        "too many wrong codes, with the page",
        enrolling(EMAIL, messages=array(message("Too many requests", "tooManyRequests"))),
        CHECK,
        CODE,
        says=("Too many requests",),
        status=429,
    ),
    Situation(
        "phone, by text or call",
        phone_data([SMS, CALL]),
        "Add your phone",
        ("authenticator.methodType", "country", "authenticator.phoneNumber", "extension"),
        offers=("Use another way",),
    ),
    Situation(
        "phone, by text only, refused",
        phone_data([SMS], WARNED),
        "Add your phone",
        ("authenticator.methodType", "country", "authenticator.phoneNumber"),
        says=(WARNED["message"],),
        status=400,
    ),
    Situation(
        "phone code", enrolling({**PHONE, "resend": RESEND}), "Check your phone", CODE, offers=("Send a new code",)
    ),
    Situation(
        "password",
        enrolling(PASSWORD, credentials(SECRET_CODE)),
        "Choose a password",
        ("credentials.passcode", "confirm_passcode"),
        says=("At least 8 characters",),
    ),
    Situation(
        "password that has to be chosen anew",
        enrolling(
            PASSWORD,
            credentials(SECRET_CODE, {"name": "revokeSessions", "label": "Sign me out", "type": "boolean"}),
            name="reenroll-authenticator",
        ),
        "Choose a password",
        ("credentials.passcode", "confirm_passcode", "credentials.revokeSessions"),
        says=("Sign me out",),
    ),
    Situation(
        "a question with an error in every option",
        question(message("Answers hold no <tags>.", "answer.tags")),
        "Set up a security question",
        ("credentials", "credentials.questionKey", "credentials.question", "credentials.answer"),
        says=("Pick a question", "Write a question", "Answers hold no <tags>."),
        status=400,
    ),
    Situation("authenticator app", enrolling(APP), "Set up your authenticator app", CODE, says=("JBSWY3DPEHPK3PXP",)),
    Situation(
        "hardware token with a user name",
        enrolling(
            TOKEN,
            credentials(
                {"name": "clientData", "label": "Token user", "required": True},
                {"name": "passcode", "label": "Token code"},
            ),
        ),
        NEXT,
        ("credentials.clientData", "credentials.passcode"),
        says=("Token user", "Token code"),
    ),
    Situation(
        "token of the house, refused",
        enrolling(ON_PREMISES, messages=array(WRONG_CODE)),
        NEXT,
        CODE,
        says=("Invalid code.",),
        status=401,
    ),
    Situation(
        "two codes in a row",
        enrolling(
            SYMANTEC,
            credentials(
                *(
                    {"name": n, "label": n.title(), "required": True}
                    for n in ("credentialId", "passcode", "nextPasscode")
                )
            ),
        ),
        NEXT,
        ("credentials.credentialId", "credentials.passcode", "credentials.nextPasscode"),
    ),
    Situation("key that types its code", enrolling(YUBIKEY), NEXT, CODE),
    Situation("one-time code of the house", enrolling(CUSTOM), NEXT, CODE),
    Situation(
        "passkey",
        enrolling(PASSKEY, credentials(*ATTESTATION), also=(SELECT,)),
        "Set up a passkey",
        offers=("Set it up", "Use another way"),
    ),
    Situation(
        "passkey offered after signing in",
        enrolling(PASSKEY, credentials(*ATTESTATION), name="enroll-webauthn-residentkey", also=(SKIP,)),
        "Set up a passkey",
        offers=("Skip for now",),
    ),
    Situation(
        "passkey without what the browser needs",
        enrolling({**PASSKEY, "contextualData": {}}, credentials(*ATTESTATION), also=(SELECT,)),
        NOT_HERE,
        says=("Passkeys",),
        offers=("Use another way",),
    ),
    Situation(
        "Okta Verify by QR code",
        document(POLLING, step("select-enrollment-channel", CHANNEL), SELECT, currentAuthenticator=wrapped(VERIFY)),
        NOT_HERE,
        says=("Okta Verify",),
        offers=("Use another way", "Cancel sign-up"),
    ),
    Situation(
        "Okta Verify, channel first",
        enrolling(VERIFY, CHANNEL, name="select-enrollment-channel"),
        NOT_HERE,
        offers=("Cancel sign-up", "Sign in"),
    ),
    Situation(
        "Duo",
        enrolling(DUO, credentials({"name": "signedData", "required": True, "visible": False}), also=(SKIP,)),
        NOT_HERE,
        says=("Duo Security",),
        offers=("Skip for now",),
    ),
    Situation(
        "a smart card, read behind a link",
        document(
            {**link("enroll-authenticator"), "rel": ["create-form"], "relatesTo": ["$.currentAuthenticator"]},
            SKIP,
            currentAuthenticator=wrapped(SMART_CARD),
        ),
        NOT_HERE,
        says=("Smart card",),
        offers=("Skip for now", "Cancel sign-up"),
    ),
    Situation(
        "a device that is asked",
        document(step("device-challenge-poll", path="/idp/idx/authenticators/poll")),
        NOT_HERE,
        offers=("Cancel sign-up",),
    ),
    # -- proofs of what one has already
    Situation(
        "own password, asked back",
        challenging(PASSWORD, credentials({**SECRET_CODE, "messages": array(message("Password is incorrect"))})),
        NEXT,
        CODE,
        says=("Password is incorrect",),
        status=401,
    ),
    Situation(
        "own e-mail, asked back",
        challenging({**EMAIL, "resend": RESEND}, PASSCODE),
        CHECK,
        CODE,
        offers=("Send a new code",),
    ),
    Situation(
        "own question, asked back",
        challenging(
            {**QUESTION, "profile": {"questionKey": "harbour", "question": "First harbour?"}},
            credentials(
                {"name": "questionKey", "required": True, "value": "harbour", "mutable": False, "visible": False},
                {"name": "answer", "label": "Answer", "required": True, "secret": True},
            ),
        ),
        NEXT,
        ("credentials.answer",),
        says=("First harbour?",),
    ),
    Situation(
        "which of one's own",
        document(choice(EMAIL, PHONE, name="select-authenticator-authenticate")[0], authenticators=array(EMAIL, PHONE)),
        NEXT,
        ("authenticator.id",),
        says=("Email", "Phone"),
    ),
    # -- the rest
    Situation(
        "consent",
        document(
            step("consent", CONSENT, scopes=[{"name": "boats", "label": "See your boats", "value": "boats.read"}])
        ),
        "May this site use your account?",
        ("consent",),
        says=("See your boats", "boats.read", "Allow", "Do not allow"),
    ),
    Situation(
        "consent of an e-mail link",
        document(
            step(
                "email-challenge-consent",
                {"name": "consent", "type": "boolean", "required": True},
                requestInfo=[{"name": "browser", "label": "Browser", "value": "FIREFOX"}],
            )
        ),
        "Did you ask for this?",
        ("consent",),
        says=("Browser", "FIREFOX"),
    ),
    Situation(
        "staying signed in",
        document(step("keep-me-signed-in", {**CONSENT, "name": "keepMeSignedIn"})),
        NEXT,
        ("keepMeSignedIn",),
    ),
    Situation(
        "a new activation mail",
        document(step("request-activation-email"), messages=array(message("Too old.", "idx.expired.activation.token"))),
        "This link has expired",
        says=("Too old.",),
        offers=("Send a new link",),
    ),
    Situation(
        "maintenance with a way around",
        document(SKIP, messages=array(message("Closed for maintenance."))),
        "You can go on",
        says=("Closed for maintenance.",),
        offers=("Skip for now", "Cancel sign-up"),
    ),
    Situation(
        "a step nobody knows",
        document(
            step(
                "tide-table",
                {"name": "tide", "label": "Tide <at noon>", "required": True},
                {"name": "deep", "form": {"value": [{"name": "sea", "label": "Sea", "type": "boolean"}]}},
            )
        ),
        NEXT,
        ("tide", "deep.sea"),
        says=("Tide <at noon>", "Sea"),
    ),
    Situation(
        "an unknown step without fields", document(step("high-tide")), NEXT, offers=("Continue", "Cancel sign-up")
    ),
    # -- ends
    Situation(
        "check your mail",
        ending("To finish signing in, check your email.", "idx.email.verification.required", "INFO"),
        CHECK,
        says=("To finish signing in, check your email.",),
        offers=("I have done it: sign in",),
    ),
    Situation(
        "the hook's own words",
        ending("Only <sailors> & friends."),
        ENDED,
        says=("Only <sailors> & friends.",),
        offers=("Start again",),
        status=400,
    ),
    Situation(
        "several errors",
        document(messages=array(message("One."), message("Two.", "two"), message("Three.", "three", None, "INFO"))),
        ENDED,
        says=("One.", "Two.", "Three."),
        status=400,
    ),
    Situation(
        "a link that is out of date",
        {"version": "1.0.0", "messages": array(message("The link is old.", "idx.return.stale", None, None))},
        ENDED,
        says=("The link is old.",),
    ),
    Situation(
        "the code of a link",
        {
            "version": "1.0.0",
            "messages": array(message("Type it elsewhere.", "idx.enter.otp.in.original.tab", None, "INFO")),
            "currentAuthenticator": wrapped({**EMAIL, "contextualData": {"otp": "123456"}}),
        },
        ENDED,
        says=("Type it elsewhere.",),
    ),
    Situation(
        "maintenance",
        document(remediation=array(), messages=array(message("Closed."))),
        ENDED,
        says=("Closed.",),
        offers=("Start again", "Sign in"),
    ),
    Situation(
        "not assigned to the app, on the sign-in page",
        document(IDENTIFY, SIGN_UP, messages=array(message("No berth for you.", "no.berth"))),
        ENDED,
        says=("No berth for you.",),
        offers=("Start again", "Sign in"),
        status=400,
    ),
    Situation(
        "on to the org's own page",
        document(link("success-redirect")),
        "Your account is ready",
        says=("Sign in to go on.",),
        offers=("Sign in",),
    ),
    Situation(
        "the same, as older orgs say it",
        document(success=link("success-redirect")),
        "Your account is ready",
        says=("Sign in to go on.",),
        offers=("Sign in",),
    ),
    Situation(
        "away, with a reason",
        document(link("failure-redirect"), messages=array(message("Not this way."))),
        ENDED,
        says=("Not this way.",),
    ),
    Situation("nothing at all", {"version": "1.0.0"}, ENDED, offers=("Start again", "Sign in")),
)
