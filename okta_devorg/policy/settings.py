"""The org's settings as a tree of frozen dataclasses. `policy_json` reads and writes them; nothing else sees raw JSON.

Sources: docs/protocol.md, sections 7 (what a setting changes) and 9 (what is not known of a real org: `statuses`,
`unknowns`). Durations are seconds. A limit of 0 is off.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

Requirement = Literal["required", "optional", "disabled"]
DEMO_CLIENT_ID = "0oaLocalDemoApp0000"


def wire(key: str, default: Any) -> Any:
    """A field whose JSON key is the protocol's camelCase name."""
    return field(default=default, metadata={"json": key})


@dataclass(frozen=True)
class Authenticators:
    okta_email: Requirement = "required"
    okta_password: Requirement = "required"
    phone_number: Requirement = "disabled"
    security_question: Requirement = "disabled"
    google_otp: Requirement = "disabled"
    webauthn: Requirement = "disabled"
    okta_verify: Requirement = "disabled"
    duo: Requirement = "disabled"
    smart_card_idp: Requirement = "disabled"


@dataclass(frozen=True)
class Choice:
    label: str
    value: str


@dataclass(frozen=True)
class Attribute:
    """One field of the profile form, in the admin's order."""

    name: str
    label: str
    type: Literal["string", "boolean", "integer", "number", "array"] = "string"
    required: bool = False
    display: Literal["text", "select", "radio", "checkbox"] | None = None
    format: Literal["country-code", "timezone"] | None = None
    options: tuple[Choice, ...] = ()
    min_length: int | None = wire("minLength", None)
    max_length: int | None = wire("maxLength", None)
    custom_label: bool = wire("customLabel", False)
    desc: str | None = None


@dataclass(frozen=True)
class SchemaAttribute:
    """An attribute of the user profile schema that is not one of Okta's own, or is not as Okta delivers it. What is
    `sensitive` is never sent to hooks.
    """

    name: str
    permission: Literal["READ_WRITE", "READ_ONLY", "HIDE"] = "READ_WRITE"
    source: Literal["PROFILE_MASTER", "OKTA", "OVERRIDE"] = "PROFILE_MASTER"
    sensitive: bool = False


@dataclass(frozen=True)
class App:
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    public_keys: tuple[str, ...] = ()
    label: str = "App"
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    email_callback_uri: str | None = None
    initiate_login_uri: str | None = None
    sign_up_uri: str | None = None
    assigned: bool = True
    groups: tuple[str, ...] = ()
    active: bool = True
    api_scopes: tuple[str, ...] | None = None
    grants: tuple[Literal["authorization_code", "interaction_code", "refresh_token", "client_credentials"], ...] = (
        "authorization_code",
        "interaction_code",
        "refresh_token",
    )

    @property
    def is_public(self) -> bool:
        """Neither secret nor keys (`public_keys`, PEM, for private_key_jwt): who calls cannot be proven."""
        return self.client_secret is None and not self.public_keys


@dataclass(frozen=True)
class InteractionCode:
    """Whether Interaction Code is on for the whole org, and by the rule of the custom authorization server's access
    policy. These go by their names; a server without refuses every app.
    """

    org: bool = True
    server: bool = True
    access_policy: str | None = "Default Policy"
    access_rule: str | None = "Default Policy Rule"


@dataclass(frozen=True)
class Complexity:
    min_length: int = wire("minLength", 8)
    min_lower_case: int = wire("minLowerCase", 1)
    min_upper_case: int = wire("minUpperCase", 1)
    min_number: int = wire("minNumber", 1)
    min_symbol: int = wire("minSymbol", 0)
    exclude_username: bool = wire("excludeUsername", True)
    exclude_attributes: tuple[Literal["firstName", "lastName"], ...] = wire(
        "excludeAttributes", ("firstName", "lastName")
    )
    max_consecutive_repeating_characters: int | None = wire("maxConsecutiveRepeatingCharacters", None)


@dataclass(frozen=True)
class Age:
    """`max_age_days`: after that the password has expired."""

    max_age_days: int = wire("maxAgeDays", 0)
    min_age_minutes: int = wire("minAgeMinutes", 0)
    history_count: int = wire("historyCount", 4)


