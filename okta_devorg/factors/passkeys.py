"""The webauthn authenticator: what the browser is asked, and the check of its answer (Web Authentication, section 7).

Binary values are base64url on the wire, as okta-auth-js and the Sign-In Widget send them; plain base64 is accepted too.
"""

import json
import secrets

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
from okta_devorg.wire.errors import IdxError
from okta_devorg.wire.guards import host_of
from okta_devorg.wire.ion import Json, message
from okta_devorg.wire.urls import origin_of

ERROR_TEXT = "You are currently unable to use a Security key or biometric authenticator. Try again."
# Besides its own exceptions, the library raises these for bytes that are not CBOR or ASN.1, or have another shape.
UNREADABLE = (
    WebAuthnException, InvalidSignature, ValueError, TypeError, LookupError, AttributeError, ArithmeticError,
    RecursionError, EOFError,
)  # fmt: skip


def rp_id_of(redirect_uri: str) -> str:
    """Return the relying party of an app: the host of the address that its users come back to.

    The address of an app on a phone, such as `com.example:/callback`, has none.
    """
    return host_of(redirect_uri) or "localhost"


def origins_of(app: App) -> list[str]:
    """Return the origins of the pages on which users of the app may use a passkey."""
    return [origin_of(uri) for uri in app.redirect_uris]


def new_challenge() -> bytes:
    """Return a random challenge."""
    return secrets.token_bytes(32)


def activation_data(user: User, app_label: str, rp_id: str, challenge: bytes) -> Json:
    """Return PublicKeyCredentialCreationOptions for a new passkey, for `contextualData.activationData`."""
    enrollment = user.enrollments.get("webauthn")
    options = generate_registration_options(
        rp_id=rp_id,
        rp_name=app_label,
        user_id=user.id.encode(),
        user_name=user.login,
        user_display_name=user.name,
        challenge=challenge,
        attestation=AttestationConveyancePreference.DIRECT,
        authenticator_selection=AuthenticatorSelectionCriteria(user_verification=UserVerificationRequirement.PREFERRED),
        exclude_credentials=_descriptors(enrollment.passkey if enrollment else None),
    )
    return options_to_json_dict(options)


def challenge_data(passkey: Passkey, challenge: bytes) -> Json:
    """Return PublicKeyCredentialRequestOptions for using a passkey, for `contextualData.challengeData`."""
    return options_to_json_dict(
        generate_authentication_options(
            rp_id=passkey.rp_id, challenge=challenge, allow_credentials=_descriptors(passkey)
        )
    )


def _descriptors(passkey: Passkey | None) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey.credential_id))] if passkey else []


def verify_new_passkey(credentials: Json, challenge: bytes, rp_id: str, origins: list[str], status: int) -> Passkey:
    """Check the browser's answer to `activation_data` and return the new passkey.

    :raises IdxError: with this status, if the answer is wrong.
    """
    try:
        attestation = _base64url(credentials["attestation"])
        attested = parse_attestation_object(base64url_to_bytes(attestation)).auth_data.attested_credential_data
        credential_id = bytes_to_base64url(attested.credential_id) if attested else ""
        response = {"clientDataJSON": _base64url(credentials["clientData"]), "attestationObject": attestation}
        verified = verify_registration_response(
            credential=_credential_json(credential_id, response),
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origins,
        )
    except UNREADABLE as error:
        raise _webauthn_error(status) from error
    public_key = bytes_to_base64url(verified.credential_public_key)
    return Passkey(credential_id, public_key, verified.sign_count, rp_id)


def verify_passkey_use(
    passkey: Passkey, credentials: Json, challenge: bytes, origins: list[str], status: int
) -> Passkey:
    """Check the browser's answer to `challenge_data` and return the passkey with its new counter.

    :raises IdxError: with this status, if the answer is wrong.
    """
    try:
        response = {
            "clientDataJSON": _base64url(credentials["clientData"]),
            "authenticatorData": _base64url(credentials["authenticatorData"]),
            "signature": _base64url(credentials["signatureData"]),
        }
        verified = verify_authentication_response(
            credential=_credential_json(passkey.credential_id, response),
            expected_challenge=challenge,
            expected_rp_id=passkey.rp_id,
            expected_origin=origins,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
        )
    except UNREADABLE as error:
        raise _webauthn_error(status) from error
    return Passkey(passkey.credential_id, passkey.public_key, verified.new_sign_count, passkey.rp_id)


def _credential_json(credential_id: str, response: Json) -> str:
    return json.dumps({"id": credential_id, "rawId": credential_id, "type": "public-key", "response": response})


def _base64url(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value.strip().rstrip("=").replace("+", "-").replace("/", "_")


def _webauthn_error(status: int) -> IdxError:
    return IdxError(status, [message(ERROR_TEXT, "authfactor.webauthn.error")])
