"""The remediations and actions of the documents, one function each (docs/protocol.md, section 4).

Each takes the base URL of the org and the transaction.
"""

from typing import Any
from urllib.parse import urlencode

from okta_devorg.factors import catalogue, questions
from okta_devorg.factors.profile_form import field_json
from okta_devorg.policy.settings import Attribute, Captcha, CodeFormat, IdentityProvider
from okta_devorg.state.transactions import Transaction
from okta_devorg.state.users import Enrollment
from okta_devorg.wire.ion import Json, action, fixed_field, form, state_handle_field


def _empty_form(base: str, tx: Transaction, name: str, path: str, **more: Any) -> Json:
    """Return a form with nothing to fill in."""
    return action(name, base + path, [state_handle_field(tx.state_handle)], **more)


def identify(base: str, tx: Transaction, with_password: bool) -> Json:
    """Return the form of the first page: for the login, and on request for the password."""
    passcode = {"name": "passcode", "label": "Password", "secret": True}
    credentials: Json = {"name": "credentials", "type": "object", "form": form([passcode]), "required": True}
    fields: list[Json] = [
        {"name": "identifier", "label": "Username"},
        *([credentials] if with_password else []),
        {"name": "rememberMe", "type": "boolean", "label": "Remember this device"},
        state_handle_field(tx.state_handle),
    ]
    return action("identify", base + "/idp/idx/identify", fields)


def identify_recovery(base: str, tx: Transaction) -> Json:
    """Return the form that asks whose password is to be reset."""
    identifier = {"name": "identifier", "label": "Username", "required": True}
    return action("identify-recovery", base + "/idp/idx/identify", [identifier, state_handle_field(tx.state_handle)])


def unlock_account(base: str, tx: Transaction) -> Json:
    """Return the link to unlocking an account."""
    return _empty_form(base, tx, "unlock-account", "/idp/idx/unlock-account")


def select_authenticator_unlock(base: str, tx: Transaction, keys: tuple[str, ...]) -> Json:
    """Return the form that asks who is to be unlocked, by which of these authenticators."""
    options = [catalogue.unlock_option(key, index) for index, key in enumerate(keys)]
    fields: list[Json] = [{"name": "identifier", "label": "Username", "required": True}]
    fields += [{"name": "authenticator", "type": "object", "options": options}, state_handle_field(tx.state_handle)]
    return action("select-authenticator-unlock-account", base + "/idp/idx/challenge", fields)


def select_authenticator_authenticate(base: str, tx: Transaction, enrollments: tuple[Enrollment, ...]) -> Json:
    """Return the choice of the enrollment to prove."""
    options = [catalogue.authenticate_option(enrollment, index) for index, enrollment in enumerate(enrollments)]
    fields: list[Json] = [{"name": "authenticator", "type": "object", "options": options}]
    fields.append(state_handle_field(tx.state_handle))
    return action("select-authenticator-authenticate", base + "/idp/idx/challenge", fields)


def authenticator_verification_data(base: str, tx: Transaction, enrollment: Enrollment) -> Json:
    """Return the form that asks how to reach the phone that is to be proven."""
    fields = catalogue.challenge_fields(enrollment, method_required=True)
    return action(
        "authenticator-verification-data",
        base + "/idp/idx/challenge",
        [{"name": "authenticator", "label": "Phone", "form": form(fields)}, state_handle_field(tx.state_handle)],
        relatesTo=["$.currentAuthenticatorEnrollment"],
    )


def challenge_authenticator(base: str, tx: Transaction, enrollment: Enrollment) -> Json:
    """Return the form for the proof of an enrollment."""
    return _answer_form(
        base, tx, "challenge-authenticator", _proof_credentials(enrollment), "$.currentAuthenticatorEnrollment"
    )


def reset_authenticator(base: str, tx: Transaction) -> Json:
    """Return the form for a new password after a recovery."""
    passcode = {"name": "passcode", "label": "New password", "secret": True}
    revoke = {"name": "revokeSessions", "type": "boolean", "label": "Sign me out of all other devices"}
    return _answer_form(base, tx, "reset-authenticator", {"form": form([passcode, revoke])}, "$.currentAuthenticator")


def reenroll_authenticator(base: str, tx: Transaction) -> Json:
    """Return the form for a new password in place of an expired one."""
    passcode = {"name": "passcode", "label": "New password", "secret": True}
    return _answer_form(base, tx, "reenroll-authenticator", {"form": form([passcode])}, "$.currentAuthenticator")


def select_enroll_profile(base: str, tx: Transaction) -> Json:
    """Return the link to the profile form (section 4.1)."""
    return _empty_form(base, tx, "select-enroll-profile", "/idp/idx/enroll")


