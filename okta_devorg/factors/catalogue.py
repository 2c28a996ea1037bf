"""The org's authenticators as IDX shows them (docs/protocol.md, section 3.7). Ids are org-wide and stable, as in a real
org.
"""

from dataclasses import dataclass

from okta_devorg.state.users import Enrollment, User
from okta_devorg.wire.ion import Json, array, fixed

METHOD_LABELS = {"sms": "SMS", "voice": "Voice call"}
CHANNEL_LABELS = {"qrcode": "QR code", "email": "EMAIL", "sms": "SMS"}
POSSESSION = ("okta_email", "phone_number", "google_otp", "webauthn", "okta_verify", "duo", "smart_card_idp")


@dataclass(frozen=True)
class Authenticator:
    key: str
    type: str
    label: str
    id: str
    methods: tuple[str, ...]


# In the order the org offers them.
AUTHENTICATORS = {
    item.key: item
    for item in (
        Authenticator("okta_email", "email", "Email", "autLocalEmail0000001", ("email",)),
        Authenticator("okta_password", "password", "Password", "autLocalPassword0001", ("password",)),
        Authenticator("phone_number", "phone", "Phone", "autLocalPhone0000001", ("sms", "voice")),
        Authenticator(
            "security_question",
            "security_question",
            "Security Question",
            "autLocalQuestion0001",
            ("security_question",),
        ),
        Authenticator("google_otp", "app", "Google Authenticator", "autLocalGoogleOtp001", ("otp",)),
        Authenticator("webauthn", "security_key", "Security Key or Biometric", "autLocalWebauthn0001", ("webauthn",)),
        Authenticator("okta_verify", "app", "Okta Verify", "autLocalOktaVerify01", ("push", "totp", "signed_nonce")),
        Authenticator("duo", "app", "Duo Security", "autLocalDuo000000001", ("duo",)),
        Authenticator("smart_card_idp", "security_key", "Smart Card", "autLocalSmartCard001", ("idp",)),
    )
}


def by_id(authenticator_id: object) -> Authenticator | None:
    return next((item for item in AUTHENTICATORS.values() if item.id == authenticator_id), None)


def to_json(item: Authenticator, methods: tuple[str, ...] = ()) -> Json:
    return {
        "type": item.type,
        "key": item.key,
        "id": item.id,
        "displayName": item.label,
        "methods": [{"type": method} for method in methods or item.methods],
    }


def to_enroll(keys: tuple[str, ...]) -> Json:
    return array(to_json(AUTHENTICATORS[key]) for key in keys)


def enrolled(user: User) -> Json:
    return array(enrollment_json(enrollment) for enrollment in user.enrollments.values())


def enrollment_json(enrollment: Enrollment) -> Json:
    credential = {"credentialId": enrollment.passkey.credential_id} if enrollment.passkey else {}
    return {**to_json(AUTHENTICATORS[enrollment.key], enrollment.methods), "id": enrollment.id, **credential}


def masked(value: str) -> str:
    """An address or a number as it is shown to somebody who has not proven it yet."""
    if "@" in value:
        name, _, domain = value.rpartition("@")
        return f"{name[:1]}***{name[-1:]}@{domain}"
    return f"{value[:2]} XXX-XXX-{value[-4:]}"


def factor_json(enrollment: Enrollment, user: User) -> Json:
    """An enrollment to prove: with what tells people where the code went."""
    shown = {"okta_email": ("email", user.email), "phone_number": ("phoneNumber", enrollment.phone)}
    name, value = shown.get(enrollment.key, ("", None))
    return {**({"profile": {name: masked(value)}} if value else {}), **enrollment_json(enrollment)}


def option_to_prove(enrollment: Enrollment, index: int) -> Json:
    """One choice of `select-authenticator-authenticate`."""
    item = AUTHENTICATORS[enrollment.key]
    return choice(item, verification_fields(enrollment), f"$.authenticatorEnrollments.value[{index}]")


def verification_fields(enrollment: Enrollment, method_required: bool = False) -> list[Json]:
    item = AUTHENTICATORS[enrollment.key]
    if enrollment.key != "phone_number":
        return [fixed("id", item.id, True), fixed("methodType", item.methods[0], False)]
    method = method_choice(item.methods, method_required)
    return [fixed("id", item.id, True), method, fixed("enrollmentId", enrollment.id, True)]


def option_to_unlock(key: str, index: int) -> Json:
    item = AUTHENTICATORS[key]
    method = (
        method_choice(item.methods, False) if key == "phone_number" else fixed("methodType", item.methods[0], False)
    )
    return choice(item, [fixed("id", item.id, True), method], f"$.authenticators.value[{index}]")


def choice(item: Authenticator, fields: list[Json], relates_to: str) -> Json:
    return {"label": item.label, "value": {"form": {"value": fields}}, "relatesTo": relates_to}


def option(key: str, index: int) -> Json:
    """One choice of `select-authenticator-enroll` (docs/protocol.md, section 4.4)."""
    item = AUTHENTICATORS[key]
    fields = [fixed("id", item.id, True)]
    if key == "phone_number":
        fields += [
            method_choice(item.methods, False),
            {"name": "phoneNumber", "label": "Phone number", "required": False},
        ]
    elif key == "okta_verify":
        fields.append(channel_choice(False))
    else:
        fields.append(fixed("methodType", item.methods[0], False))
    return choice(item, fields, f"$.authenticators.value[{index}]")


def method_choice(methods: tuple[str, ...], required: bool) -> Json:
    options = [{"label": METHOD_LABELS[method], "value": method} for method in methods]
    return {"name": "methodType", "type": "string", "required": required, "options": options}


def channel_choice(required: bool) -> Json:
    options = [{"label": label, "value": channel} for channel, label in CHANNEL_LABELS.items()]
    return {"name": "channel", "type": "string", "required": required, "options": options}