@dataclass(frozen=True)
class Lockout:
    """After so many wrong passwords in a row nobody gets in until the account is unlocked."""

    max_attempts: int = wire("maxAttempts", 10)
    auto_unlock_minutes: int = wire("autoUnlockMinutes", 0)
    show_lockout_failures: bool = wire("showLockoutFailures", False)


@dataclass(frozen=True)
class Recovery:
    """What people can do about a password by themselves, and what they prove for it."""

    reset: bool = True
    unlock: bool = False
    authenticators: tuple[Literal["okta_email", "phone_number"], ...] = ("okta_email",)
    security_question: bool = False


@dataclass(frozen=True)
class PasswordPolicy:
    complexity: Complexity = Complexity()
    age: Age = Age()
    lockout: Lockout = Lockout()
    recovery: Recovery = Recovery()
    common_passwords: bool = True


@dataclass(frozen=True)
class Lifetimes:
    before_user: int = 7200
    with_user: int = 300
    success: int = 60
    interaction_code: int = 60
    authorization_code: int = 300
    email_code: int = 300
    sms_code: int = 300
    activation_link: int = 604800
    recovery_link: int = 3600
    tokens: int = 3600
    session: int = 7200


@dataclass(frozen=True)
class Statuses:
    """HTTP statuses no recording tells, docs/protocol.md, sections 4.12 and 9."""

    profile_error: int = 400
    existing_user: int = 400
    password_rule: int = 400
    bad_phone: int = 400
    security_answer: int = 400
    passkey: int = 400
    captcha: int = 400
    hook_refused: int = 400
    sign_up_refused: int = 400
    wrong_code: int = 401
    too_many_codes: int = 429
    resend_too_early: int = 429
    registration_unavailable: int = 403
    step_not_open: int = 403
    not_assigned: int = 400
    session_expired: int = 401


@dataclass(frozen=True)
class Unknowns:
    """What the sources leave open, one switch each (docs/protocol.md, section 9)."""

    old_code_valid_after_resend: bool = False
    poll_renews: bool = False
    introspect_renews: bool = False
    interact_requires_secret: bool = True
    staged_user_signs_up_again: Literal["already_exists", "resume"] = "already_exists"
    phone_refusal: Literal["fall_back", "stay"] = "fall_back"
    idps_on_profile_form: bool = True
    unassigned_refused_at: Literal["enrollment", "token"] = "enrollment"
    too_many_codes_has_remediation: bool = True
    expired_activation_token: Literal["oauth_error", "request", "terminal"] = "oauth_error"


@dataclass(frozen=True)
class Limits:
    """`org_per_minute` counts by group of paths. `idx_body`: what an IDX call over a limit is answered with, the error
    of Okta's other APIs, an IDX document of messages only, or the step in hand with the messages on it.
    """

    wrong_codes_per_5_minutes: int = 5
    client_per_minute: int = 0
    state_handle_per_5_seconds: int = 0
    user_per_5_seconds: int = 0
    org_per_minute: int = 0
    concurrent: int = 0
    tokens_per_user_per_second: int = 0
    recipient_per_minute: int = 0
    resend_after_seconds: int = 0
    idx_body: Literal["classic", "messages", "page"] = "classic"


@dataclass(frozen=True)
class UiDisplay:
    label: str
    button_label: str = wire("buttonLabel", "Sign Up")


@dataclass(frozen=True)
class Captcha:
    """On the profile form. The org knows no provider: `accept_token` is the one token it takes for solved."""

    type: Literal["HCAPTCHA", "RECAPTCHA_V2"] = "HCAPTCHA"
    site_key: str = "10000000-ffff-ffff-ffff-000000000001"
    accept_token: str = "10000000-aaaa-bbbb-cccc-000000000001"


@dataclass(frozen=True)
class IdentityProvider:
    """`X509` is a smart card. `interaction_required`: a new person comes back not signed in, to enroll what the policy
    requires.
    """

    id: str
    name: str
    type: Literal["GOOGLE", "FACEBOOK", "APPLE", "MICROSOFT", "LINKEDIN", "OIDC", "SAML2", "X509"] = "OIDC"
    interaction_required: bool = False


