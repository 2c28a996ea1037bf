"""A table of all steps that an org can send: the document, and the expected contents of the page.

Written by hand from the description of the protocol; names, ids and most sentences are made up.
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
    """``names``: the fields of the page in order. ``says``: sentences on it. ``offers``: texts of its buttons and
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


def choice(*offered: Json, name: str = "select-authenticator-enroll") -> tuple[Json, Json]:
    """The step and the ``authenticators`` that it refers to."""
    options = [
        {
            "label": a["displayName"],
            "relatesTo": f"$.authenticators.value[{n}]",
            "value": {"form": {"value": [{"name": "id", "required": True, "value": a["id"], "mutable": False}]}},
        }
        for n, a in enumerate(offered)
    ]
    return step(name, {"name": "authenticator", "type": "object", "options": options}), array(*offered)


def choosing(*offered: Json, also: tuple[Json, ...] = (), **more: Any) -> Json:
    own, authenticators = choice(*offered)
    return document(own, *also, authenticators=authenticators, user=wrapped({"id": "00u1"}), **more)


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
    messages_of_answer = {"messages": array(*messages)} if messages else {}
    answer = {"name": "answer", "label": "Answer", "required": True, **messages_of_answer}
    predefined = {"name": "questionKey", "label": "Pick a question", "required": True, "options": QUESTIONS}
    own = {"name": "question", "label": "Write a question", "required": True}
    constant = {"name": "questionKey", "required": True, "value": "custom", "mutable": False}
    kinds = [("Pick one", [predefined, answer]), ("Write one", [constant, own, answer])]
    options = [{"label": label, "value": {"form": {"value": fields}}} for label, fields in kinds]
    return enrolling(QUESTION, {"name": "credentials", "type": "object", "required": True, "options": options})


def pairing(context: Json, *also: Json, holder: Json | None = None) -> Json:
    """The page of Okta Verify that waits for the phone."""
    current = {**(holder or VERIFY), "contextualData": context}
    steps = (POLLING, step("select-enrollment-channel", CHANNEL), *also)
    return document(*steps, currentAuthenticator=wrapped(current), authenticators=array(EMAIL, PHONE))


def channel_data(channel: str, *fields: Json) -> Json:
    constants = [{"name": n, "value": v, "mutable": False} for n, v in (("id", "autOV"), ("channel", channel))]
    return {"name": "authenticator", "form": {"value": [*constants, *fields]}}


QUESTIONS = [{"label": "First harbour?", "value": "harbour"}, {"label": "First boat?", "value": "boat"}]
SMS, CALL = {"label": "SMS", "value": "sms"}, {"label": "Voice call", "value": "voice"}
SKIP = step("skip", path="/idp/idx/skip")
QUESTION = authenticator("security_question", "security_question", "Security Question")
APP = authenticator("google_otp", "app", "Google Authenticator", contextualData={"sharedSecret": "JBSWY3DPEHPK3PXP"})
VERIFY = authenticator("okta_verify", "app", "Okta Verify")
HOUSE_APP = authenticator("custom_app", "app", "Harbour Push")
ON_SITE = authenticator("onprem_mfa", "security_key", "On-site token")
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
    "value": {
        "form": {
            "value": [
                {"name": "id", "value": "aut-okta_verify", "mutable": False},
                {
                    "name": "channel",
                    "options": [{"label": "QR", "value": "qrcode"}, {"label": "SMS", "value": "sms"}],
                },
            ]
        }
    },
}
IDENTIFY = step("identify", {"name": "identifier", "label": "Username"}, path="/idp/idx/identify")
SIGN_UP = step("select-enroll-profile", path="/idp/idx/enroll")
CONSENT: Json = {
    "name": "consent",
    "type": "boolean",
    "required": True,
    "options": [{"label": "Allow", "value": True}, {"label": "Don't allow", "value": False}],
}
HIDDEN: Json = {"name": "consent", "type": "boolean", "required": True, "visible": False}
NUMBERS = ("+1 XXX-XXX-5309", "+1 XXX-XXX-5310")
PHONES = [
    {
        "label": "Phone",
        "relatesTo": f"$.authenticatorEnrollments.value[{n}]",
        "value": {
            "form": {
                "value": [
                    {"name": "id", "required": True, "value": "autPHONE", "mutable": False},
                    {"name": "enrollmentId", "required": True, "value": f"pae{n}", "mutable": False},
                ]
            }
        },
    }
    for n in range(2)
]
WRONG_CODE = message("Invalid code. Try again.", "api.authn.error.PASSCODE_INVALID", [])
WARNING = message("This number cannot be called.")