def select_identify(base: str, tx: Transaction) -> Json:
    """Return the link back to the first page (section 4.3)."""
    return _empty_form(base, tx, "select-identify", "/idp/idx/identify/select")


def skip(base: str, tx: Transaction) -> Json:
    """Return the action that skips what is optional (section 4.7)."""
    return _empty_form(base, tx, "skip", "/idp/idx/skip")


def cancel(base: str, tx: Transaction) -> Json:
    """Return the action that starts again (section 4.7)."""
    return _empty_form(base, tx, "cancel", "/idp/idx/cancel")


def recover(base: str, tx: Transaction) -> Json:
    """Return the action that resets a forgotten password (section 4.7)."""
    return _empty_form(base, tx, "recover", "/idp/idx/recover")


def resend(base: str, tx: Transaction) -> Json:
    """Return the action that sends another code (section 4.7)."""
    return _empty_form(base, tx, "resend", "/idp/idx/challenge/resend")


def poll(base: str, tx: Transaction) -> Json:
    """Return the action that asks every 4 seconds whether the transaction has moved on (section 4.7)."""
    return _empty_form(base, tx, "poll", "/idp/idx/challenge/poll", refresh=4000)


def enroll_profile(
    base: str, tx: Transaction, attributes: tuple[Attribute, ...], with_password: bool, captcha: Captcha | None
) -> Json:
    """Return the profile form (section 4.2)."""
    fields: list[Json] = [{"name": "userProfile", "form": form(field_json(attribute) for attribute in attributes)}]
    if with_password:
        passcode = {"name": "passcode", "label": "Enter Password", "required": True, "secret": True}
        fields.append(
            {
                "name": "credentials",
                "type": "object",
                "required": True,
                "relatesTo": "$.currentAuthenticator",
                "form": form([passcode]),
            }
        )
    if captcha:
        fields.append({"name": "captchaVerify", "relatesTo": "$.captcha", "form": form(CAPTCHA_FIELDS)})
    return action("enroll-profile", base + "/idp/idx/enroll/new", [*fields, state_handle_field(tx.state_handle)])


def captcha_challenge(base: str, tx: Transaction) -> Json:
    """Return where the task of the captcha ALTCHA is (section 4.2)."""
    return _empty_form(base, tx, "challenge", "/api/v1/altcha")


def select_authenticator_enroll(base: str, tx: Transaction, keys: tuple[str, ...]) -> Json:
    """Return the choice of the authenticator to set up (section 4.4)."""
    options = [catalogue.enroll_option(key, index) for index, key in enumerate(keys)]
    fields: list[Json] = [{"name": "authenticator", "type": "object", "options": options}]
    fields.append(state_handle_field(tx.state_handle))
    return action("select-authenticator-enroll", base + "/idp/idx/credential/enroll", fields)


def authenticator_enrollment_data(base: str, tx: Transaction) -> Json:
    """Return the form for the phone number (section 4.5)."""
    phone = catalogue.AUTHENTICATORS["phone_number"]
    methods = (tx.method,) if tx.method else phone.methods
    fields = [
        fixed_field("id", phone.id, True),
        catalogue.method_choice(methods, True),
        {"name": "phoneNumber", "required": True},
    ]
    return action(
        "authenticator-enrollment-data",
        base + "/idp/idx/credential/enroll",
        [{"name": "authenticator", "label": "Phone", "form": form(fields)}, state_handle_field(tx.state_handle)],
        relatesTo=["$.currentAuthenticator"],
    )


def enroll_promotion(base: str, tx: Transaction) -> Json:
    """Return the form of a passkey that is offered after the sign-up (section 4.13)."""
    credentials = ENROLL_CREDENTIALS["webauthn"]
    return _answer_form(base, tx, "enroll-authenticator-promotion", credentials, "$.currentAuthenticator")


def device_challenge_poll(base: str, tx: Transaction) -> Json:
    """Return the wait for Okta Verify on the visitor's device (section 4.13)."""
    path = "/idp/idx/authenticators/poll"
    return _empty_form(base, tx, "device-challenge-poll", path, relatesTo=["$.authenticatorChallenge"], refresh=4000)


def cancel_polling(base: str, tx: Transaction) -> Json:
    """Return the action that ends that wait."""
    reasons = [{"name": name, "required": False, "visible": False} for name in ("reason", "statusCode")]
    fields: list[Json] = [*reasons, state_handle_field(tx.state_handle)]
    return action("cancel-polling", base + "/idp/idx/authenticators/poll/cancel", fields)


def link_elsewhere(name: str, href: str, idp_id: str, idp_name: str, **more: Any) -> Json:
    """Return a link for the browser, which comes back to the app (section 4.13). It has no `rel`.

    `more` are further members, such as `relatesTo`.
    """
    return {"name": name, **more, "idp": {"id": idp_id, "name": idp_name}, "href": href, "method": "GET"}


