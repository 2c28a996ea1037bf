"""The webauthn authenticator: what a browser is asked, and the check of what came back (Web Authentication, section 7).

Every binary value is base64url on the wire, as okta-auth-js and the Sign-In Widget send it; plain base64 is read too.
"""

import json
import secrets
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url, options_to_json_dict, parse_attestation_object
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    UserVerificationRequirement,
)

from okta_devorg.policy.settings import App
from okta_devorg.state.users import Passkey, User
from okta_devorg.wire.ion import Json, message
from okta_devorg.wire.pages import origin_of
from okta_devorg.wire.refusals import IdxRefusal

ERROR = "You are currently unable to use a Security key or biometric authenticator. Try again."
# What the library raises for bytes that are no CBOR, no ASN.1 or of no known shape, beside its own exceptions.
UNREADABLE = (
    WebAuthnException, InvalidSignature, ValueError, TypeError, LookupError, AttributeError, ArithmeticError,
    RecursionError, EOFError,
)  # fmt: skip


def rp_id_of(redirect_uri: str) -> str:
    return urlsplit(redirect_uri).hostname or ""


def origins_of(app: App) -> list[str]:
    return [origin_of(uri) for uri in app.redirect_uris]


def new_challenge() -> bytes:
    return secrets.token_bytes(32)


def activation_data(user: User, app_label: str, rp_id: str, challenge: bytes) -> Json:
    """PublicKeyCredentialCreationOptions, for `contextualData.activationData`."""
    known = user.enrollments.get("webauthn")
    options = generate_registration_options(
        rp_id=rp_id,
        rp_name=app_label,
        user_id=user.id.encode(),
        user_name=user.login,
        user_display_name=user.name,
        challenge=challenge,
        attestation=AttestationConveyancePreference.DIRECT,
        authenticator_selection=AuthenticatorSelectionCriteria(user_verification=UserVerificationRequirement.PREFERRED),
        exclude_credentials=descriptors(known.passkey if known else None),
    )
    return options_to_json_dict(options)


def challenge_data(passkey: Passkey, challenge: bytes) -> Json:
    """PublicKeyCredentialRequestOptions, for signing in."""
    known = descriptors(passkey)
    return options_to_json_dict(
        generate_authentication_options(rp_id=passkey.rp_id, challenge=challenge, allow_credentials=known)
    )


def descriptors(passkey: Passkey | None) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey.credential_id))] if passkey else []


def attested(credentials: Json, challenge: bytes, rp_id: str, origins: list[str], status: int) -> Passkey:
    """Checks the attestation and the client data around it. Raises IdxRefusal."""
    try:
        attestation = base64url(credentials["attestation"])
        made = parse_attestation_object(base64url_to_bytes(attestation)).auth_data.attested_credential_data
        credential_id = bytes_to_base64url(made.credential_id) if made else ""
        response = {"clientDataJSON": base64url(credentials["clientData"]), "attestationObject": attestation}
        verified = verify_registration_response(
            credential=credential_json(credential_id, response),
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origins,
        )
    except UNREADABLE as error:
        raise refused(status) from error
    public_key = bytes_to_base64url(verified.credential_public_key)
    return Passkey(credential_id, public_key, verified.sign_count, rp_id)


def asserted(passkey: Passkey, credentials: Json, challenge: bytes, origins: list[str], status: int) -> Passkey:
    """Checks the signature of a sign-in; the passkey with its new counter. Raises IdxRefusal."""
    try:
        response = {
            "clientDataJSON": base64url(credentials["clientData"]),
            "authenticatorData": base64url(credentials["authenticatorData"]),
            "signature": base64url(credentials["signatureData"]),
        }
        verified = verify_authentication_response(
            credential=credential_json(passkey.credential_id, response),
            expected_challenge=challenge,
            expected_rp_id=passkey.rp_id,
            expected_origin=origins,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
        )
    except UNREADABLE as error:
        raise refused(status) from error
    return Passkey(passkey.credential_id, passkey.public_key, verified.new_sign_count, passkey.rp_id)


def credential_json(credential_id: str, response: Json) -> str:
    return json.dumps({"id": credential_id, "rawId": credential_id, "type": "public-key", "response": response})


def base64url(value: object) -> str:
    """Raises TypeError for anything but text."""
    if not isinstance(value, str):
        raise TypeError("not text")
    return value.strip().rstrip("=").replace("+", "-").replace("/", "_")


def refused(status: int) -> IdxRefusal:
    return IdxRefusal(status, [message(ERROR, "authfactor.webauthn.error")])
