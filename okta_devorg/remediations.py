"""The steps and actions of an enrollment (protocol section 4), one function each. All take the org's base URL first."""

from typing import Any
from urllib.parse import urlencode

from . import authenticators, questions
from .ion import Json, action, fixed, form, handle_field
from .policy import Attribute, Captcha, IdentityProvider
from .profile_form import field_json
from .transaction import Transaction


def plain(base: str, tx: Transaction, name: str, path: str, **more: Any) -> Json:
    """A form with nothing to fill in."""
    return action(name, base + path, [handle_field(tx.state_handle)], **more)


def identify(base: str, tx: Transaction) -> Json:
    passcode = {"name": "passcode", "label": "Password", "secret": True}
    fields: list[Json] = [
        {"name": "identifier", "label": "Username"},
        {"name": "credentials", "type": "object", "form": form([passcode]), "required": True},
        {"name": "rememberMe", "type": "boolean", "label": "Remember this device"},
        handle_field(tx.state_handle),
    ]
    return action("identify", base + "/idp/idx/identify", fields)


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
    options = [authenticators.option(key, index) for index, key in enumerate(keys)]
    fields: list[Json] = [{"name": "authenticator", "type": "object", "options": options}]
    fields.append(handle_field(tx.state_handle))
    return action("select-authenticator-enroll", base + "/idp/idx/credential/enroll", fields)


def authenticator_enrollment_data(base: str, tx: Transaction) -> Json:
    phone = authenticators.AUTHENTICATORS["phone_number"]
    methods = (tx.method,) if tx.method else phone.methods
    fields = [
        fixed("id", phone.id, True),
        authenticators.method_choice(methods, True),
        {"name": "phoneNumber", "required": True},
    ]
    return action(
        "authenticator-enrollment-data",
        base + "/idp/idx/credential/enroll",
        [{"name": "authenticator", "label": "Phone", "form": form(fields)}, handle_field(tx.state_handle)],
        relatesTo=["$.currentAuthenticator"],
    )


def enroll_authenticator(base: str, tx: Transaction) -> Json:
    credentials: Json = {
        "name": "credentials",
        "type": "object",
        **CREDENTIALS.get(str(tx.authenticator), CODE),
        "required": True,
    }
    return action(
        "enroll-authenticator",
        base + "/idp/idx/challenge/answer",
        [credentials, handle_field(tx.state_handle)],
        relatesTo=["$.currentAuthenticator"],
    )


def request_activation(base: str, tx: Transaction) -> Json:
    return plain(base, tx, "request-activation-email", "/idp/idx/request-activation")


def redirect_idp(authorize: str, tx: Transaction, idp: IdentityProvider) -> Json:
    """A link, good for this transaction only: it has no `rel` and is never posted to (protocol 4.8)."""
    query = urlencode({"client_id": tx.request.client_id, "request_uri": f"urn:okta:{tx.idp_token}:{idp.id}"}, safe=":")
    about = {"type": idp.type, "idp": {"id": idp.id, "name": idp.name}}
    return {"name": "redirect-idp", **about, "href": f"{authorize}?{query}", "method": "GET"}


CAPTCHA_ID = "capLocalCaptcha00001"
CAPTCHA: list[Json] = [
    {"name": "captchaId", "required": True, "value": CAPTCHA_ID, "visible": False, "mutable": False},
    {"name": "captchaToken", "required": True, "visible": False, "hint": "captcha"},
]
CODE: Json = {"form": form([{"name": "passcode", "label": "Enter code"}])}
CREDENTIALS: dict[str, Json] = {
    "okta_password": {"form": form([{"name": "passcode", "label": "Enter password", "secret": True}])},
    "security_question": {"options": questions.CHOICES},
    "duo": {"form": form([{"name": "signatureData", "label": "Signature Data", "required": True, "visible": False}])},
    "webauthn": {
        "form": form(
            {"name": name, "label": label, "required": required, "visible": False, "hint": "webauthn"}
            for name, label, required in (
                ("clientData", "Client Data", True),
                ("attestation", "Attestation", True),
                ("transports", "Transports", False),
                ("clientExtensions", "Client Extensions", False),
            )
        )
    },
}


def issue(issuer_endpoint: str, tx: Transaction) -> Json:
    """Success: not a remediation, a form for the token endpoint (protocol section 6)."""
    fields = [
        {"name": "grant_type", "required": True, "value": "interaction_code"},
        {"name": "interaction_code", "required": True, "value": tx.interaction_code},
        {"name": "client_id", "required": True, "value": tx.request.client_id},
        {"name": "code_verifier", "required": True},
    ]
    head = {"rel": ["create-form"], "name": "issue", "href": issuer_endpoint, "method": "POST"}
    return {**head, "value": fields, "accepts": "application/x-www-form-urlencoded"}