def enroll_authenticator(base: str, tx: Transaction, email_code: CodeFormat) -> Json:
    """Return the form of the authenticator that is being set up (section 4.6)."""
    credentials = ENROLL_CREDENTIALS.get(str(tx.authenticator), CODE_CREDENTIALS)
    if tx.authenticator == "okta_email" and email_code != CodeFormat():
        credentials = {"form": form([{"name": "passcode", "label": "Enter code", **_code_rules(email_code)}])}
    return _answer_form(base, tx, "enroll-authenticator", credentials, "$.currentAuthenticator")


def _code_rules(code: CodeFormat) -> Json:
    length = {"minLength": code.length, "maxLength": code.length}
    return {**length, "format": "alphanumeric"} if code.alphanumeric else length


def _answer_form(base: str, tx: Transaction, name: str, credentials: Json, relates_to: str) -> Json:
    field: Json = {"name": "credentials", "type": "object", **credentials, "required": True}
    fields = [field, state_handle_field(tx.state_handle)]
    return action(name, base + "/idp/idx/challenge/answer", fields, relatesTo=[relates_to])


def request_activation(base: str, tx: Transaction) -> Json:
    """Return the action that mails a new activation token (section 4.11)."""
    return _empty_form(base, tx, "request-activation-email", "/idp/idx/request-activation")


def redirect_idp(authorize: str, tx: Transaction, idp: IdentityProvider) -> Json:
    """Return the link to an identity provider, valid for this transaction only (section 4.8).

    It has no `rel`, because it is followed, not posted to.
    """
    query = urlencode({"client_id": tx.request.client_id, "request_uri": f"urn:okta:{tx.idp_token}:{idp.id}"}, safe=":")
    provider = {"type": idp.type, "idp": {"id": idp.id, "name": idp.name}}
    name = "piv-idp" if idp.type == "X509" else "redirect-idp"
    return {"name": name, **provider, "href": f"{authorize}?{query}", "method": "GET"}


CAPTCHA_ID = "capLocalCaptcha00001"
CAPTCHA_FIELDS: list[Json] = [
    {"name": "captchaId", "required": True, "value": CAPTCHA_ID, "visible": False, "mutable": False},
    {"name": "captchaToken", "required": True, "visible": False, "hint": "captcha"},
]


def _hidden_field(name: str, label: str, required: bool = True) -> Json:
    return {"name": name, "label": label, "required": required, "visible": False, "hint": "webauthn"}


CODE_CREDENTIALS: Json = {"form": form([{"name": "passcode", "label": "Enter code"}])}
ENROLL_CREDENTIALS: dict[str, Json] = {
    "okta_password": {"form": form([{"name": "passcode", "label": "Enter password", "secret": True}])},
    "security_question": {"options": questions.CHOICES},
    "duo": {"form": form([{"name": "signatureData", "label": "Signature Data", "required": True, "visible": False}])},
    "webauthn": {
        "form": form(
            _hidden_field(name, label, required)
            for name, label, required in (
                ("clientData", "Client Data", True),
                ("attestation", "Attestation", True),
                ("transports", "Transports", False),
                ("clientExtensions", "Client Extensions", False),
            )
        )
    },
}


PASSKEY_PROOF = (
    _hidden_field("authenticatorData", "Authenticator Data"),
    _hidden_field("clientData", "Client Data"),
    _hidden_field("signatureData", "Signature Data"),
)


def _proof_credentials(enrollment: Enrollment) -> Json:
    """Return the `credentials` field of a challenge."""
    if enrollment.key == "security_question":
        question = {
            **fixed_field("questionKey", questions.question_key(enrollment), True),
            "label": enrollment.question,
        }
        return {"form": form([question, {"name": "answer", "label": "Answer", "required": True}])}
    if enrollment.key == "webauthn":
        return {"form": form(PASSKEY_PROOF)}
    return ENROLL_CREDENTIALS["okta_password"] if enrollment.key == "okta_password" else CODE_CREDENTIALS


def issue(token_endpoint: str, tx: Transaction) -> Json:
    """Return the form of a success: it is no remediation, but goes to the token endpoint (section 6)."""
    fields = [
        {"name": "grant_type", "required": True, "value": "interaction_code"},
        {"name": "interaction_code", "required": True, "value": tx.interaction_code},
        {"name": "client_id", "required": True, "value": tx.request.client_id},
        {"name": "code_verifier", "required": True},
    ]
    head = {"rel": ["create-form"], "name": "issue", "href": token_endpoint, "method": "POST"}
    return {**head, "value": fields, "accepts": "application/x-www-form-urlencoded"}