UNSUPPORTED, NEXT, ENDED = "This can't be done here", "One more step", "We couldn't finish your sign-up"
VERIFY_PAGE = "Set up Okta Verify"
TICKED = {"type": "boolean", "value": True}
CHECK, CODE = "Check your email", ("credentials.passcode",)

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
        "labels with markup",
        document(
            step(
                "enroll-profile",
                profile_field("rules", label='I keep to the <a href="/rules">rules</a>', type="boolean", required=True),
                profile_field("sail", options=[{"label": "<b>Red</b> &amp; blue", "value": "r"}]),
            ),
            uiDisplay=wrapped({"label": "<b>Come</b> aboard", "buttonLabel": "<i>Moor</i>"}),
        ),
        "Come aboard",
        ("userProfile.rules", "userProfile.sail"),
        says=("I keep to the rules", "Red & blue"),
        offers=("Moor",),
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
        says=("Email", "Okta Verify", "RSA SecurID", "Smart card", "Security Question"),
        offers=("Continue", "Skip for now"),
    ),
    Situation(
        "a choice of nothing that a page can do",
        choosing(DUO),
        UNSUPPORTED,
        offers=("Cancel sign-up", "Sign in"),
    ),
    Situation("the same, optional", choosing(DUO, also=(SKIP,)), UNSUPPORTED, offers=("Skip for now",)),
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
                                        {"name": "phoneNumber", "messages": array(WARNING)},
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
        says=(WARNING["message"],),
        status=400,
    ),
    # -- authenticators
    Situation(
        "email, to be sent after a press",
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
        "email with a wrong code",
        enrolling(
            {**EMAIL, "resend": RESEND, "poll": POLL},
            credentials({"name": "passcode", "label": "Enter code", "messages": array(WRONG_CODE)}),
            also=(SELECT,),
        ),
        CHECK,
        CODE,
        says=("That code isn't right. Check the newest one and try again.",),
        offers=("Resend code", "Choose a different method"),
        status=401,
    ),
    Situation(
        "too many wrong codes, with the page",
        enrolling(EMAIL, messages=array(message("Too many requests", "tooManyRequests"))),
        CHECK,
        CODE,
        says=("Too many attempts.",),
        status=429,
    ),
    Situation(
        "phone, by text or call",
        phone_data([SMS, CALL]),
        "Add your phone",
        ("authenticator.methodType", "country", "authenticator.phoneNumber", "extension"),
        offers=("Choose a different method",),
    ),
    Situation(
        "phone, by text only, refused",
        phone_data([SMS], WARNING),
        "Add your phone",
        ("authenticator.methodType", "country", "authenticator.phoneNumber"),
        says=(WARNING["message"],),
        status=400,
    ),
    Situation("phone code", enrolling({**PHONE, "resend": RESEND}), "Check your phone", CODE, offers=("Resend code",)),
    Situation(
        "password",
        enrolling(PASSWORD, credentials(SECRET_CODE)),
        "Choose a password",
        ("credentials.passcode",),
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
        ("credentials.passcode", "credentials.revokeSessions"),
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
    Situation("authenticator app", enrolling(APP), "Set up your authenticator app", CODE, says=("JBSW Y3DP",)),
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
        says=("That code isn't right.",),
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
        "Create a passkey",
        offers=("Create passkey", "Choose a different method"),
    ),
    Situation(
        "passkey offered after signing in",
        enrolling(PASSKEY, credentials(*ATTESTATION), name="enroll-webauthn-residentkey", also=(SKIP,)),
        "Create a passkey",
        offers=("Skip for now",),
    ),
    Situation(
        "passkey without what the browser needs",
        enrolling({**PASSKEY, "contextualData": {}}, credentials(*ATTESTATION), also=(SELECT,)),
        UNSUPPORTED,
        says=("Passkeys",),
        offers=("Choose a different method",),
    ),
    Situation(
        "passkey promoted after signing in",
        enrolling(PASSKEY, credentials(*ATTESTATION), name="enroll-authenticator-promotion", also=(SKIP,)),
        "Create a passkey",
        offers=("Create passkey", "Skip for now"),
    ),
    Situation(
        "an authenticator that may be put off for some days",
        choosing({**EMAIL, "gracePeriod": {"expiry": "2030-02-01T12:00:00.000Z"}}, also=(SKIP,)),
        "Secure your account",
        ("authenticator.id",),
        says=("Set this up now, or skip it", "Required from Feb. 1, 2030."),
        offers=("Skip for now",),
    ),
    Situation(
        "an authenticator that may be put off some times",
        choosing({**EMAIL, "gracePeriod": {"remainingSkips": 3}}, also=(SKIP,)),
        "Secure your account",
        ("authenticator.id",),
        says=("Set this up now, or skip it", "You can skip this 3 more times."),
        offers=("Skip for now",),
    ),
    # -- Okta Verify
    Situation(
        "Okta Verify by QR code",
        pairing({"selectedChannel": "qrcode", "qrcode": {"href": "data:image/png;base64,AAAA"}}, SELECT),
        VERIFY_PAGE,
        says=("scan this code",),
        offers=("Check again", "Get the link a different way", "Choose a different method", "Cancel sign-up"),
    ),
    Situation(
        "Okta Verify on a page of an older org, which does not name it",
        pairing({"selectedChannel": "qrcode"}, holder={k: v for k, v in VERIFY.items() if k != "displayName"}),
        VERIFY_PAGE,
        offers=("Check again",),
    ),
    Situation(
        "Okta Verify by mail",
        pairing({"selectedChannel": "email", "email": "a***a@example.com"}, holder={**VERIFY, "resend": RESEND}),
        VERIFY_PAGE,
        says=("We sent a link to", "a***a@example.com", "Open it on the phone"),
        offers=("Check again", "Send a new link", "Get the link a different way"),
    ),
    Situation(
        "Okta Verify by text, to a number that is not told",
        pairing({"selectedChannel": "sms"}),
        VERIFY_PAGE,
        says=("We sent you a link by text message.",),
    ),
    Situation(
        "Okta Verify on this device",
        pairing({"samedevice": {"orgUrl": "https://boats.example.com", "downloadHref": "https://apps.example.com/ov"}}),
        VERIFY_PAGE,
        says=("Install Okta Verify on this device", "https://boats.example.com"),
    ),
    Situation(
        "Okta Verify by way of a device that has it",
        pairing({"devicebootstrap": {"enrolledDevices": ["Ada's phone"]}}),
        VERIFY_PAGE,
        says=("Open Okta Verify on Ada's phone",),
    ),
    Situation(
        "Okta Verify, channel first",
        enrolling(VERIFY, CHANNEL, name="select-enrollment-channel"),
        "How do you want to set up Okta Verify?",
        ("authenticator.channel",),
        says=("Scan a QR code", "Get a link by text message"),
        offers=("Continue",),
    ),
    Situation(
        "Okta Verify, a number for the link, refused",
        enrolling(
            {**VERIFY, "contextualData": {"selectedChannel": "sms"}},
            channel_data("sms", {"name": "phoneNumber", "required": True}),
            name="enrollment-channel-data",
            also=(step("select-enrollment-channel", CHANNEL),),
            messages=array(message("Invalid Phone Number.")),
        ),
        "Where should we send the link?",
        ("country", "authenticator.phoneNumber"),
        says=("We can't reach this number.",),
        offers=("Send the link", "Get the link a different way"),
        status=400,
    ),
    Situation(
        "Okta Verify, an address for the link",
        enrolling(
            {**VERIFY, "contextualData": {"selectedChannel": "email"}},
            channel_data("email", {"name": "email", "label": "Email", "required": True}),
            name="enrollment-channel-data",
        ),
        "Where should we send the link?",
        ("authenticator.email",),
        offers=("Send the link",),
    ),
    Situation(
        "Okta Verify, a number for the link, as older orgs ask for it",
        enrolling(
            {**VERIFY, "contextualData": {"selectedChannel": "sms"}},
            {"name": "phoneNumber", "label": "Phone Number", "required": True},
            name="enrollment-channel-data",
            also=(step("select-enrollment-channel", CHANNEL),),
        ),
        "Where should we send the link?",
        ("country", "phoneNumber"),
        offers=("Send the link", "Get the link a different way"),
    ),
    Situation(
        "an app of the organization's own, by QR code",
        pairing({"selectedChannel": "qrcode", "qrcode": {"href": "data:image/png;base64,AAAA"}}, holder=HOUSE_APP),
        "Set up Harbour Push",
        says=("Install Harbour Push on your phone, add an account in it, and scan this code.",),
        offers=("Check again", "Get the link a different way"),
    ),
    Situation(
        "such an app and other things that nobody knows, to choose from",
        choosing(HOUSE_APP, ON_SITE, authenticator("brand_new", "app", "Brand New"), SMART_CARD, also=(SKIP,)),
        "Secure your account",
        ("authenticator.id",),
        says=("Harbour Push", "On-site token", "Brand New"),
    ),
    Situation(
        "a token of the organization's own server",
        enrolling(ON_SITE, credentials({"name": "clientData", "label": "User name"}, SECRET_CODE)),
        NEXT,
        ("credentials.clientData", "credentials.passcode"),
    ),
    Situation(
        "a device that has to be registered first",
        document(
            deviceEnrollment=wrapped(
                {"name": "mdm", "platform": "IOS", "enrollmentLink": "https://devices.example.com/join"}
            )
        ),
        ENDED,
        says=("Register this one at https://devices.example.com/join, then start again.",),
        offers=("Start again",),
    ),
    Situation(
        "a device that has to be registered, nobody says where",
        document(deviceEnrollment=wrapped({"name": "oda", "platform": "ANDROID"})),
        ENDED,
        says=("This organization only accepts registered devices.",),
        offers=("Start again",),
    ),
    # -- other sites
    Situation(
        "an identity to be verified",
        document({**link("redirect-idverify", idp={"id": "IDV_PERSONA", "name": "Persona"})}, SKIP),
        "Confirm who you are",
        says=("“Persona” will check who you are",),
        offers=("Continue at Persona", "Skip for now"),
    ),
    Situation(
        "an identity provider as authenticator",
        document(
            link("redirect-idp", relatesTo=["$.currentAuthenticator"]),
            SELECT,
            currentAuthenticator=wrapped(authenticator("external_idp", "federated", "Harbour Office")),
            authenticators=array(EMAIL, PHONE),
        ),
        "Continue at another site",
        says=("Sign in at “Harbour Office”.",),
        offers=("Continue at Harbour Office", "Choose a different method"),
    ),
    Situation(
        "an identity provider as authenticator, with the mark of a form",
        document(
            {**link("redirect-idp", relatesTo=["$.currentAuthenticator"]), "rel": ["create-form"]},
            SELECT,
            currentAuthenticator=wrapped(authenticator("external_idp", "federated", "Harbour Office")),
            authenticators=array(EMAIL, PHONE),
        ),
        "Continue at another site",
        offers=("Continue at Harbour Office", "Choose a different method"),
    ),
    Situation(
        "a smart card as authenticator",
        document(
            link("piv-idp", relatesTo=["$.currentAuthenticator"], idp={"id": "0oaCard", "name": "Card"}, type="X509"),
            SELECT,
            currentAuthenticator=wrapped(SMART_CARD),
            authenticators=array(EMAIL, PHONE),
        ),
        "Continue at another site",
        says=("Have your smart card ready.",),
        offers=("Continue", "Choose a different method"),
    ),
    Situation(
        "a password that another site keeps and that has expired",
        document(
            link(
                "reenroll-custom-password-expiry",
                href="https://passwords.example/new",
                customExpiredPasswordName="Harbour Office",
                relatesTo=["$.currentAuthenticator"],
            ),
            currentAuthenticator=wrapped(PASSWORD),
        ),
        UNSUPPORTED,
        says=("You need a new password. Set it at “Harbour Office”, then sign in.",),
        offers=("Continue at Harbour Office", "Sign in"),
    ),
    Situation(
        "one that will expire soon, at a place without a name or a safe address",
        document(
            {
                **step("reenroll-custom-password-expiry-warning", path="/idp/idx/challenge/answer"),
                "customExpiredPasswordURL": "javascript:alert(1)",
            },
            SKIP,
            currentAuthenticator=wrapped(PASSWORD),
        ),
        UNSUPPORTED,
        says=("You need a new password. Set it at your organization's site, then sign in.",),
        offers=("Skip for now", "Sign in"),
    ),
    Situation(
        "a push that waits, with a checkbox",
        document(
            step(
                "challenge-poll",
                {"name": "autoChallenge", "type": "boolean", "label": "Send push automatically", "value": True},
                path="/idp/idx/authenticators/poll",
                relatesTo=["$.currentAuthenticator"],
                refresh=4000,
            ),
            choice(VERIFY, name="select-authenticator-authenticate")[0],
            authenticators=array(VERIFY),
            currentAuthenticator=wrapped({**VERIFY, "contextualData": {"correctAnswer": "42"}}),
        ),
        "Confirm on your other device",
        ("autoChallenge",),
        says=("Send push automatically", "On your other device, choose this number: 42"),
        offers=("Check again",),
    ),
    Situation(
        "a push that can be sent again",
        document(
            step("challenge-poll", path="/idp/idx/authenticators/poll", relatesTo=["$.currentAuthenticator"]),
            currentAuthenticator=wrapped({**VERIFY, "resend": RESEND}),
        ),
        "Confirm on your other device",
        offers=("Check again", "Send again"),
    ),
    Situation(
        "a mail whose link is the only way",
        document(
            step("challenge-poll", path="/idp/idx/challenge/poll", relatesTo=["$.currentAuthenticator"]),
            currentAuthenticator=wrapped({**EMAIL, "resend": RESEND}),
        ),
        CHECK,
        offers=("Check again", "Send again"),
    ),
    Situation(
        "Duo",
        enrolling(DUO, credentials({"name": "signedData", "required": True, "visible": False}), also=(SKIP,)),
        UNSUPPORTED,
        says=("Duo Security",),
        offers=("Skip for now",),
    ),
    Situation(
        "Duo, with a field that only its script can fill in",
        enrolling(DUO, credentials({"name": "signatureData", "label": "Signature", "required": True}), also=(SKIP,)),
        UNSUPPORTED,
        offers=("Skip for now",),
    ),
    Situation(
        "a smart card, read behind a link",
        document(
            {**link("enroll-authenticator"), "rel": ["create-form"], "relatesTo": ["$.currentAuthenticator"]},
            SKIP,
            currentAuthenticator=wrapped(SMART_CARD),
        ),
        UNSUPPORTED,
        says=("Smart card",),
        offers=("Skip for now", "Cancel sign-up"),
    ),
    Situation(
        "a device that is asked",
        document(step("device-challenge-poll", path="/idp/idx/authenticators/poll")),
        UNSUPPORTED,
        offers=("Cancel sign-up",),
    ),
    # -- proofs of what one has already
    Situation(
        "own password, asked back",
        challenging(PASSWORD, credentials({**SECRET_CODE, "messages": array(message("Password is incorrect"))})),
        "Confirm that it's you",
        CODE,
        says=("Password is incorrect",),
        status=401,
    ),
    Situation(
        "own email, asked back",
        challenging({**EMAIL, "resend": RESEND}, PASSCODE),
        CHECK,
        CODE,
        offers=("Resend code",),
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
        "Confirm that it's you",
        ("credentials.answer",),
        says=("First harbour?",),
    ),
    Situation(
        "own passkey, asked back",
        challenging(
            {**PASSKEY, "contextualData": {"challengeData": {"challenge": "YWJj"}}},
            credentials(*({"name": n, "required": True, "visible": False} for n in ("clientData", "signatureData"))),
        ),
        "Confirm that it's you",
        says=("Your browser will ask for your fingerprint",),
        offers=("Continue",),
    ),
    Situation(
        "which of one's own, two of a kind",
        document(
            step("select-authenticator-authenticate", {"name": "authenticator", "type": "object", "options": PHONES}),
            authenticatorEnrollments=array(*({**PHONE, "profile": {"phoneNumber": n}} for n in NUMBERS)),
        ),
        "Confirm that it's you",
        ("authenticator",),
        says=("Phone +1 XXX-XXX-5309", "Phone +1 XXX-XXX-5310"),
        offers=("Continue",),
    ),
    Situation(
        "which of one's own",
        document(choice(EMAIL, PHONE, name="select-authenticator-authenticate")[0], authenticators=array(EMAIL, PHONE)),
        "Confirm that it's you",
        ("authenticator.id",),
        says=("Email", "Phone"),
    ),
    # -- the rest
    Situation(
        "consent",
        document(
            step("consent", CONSENT, scopes=[{"name": "boats", "label": "See your boats", "value": "boats.read"}])
        ),
        "Allow access to your account?",
        ("consent",),
        says=("See your boats", "Allow", "Don't allow"),
    ),
    Situation(
        "consent to a scope that is described",
        document(
            step("admin-consent", HIDDEN, scopes=[{"name": "b", "value": "boats.read", "desc": "See all boats."}])
        ),
        "Allow access to your account?",
        ("consent",),
        says=("See all boats.",),
    ),
    Situation(
        "consent to each scope",
        document(
            step(
                "granular-consent",
                {
                    "name": "optedScopes",
                    "type": "object",
                    "form": {
                        "value": [
                            {"name": "openid", "label": "openid", "type": "boolean", "value": True, "mutable": False},
                            {"name": "boats.read", "label": "See your boats", "desc": "All of them.", **TICKED},
                        ]
                    },
                },
                {"name": "consent", "type": "boolean", "required": True, "visible": False},
                path="/idp/idx/consent",
            )
        ),
        "Allow access to your account?",
        ("optedScopes.boats.read", "optedScopes.openid", "consent"),
        says=("See your boats", "All of them.", "openid", "Allow", "Don't allow"),
        offers=("Continue",),
    ),
    Situation(
        "consent to scopes without a type",
        document(
            step(
                "granular-consent",
                {
                    "name": "optedScopes",
                    "form": {
                        "value": [
                            {"name": "openid", "label": "openid", "value": True, "mutable": False},
                            {"name": "boats", "label": "See your boats", "value": True},
                            {"name": "crew", "label": "See your crew"},
                        ]
                    },
                },
                {"name": "consent", "required": True},
                path="/idp/idx/consent",
            )
        ),
        "Allow access to your account?",
        ("optedScopes.boats", "optedScopes.crew", "optedScopes.openid", "consent"),
        says=("See your boats", "See your crew"),
    ),
    Situation(
        "consent of an email link",
        document(
            step(
                "email-challenge-consent",
                {"name": "consent", "type": "boolean", "required": True},
                requestInfo=[{"name": "browser", "label": "Browser", "value": "FIREFOX"}],
            )
        ),
        "Was this you?",
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
        "staying signed in, by buttons of the org's own page",
        document(step("keep-me-signed-in", {**HIDDEN, "name": "keepMeSignedIn"})),
        NEXT,
        ("keepMeSignedIn",),
        offers=("Continue",),
    ),
    Situation(
        "consent by buttons of the org's own page",
        document(step("consent", HIDDEN, scopes=[{"name": "boats", "label": "See your boats"}])),
        "Allow access to your account?",
        ("consent",),
        says=("See your boats", "Allow", "Don't allow"),
        offers=("Continue",),
    ),
    Situation(
        "consent of an email link, by buttons of the org's own page",
        document(step("email-challenge-consent", HIDDEN)),
        "Was this you?",
        ("consent",),
        offers=("Continue",),
    ),
    Situation(
        "a new activation mail",
        document(step("request-activation-email"), messages=array(message("Too old.", "idx.expired.activation.token"))),
        "This link has expired",
        says=("Links work for a limited time. We can email you a new one.",),
        offers=("Send a new link",),
    ),
    Situation(
        "maintenance that the org asks to wait for",
        document(step("poll", path="/idp/idx/poll", refresh=10000), messages=array(message("Closed for maintenance."))),
        NEXT,
        says=("Closed for maintenance.",),
        offers=("Check again", "Cancel sign-up"),
    ),
    Situation(
        "maintenance with a way around",
        document(SKIP, messages=array(message("Closed for maintenance."))),
        "You can continue",
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
        says=("We sent a link to", "Open it to confirm your email, then sign in."),
        offers=("I've confirmed my email",),
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
        "words with markup",
        ending('There is no <strong>boat</strong>. <a href="/signin/register">Build one</a> &amp; come back.', "x"),
        ENDED,
        says=("There is no boat. Build one & come back.",),
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
        says=("This link is out of date.",),
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
        says=("Sign in to continue.",),
        offers=("Sign in",),
    ),
    Situation(
        "the same, as older orgs say it",
        document(success=link("success-redirect")),
        "Your account is ready",
        says=("Sign in to continue.",),
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