@dataclass(frozen=True)
class ProgressiveProfile:
    """Attributes asked of people who lack one of them, at sign-in and at the end of a sign-up. None: nothing asked."""

    step: Literal["enroll-profile", "profile-update"] = "profile-update"
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True)
class Header:
    key: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class RegistrationHook:
    url: str
    headers: tuple[Header, ...] = ()
    progressive_profile: bool = True
    id: str = "calLocalHook00000001"


@dataclass(frozen=True)
class EventHook:
    """`events`: System Log event types. Nothing is sent before `verified`."""

    url: str
    events: tuple[str, ...]
    name: str = "Event hook"
    headers: tuple[Header, ...] = ()
    verified: bool = False
    active: bool = True
    id: str = ""


@dataclass(frozen=True)
class Hooks:
    registration: RegistrationHook | None = None
    events: tuple[EventHook, ...] = ()
    timeout_seconds: int = 3


SignUpRefusal = Literal[
    "at_interact", "unavailable", "generic", "not_completed", "access_denied", "enrollment_not_allowed"
]  # fmt: skip

DEFAULT_PROFILE = (
    Attribute("firstName", "First name", required=True, min_length=1, max_length=50),
    Attribute("lastName", "Last name", required=True, min_length=1, max_length=50),
    Attribute("email", "Email", required=True),
)


@dataclass(frozen=True)
class Policy:
    sign_up: bool = True
    password_on_form: bool = False
    email_verification: bool = True
    magic_link: bool = True
    authenticators: Authenticators = Authenticators()
    profile: tuple[Attribute, ...] = DEFAULT_PROFILE
    profile_schema: tuple[SchemaAttribute, ...] = ()
    apps: tuple[App, ...] = ()
    trusted_origins: tuple[str, ...] = ()
    api_token: str = field(default="local-api-token-not-for-production", repr=False)
    sign_on: Literal["any_1_factor", "password_and_another", "denied"] = "any_1_factor"
    identifier_first: bool = False
    order: Literal["all_required_at_once", "password_first"] = "all_required_at_once"
    auto_select_single_required: bool = True
    password: PasswordPolicy = PasswordPolicy()
    lifetimes: Lifetimes = Lifetimes()
    statuses: Statuses = Statuses()
    unknowns: Unknowns = Unknowns()
    limits: Limits = Limits()
    ui_display: UiDisplay | None = None
    captcha: Captcha | None = None
    idps: tuple[IdentityProvider, ...] = ()
    idps_only: bool = False
    target_group: str | None = None
    sign_up_refusal: SignUpRefusal | None = None
    safe_mode: bool = False
    progressive_profile: ProgressiveProfile = ProgressiveProfile()
    consent: bool = False
    keep_me_signed_in: bool = False
    unknown_step: str | None = None
    email_link_page: Literal["enter_code", "return_to_tab", "continue_here"] = "enter_code"
    hooks: Hooks = Hooks()
    interaction_code: InteractionCode = InteractionCode()
    trusted_proxy: bool = True

    def app(self, client_id: str | None) -> App | None:
        """Also one that is switched off: the Management API shows it."""
        return next((app for app in self.apps if app.client_id == client_id), None)

    @property
    def password_on_profile_form(self) -> bool:
        return self.password_on_form and self.authenticators.okta_password != "disabled"


def default_policy(site: str) -> Policy:
    """The policy a new org starts with; `site` is the origin of the demo site."""
    demo = App(
        client_id=DEMO_CLIENT_ID,
        client_secret="local-demo-secret-not-for-production",
        label="Demo site",
        redirect_uris=(site + "/oidc/callback/",),
        post_logout_redirect_uris=(site + "/",),
        email_callback_uri=site + "/signup/verify/",
        initiate_login_uri=site + "/oidc/authenticate/",
        sign_up_uri=site + "/signup/",
    )
    return Policy(apps=(demo,))
