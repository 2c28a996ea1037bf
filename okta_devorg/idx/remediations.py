"""The steps and actions of an enrollment (docs/protocol.md, section 4), one function each. All take the org's base URL
first.
"""

from typing import Any
from urllib.parse import urlencode

from okta_devorg.factors import catalogue, questions
from okta_devorg.factors.profile_form import field_json
from okta_devorg.policy.settings import Attribute, Captcha, IdentityProvider
from okta_devorg.state.transaction import Transaction
from okta_devorg.state.users import Enrollment
from okta_devorg.wire.ion import Json, action, fixed, form, handle_field


def plain(base: str, tx: Transaction, name: str, path: str, **more: Any) -> Json:
    """A form with nothing to fill in."""
    return action(name, base + path, [handle_field(tx.state_handle)], **more)


def identify(base: str, tx: Transaction, with_password: bool) -> Json:
    passcode = {"name": "passcode", "label": "Password", "secret": True}
    credentials: Json = {"name": "credentials", "type": "object", "form": form([passcode]), "required": True}
    fields: list[Json] = [
        {"name": "identifier", "label": "Username"},
        *([credentials] if with_password else []),
        {"name": "rememberMe", "type": "boolean", "label": "Remember this device"},
        handle_field(tx.state_handle),
    ]
    return action("identify", base + "/idp/idx/identify", fields)


def identify_recovery(base: str, tx: Transaction) -> Json:
    identifier = {"name": "identifier", "label": "Username", "required": True}
    return action("identify-recovery", base + "/idp/idx/identify", [identifier, handle_field(tx.state_handle)])


def unlock_account(base: str, tx: Transaction) -> Json:
    return plain(base, tx, "unlock-account", "/idp/idx/unlock-account")


def select_authenticator_unlock(base: str, tx: Transaction, keys: tuple[str, ...]) -> Json:
    options = [catalogue.option_to_unlock(key, index) for index, key in enumerate(keys)]
    fields: list[Json] = [{"name": "identifier", "label": "Username", "required": True}]
    fields += [{"name": "authenticator", "type": "object", "options": options}, handle_field(tx.state_handle)]
    return action("select-authenticator-unlock-account", base + "/idp/idx/challenge", fields)


def select_authenticator_authenticate(base: str, tx: Transaction, factors: tuple[Enrollment, ...]) -> Json:
    options = [catalogue.option_to_prove(enrollment, index) for index, enrollment in enumerate(factors)]
    fields: list[Json] = [{"name": "authenticator", "type": "object", "options": options}]
    fields.append(handle_field(tx.state_handle))
    return action("select-authenticator-authenticate", base + "/idp/idx/challenge", fields)


def authenticator_verification_data(base: str, tx: Transaction, enrollment: Enrollment) -> Json:
    fields = catalogue.verification_fields(enrollment, method_required=True)
    return action(
        "authenticator-verification-data",
        base + "/idp/idx/challenge",
        [{"name": "authenticator", "label": "Phone", "form": form(fields)}, handle_field(tx.state_handle)],
        relatesTo=["$.currentAuthenticatorEnrollment"],
    )


def challenge_authenticator(base: str, tx: Transaction, enrollment: Enrollment) -> Json:
    return answer(base, tx, "challenge-authenticator", proof(enrollment), "$.currentAuthenticatorEnrollment")


def reset_authenticator(base: str, tx: Transaction) -> Json:
    passcode = {"name": "passcode", "label": "New password", "secret": True}
    revoke = {"name": "revokeSessions", "type": "boolean", "label": "Sign me out of all other devices"}
    return answer(base, tx, "reset-authenticator", {"form": form([passcode, revoke])}, "$.currentAuthenticator")


def reenroll_authenticator(base: str, tx: Transaction) -> Json:
    passcode = {"name": "passcode", "label": "New password", "secret": True}
    return answer(base, tx, "reenroll-authenticator", {"form": form([passcode])}, "$.currentAuthenticator")


def select_enroll_profile(base: str, tx: Transaction) -> Json:
    return plain(base, tx, "select-enroll-profile", "/idp/idx/enroll")


def select_identify(base: str, tx: Transaction) -> Json:
    return plain(base, tx, "select-identify", "/idp/idx/identify/select")


def skip(base: str, tx: Transaction) -> Json:
    return plain(base, tx, "skip", "/idp/idx/skip")


def cancel(base: str, tx: Transaction) -> Json:
    return plain(base, tx, "cancel", "/idp/idx/cancel")


def recover(base: str, tx: Transaction) -> Json:
    return plain(base, tx, "recover", "/idp/idx/recover")


def resend(base: str, tx: Transaction) -> Json:
    return plain(base, tx, "resend", "/idp/idx/challenge/resend")


def poll(base: str, tx: Transaction) -> Json:
    return plain(base, tx, "poll", "/idp/idx/challenge/poll", refresh=4000)


