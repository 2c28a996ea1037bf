"""The table of authenticators, and how IDX shows them (docs/protocol.md, section 3.7)."""

from dataclasses import dataclass

from okta_devorg.state.users import Enrollment, User
from okta_devorg.wire.ion import Json, fixed_field, form, ion_array

METHOD_LABELS = {"sms": "SMS", "voice": "Voice call"}
CHANNEL_LABELS = {"qrcode": "QR code", "email": "EMAIL", "sms": "SMS"}
# Authenticators that prove possession, not knowledge.
POSSESSION = (
    "okta_email",
    "phone_number",
    "google_otp",
    "webauthn",
    "okta_verify",
    "duo",
    "smart_card_idp",
    "external_idp",
)


@dataclass(frozen=True)
class Authenticator:
    """An authenticator. Its id is the same in the whole org; `amr` is its name in tokens (RFC 8176)."""

    key: str
    type: str
    label: str
    id: str
    methods: tuple[str, ...]
    amr: str


# By key, in the order in which the org offers them.
AUTHENTICATORS = {
    item.key: item
    for item in (
        Authenticator("okta_email", "email", "Email", "autLocalEmail0000001", ("email",), "otp"),
        Authenticator("okta_password", "password", "Password", "autLocalPassword0001", ("password",), "pwd"),
        Authenticator("phone_number", "phone", "Phone", "autLocalPhone0000001", ("sms", "voice"), "sms"),
        Authenticator(
            "security_question",
            "security_question",
            "Security Question",
            "autLocalQuestion0001",
            ("security_question",),
            "kba",
        ),
        Authenticator("google_otp", "app", "Google Authenticator", "autLocalGoogleOtp001", ("otp",), "otp"),
        Authenticator(
            "webauthn", "security_key", "Security Key or Biometric", "autLocalWebauthn0001", ("webauthn",), "hwk"
        ),
        Authenticator(
            "okta_verify", "app", "Okta Verify", "autLocalOktaVerify01", ("push", "totp", "signed_nonce"), "swk"
        ),
        Authenticator("duo", "app", "Duo Security", "autLocalDuo000000001", ("duo",), "mfa"),
        Authenticator("smart_card_idp", "security_key", "Smart Card", "autLocalSmartCard001", ("idp",), "sc"),
        Authenticator("external_idp", "federated", "IdP Authenticator", "autLocalExternalIdp1", ("idp",), "fed"),
    )
}


def authenticator_by_id(authenticator_id: object) -> Authenticator | None:
    """Return the authenticator with this id, None if there is none."""
    return next((item for item in AUTHENTICATORS.values() if item.id == authenticator_id), None)


def amr_of(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that tokens have for these authenticators, each once."""
    return tuple(dict.fromkeys(AUTHENTICATORS[key].amr for key in keys))


def masked(value: str) -> str:
    """Return an address or number that has not been proven yet with most of it hidden: `a***a@example.com`."""
    if "@" in value:
        name, _, domain = value.rpartition("@")
        return f"{name[:1]}***{name[-1:]}@{domain}"
    return f"{value[:2]} XXX-XXX-{value[-4:]}"


# ---- authenticators and enrollments


def authenticator_json(authenticator: Authenticator, methods: tuple[str, ...] = ()) -> Json:
    """Return the authenticator with all its methods, or with these."""
    return {
        "type": authenticator.type,
        "key": authenticator.key,
        "id": authenticator.id,
        "displayName": authenticator.label,
        "methods": [{"type": method} for method in methods or authenticator.methods],
    }


def authenticators_json(keys: tuple[str, ...]) -> Json:
    """Return the list of these authenticators."""
    return ion_array(authenticator_json(AUTHENTICATORS[key]) for key in keys)


def enrollment_json(enrollment: Enrollment) -> Json:
    """Return an authenticator that a user has set up. Its id is the enrollment's."""
    credential = {"credentialId": enrollment.passkey.credential_id} if enrollment.passkey else {}
    authenticator = authenticator_json(AUTHENTICATORS[enrollment.key], enrollment.methods)
    return {**authenticator, "id": enrollment.id, **credential}


def enrollments_json(user: User) -> Json:
    """Return the list of what a user has set up."""
    return ion_array(enrollment_json(enrollment) for enrollment in user.enrollments.values())


def challenge_json(enrollment: Enrollment, user: User) -> Json:
    """Return an enrollment that the user is to prove, with the masked address or number that a code goes to."""
    addresses = {"okta_email": ("email", user.email), "phone_number": ("phoneNumber", enrollment.phone)}
    name, value = addresses.get(enrollment.key, ("", None))
    return {**({"profile": {name: masked(value)}} if value else {}), **enrollment_json(enrollment)}


# ---- options of the steps that let a user choose an authenticator


def enroll_option(key: str, index: int) -> Json:
    """Return the option of `select-authenticator-enroll` for the authenticator at `index` (section 4.4)."""
    authenticator = AUTHENTICATORS[key]
    fields = [fixed_field("id", authenticator.id, True)]
    if key == "phone_number":
        fields.append(method_choice(authenticator.methods, False))
        fields.append({"name": "phoneNumber", "label": "Phone number", "required": False})
    elif key == "okta_verify":
        fields.append(channel_choice(False))
    else:
        fields.append(fixed_field("methodType", authenticator.methods[0], False))
    return _option(authenticator, fields, f"$.authenticators.value[{index}]")


def authenticate_option(enrollment: Enrollment, index: int) -> Json:
    """Return the option of `select-authenticator-authenticate` for the enrollment at `index`."""
    authenticator = AUTHENTICATORS[enrollment.key]
    return _option(authenticator, challenge_fields(enrollment), f"$.authenticatorEnrollments.value[{index}]")


def unlock_option(key: str, index: int) -> Json:
    """Return the option of `select-authenticator-unlock-account` for the authenticator at `index`."""
    authenticator = AUTHENTICATORS[key]
    is_phone = key == "phone_number"
    methods = authenticator.methods
    method = method_choice(methods, False) if is_phone else fixed_field("methodType", methods[0], False)
    return _option(
        authenticator, [fixed_field("id", authenticator.id, True), method], f"$.authenticators.value[{index}]"
    )


def challenge_fields(enrollment: Enrollment, method_required: bool = False) -> list[Json]:
    """Return the fields that select an enrollment to prove; for a phone also the choice of the method."""
    authenticator = AUTHENTICATORS[enrollment.key]
    id_field = fixed_field("id", authenticator.id, True)
    if enrollment.key != "phone_number":
        return [id_field, fixed_field("methodType", authenticator.methods[0], False)]
    method = method_choice(authenticator.methods, method_required)
    return [id_field, method, fixed_field("enrollmentId", enrollment.id, True)]


def method_choice(methods: tuple[str, ...], required: bool) -> Json:
    """Return the field that chooses between text message and call."""
    options = [{"label": METHOD_LABELS[method], "value": method} for method in methods]
    return {"name": "methodType", "type": "string", "required": required, "options": options}


def channel_choice(required: bool) -> Json:
    """Return the field that chooses how Okta Verify is set up: QR code, mail or text message."""
    options = [{"label": label, "value": channel} for channel, label in CHANNEL_LABELS.items()]
    return {"name": "channel", "type": "string", "required": required, "options": options}


def _option(authenticator: Authenticator, fields: list[Json], relates_to: str) -> Json:
    return {"label": authenticator.label, "value": {"form": form(fields)}, "relatesTo": relates_to}