def enroll_profile(
    base: str, tx: Transaction, attributes: tuple[Attribute, ...], with_password: bool, captcha: Captcha | None
) -> Json:
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
        fields.append({"name": "captchaVerify", "relatesTo": "$.captcha", "form": form(CAPTCHA)})
    return action("enroll-profile", base + "/idp/idx/enroll/new", [*fields, handle_field(tx.state_handle)])


def select_authenticator_enroll(base: str, tx: Transaction, keys: tuple[str, ...]) -> Json:
    options = [catalogue.option(key, index) for index, key in enumerate(keys)]
    fields: list[Json] = [{"name": "authenticator", "type": "object", "options": options}]
    fields.append(handle_field(tx.state_handle))
    return action("select-authenticator-enroll", base + "/idp/idx/credential/enroll", fields)


def authenticator_enrollment_data(base: str, tx: Transaction) -> Json:
    phone = catalogue.AUTHENTICATORS["phone_number"]
    methods = (tx.method,) if tx.method else phone.methods
    fields = [
        fixed("id", phone.id, True),
        catalogue.method_choice(methods, True),
        {"name": "phoneNumber", "required": True},
    ]
    return action(
        "authenticator-enrollment-data",
        base + "/idp/idx/credential/enroll",
        [{"name": "authenticator", "label": "Phone", "form": form(fields)}, handle_field(tx.state_handle)],
        relatesTo=["$.currentAuthenticator"],
    )


def enroll_authenticator(base: str, tx: Transaction) -> Json:
    credentials = CREDENTIALS.get(str(tx.authenticator), CODE)
    return answer(base, tx, "enroll-authenticator", credentials, "$.currentAuthenticator")


def answer(base: str, tx: Transaction, name: str, credentials: Json, relates_to: str) -> Json:
    field: Json = {"name": "credentials", "type": "object", **credentials, "required": True}
    fields = [field, handle_field(tx.state_handle)]
    return action(name, base + "/idp/idx/challenge/answer", fields, relatesTo=[relates_to])


def request_activation(base: str, tx: Transaction) -> Json:
    return plain(base, tx, "request-activation-email", "/idp/idx/request-activation")


def redirect_idp(authorize: str, tx: Transaction, idp: IdentityProvider) -> Json:
    """A link, good for this transaction only: it has no `rel` and is never posted to
    (docs/protocol.md, section 4.8).
    """
    query = urlencode({"client_id": tx.request.client_id, "request_uri": f"urn:okta:{tx.idp_token}:{idp.id}"}, safe=":")
    about = {"type": idp.type, "idp": {"id": idp.id, "name": idp.name}}
    name = "piv-idp" if idp.type == "X509" else "redirect-idp"
    return {"name": name, **about, "href": f"{authorize}?{query}", "method": "GET"}


CAPTCHA_ID = "capLocalCaptcha00001"
CAPTCHA: list[Json] = [
    {"name": "captchaId", "required": True, "value": CAPTCHA_ID, "visible": False, "mutable": False},
    {"name": "captchaToken", "required": True, "visible": False, "hint": "captcha"},
]


def hidden(name: str, label: str, required: bool = True) -> Json:
    return {"name": name, "label": label, "required": required, "visible": False, "hint": "webauthn"}


CODE: Json = {"form": form([{"name": "passcode", "label": "Enter code"}])}
CREDENTIALS: dict[str, Json] = {
    "okta_password": {"form": form([{"name": "passcode", "label": "Enter password", "secret": True}])},
    "security_question": {"options": questions.CHOICES},
    "duo": {"form": form([{"name": "signatureData", "label": "Signature Data", "required": True, "visible": False}])},
    "smart_card_idp": {
        "form": form([{"name": "certificate", "label": "Certificate", "required": True, "visible": False}])
    },
    "webauthn": {
        "form": form(
            hidden(name, label, required)
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
    hidden("authenticatorData", "Authenticator Data"),
    hidden("clientData", "Client Data"),
    hidden("signatureData", "Signature Data"),
)


def proof(enrollment: Enrollment) -> Json:
    """The `credentials` of a challenge."""
    if enrollment.key == "security_question":
        asked = {**fixed("questionKey", questions.key_of(enrollment), True), "label": enrollment.question}
        return {"form": form([asked, {"name": "answer", "label": "Answer", "required": True}])}
    if enrollment.key == "webauthn":
        return {"form": form(PASSKEY_PROOF)}
    return CREDENTIALS["okta_password"] if enrollment.key == "okta_password" else CODE


def issue(issuer_endpoint: str, tx: Transaction) -> Json:
    """Success: not a remediation, a form for the token endpoint (docs/protocol.md, section 6)."""
    fields = [
        {"name": "grant_type", "required": True, "value": "interaction_code"},
        {"name": "interaction_code", "required": True, "value": tx.interaction_code},
        {"name": "client_id", "required": True, "value": tx.request.client_id},
        {"name": "code_verifier", "required": True},
    ]
    head = {"rel": ["create-form"], "name": "issue", "href": issuer_endpoint, "method": "POST"}
    return {**head, "value": fields, "accepts": "application/x-www-form-urlencoded"}
