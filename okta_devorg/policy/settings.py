"""The org's settings: a tree of frozen dataclasses below `Policy`.

`docs/okta_devorg.md` describes every setting, docs/protocol.md, section 7, what it changes in the answers. Only
`okta_devorg.policy.serialization` reads and writes the JSON form. Durations are in seconds.
"""

from dataclasses import dataclass, field
from typing import Literal

from okta_devorg.policy.behaviour import Lifetimes, Limits, Statuses, Unknowns
from okta_devorg.policy.json_names import json_field
from okta_devorg.policy.password_settings import PasswordPolicy

Requirement = Literal["required", "optional", "disabled"]
SignUpRefusal = Literal[
    "at_interact", "unavailable", "generic", "not_completed", "access_denied", "enrollment_not_allowed"
]  # fmt: skip
DeviceProbe = Literal["loopback", "custom_uri", "app_link", "universal_link"]
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
GrantType = Literal[
    "authorization_code", "interaction_code", "refresh_token", "client_credentials",
    "urn:ietf:params:oauth:grant-type:device_code",
]  # fmt: skip
AttributeType = Literal["string", "boolean", "integer", "number", "array"]
DEMO_CLIENT_ID = "0oaLocalDemoApp0000"


@dataclass(frozen=True)
class Authenticators:
    """For each authenticator, whether new users must, may or cannot set it up."""

    okta_email: Requirement = "required"
    okta_password: Requirement = "required"
    phone_number: Requirement = "disabled"
    security_question: Requirement = "disabled"
    google_otp: Requirement = "disabled"
    webauthn: Requirement = "disabled"
    okta_verify: Requirement = "disabled"
    duo: Requirement = "disabled"
    smart_card_idp: Requirement = "disabled"
    external_idp: Requirement = "disabled"


@dataclass(frozen=True)
class GracePeriod:
    """Required authenticators that may be put off: for `days` after the sign-up, or so many `skips`; 0 is no limit of
    that kind. Without authenticators there is none.
    """

    authenticators: tuple[str, ...] = ()
    days: int = 7
    skips: int = 0


@dataclass(frozen=True)
class Choice:
    """One of the values that an attribute may have."""

    label: str
    value: str


@dataclass(frozen=True)
class Attribute:
    """One field of the profile form (docs/protocol.md, section 4.2). The form has them in the order of the settings."""

    name: str
    label: str
    type: AttributeType = "string"
    required: bool = False
    display: Literal["text", "select", "radio", "checkbox"] | None = None
    format: Literal["country-code", "timezone"] | None = None
    options: tuple[Choice, ...] = ()
    min_length: int | None = json_field("minLength", None)
    max_length: int | None = json_field("maxLength", None)
    custom_label: bool = json_field("customLabel", False)
    desc: str | None = None


@dataclass(frozen=True)
class SchemaAttribute:
    """An attribute of the user profile schema that Okta does not deliver, or not with these properties.

    `options` are the only values it may have, if there are any. The values of `sensitive` attributes are never sent to
    hooks.
    """

    name: str
    title: str | None = None
    type: AttributeType = "string"
    description: str | None = None
    required: bool = False
    min_length: int | None = json_field("minLength", None)
    max_length: int | None = json_field("maxLength", None)
    options: tuple[Choice, ...] = ()
    permission: Literal["READ_WRITE", "READ_ONLY", "HIDE"] = "READ_WRITE"
    source: Literal["PROFILE_MASTER", "OKTA", "OVERRIDE"] = "PROFILE_MASTER"
    sensitive: bool = False


@dataclass(frozen=True)
class CodeFormat:
    """What mailed codes look like; `alphanumeric` ones have letters too."""

    length: int = 6
    alphanumeric: bool = False


@dataclass(frozen=True)
class App:
    """An OIDC app. `assigned`: to everyone; else only members of its `groups` may use it.

    `public_keys` (PEM) are for private_key_jwt. `api_scopes` are the scopes of the Management API that a service app
    is granted, None for all. `dpop_bound_access_tokens`: the app gets no token without proving a key (DPoP).
    """

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
    dpop_bound_access_tokens: bool = False
    grants: tuple[GrantType, ...] = (
        "authorization_code",
        "interaction_code",
        "refresh_token",
    )

    @property
    def is_public(self) -> bool:
        """Whether the app has neither a secret nor keys, so that it cannot prove that a request is its own."""
        return self.client_secret is None and not self.public_keys


@dataclass(frozen=True)
class InteractionCode:
    """Whether the Interaction Code grant is on: for the whole `org`, and by the rule of the custom `server`.

    `access_policy` and `access_rule` are the names of that server's policy and rule, None if there is none: then the
    server refuses every app.
    """

    org: bool = True
    server: bool = True
    access_policy: str | None = "Default Policy"
    access_rule: str | None = "Default Policy Rule"


@dataclass(frozen=True)
class UiDisplay:
    """Title and button of the profile form."""

    label: str
    button_label: str = json_field("buttonLabel", "Sign Up")


@dataclass(frozen=True)
class Captcha:
    """The captcha of the profile form. No provider is asked: `accept_token` is the one token that counts as solved.

    `ALTCHA` needs neither: the visitor's browser solves a task of the org.
    """

    type: Literal["HCAPTCHA", "RECAPTCHA_V2", "ALTCHA"] = "HCAPTCHA"
    site_key: str = "10000000-ffff-ffff-ffff-000000000001"
    accept_token: str = "10000000-aaaa-bbbb-cccc-000000000001"


@dataclass(frozen=True)
class IdentityProvider:
    """Another provider to sign in at (docs/protocol.md, section 4.8). The type `X509` is a smart card.

    With `interaction_required`, new users come back to the app without a code and first set up what the policy
    requires.
    """

    id: str
    name: str
    type: Literal["GOOGLE", "FACEBOOK", "APPLE", "MICROSOFT", "LINKEDIN", "OIDC", "SAML2", "X509"] = "OIDC"
    interaction_required: bool = False


@dataclass(frozen=True)
class ProgressiveProfile:
    """Attributes to ask for, at sign-in and at the end of a sign-up, of users who lack one of them.

    `step` is the name of the remediation that asks (docs/protocol.md, section 4.11). Without attributes it never comes.
    """

    step: Literal["enroll-profile", "profile-update"] = "profile-update"
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True)
class Header:
    """An HTTP header to send to a hook.

    The Management API shows the value of none that is `secret`, as that of its authentication scheme is.
    """

    key: str
    value: str = field(repr=False)
    secret: bool = False


@dataclass(frozen=True)
class RegistrationHook:
    """The registration inline hook. `progressive_profile`: also call it for progressive profiling."""

    url: str
    headers: tuple[Header, ...] = ()
    progressive_profile: bool = True
    id: str = "calLocalHook00000001"


@dataclass(frozen=True)
class EventHook:
    """An event hook for System Log events of the types in `events`. Nothing is sent before it is `verified`."""

    url: str
    events: tuple[str, ...]
    name: str = "Event hook"
    headers: tuple[Header, ...] = ()
    verified: bool = False
    active: bool = True
    id: str = ""


@dataclass(frozen=True)
class Hooks:
    """The hooks of the org and how long it waits for their answers."""

    registration: RegistrationHook | None = None
    events: tuple[EventHook, ...] = ()
    timeout_seconds: int = 3


DEFAULT_PROFILE = (
    Attribute("firstName", "First name", required=True, min_length=1, max_length=50),
    Attribute("lastName", "Last name", required=True, min_length=1, max_length=50),
    Attribute("email", "Email", required=True),
)


@dataclass(frozen=True)
class Policy:
    """All settings of an org."""

    sign_up: bool = True
    password_on_form: bool = False
    email_verification: bool = True
    magic_link: bool = True
    authenticators: Authenticators = Authenticators()
    profile: tuple[Attribute, ...] = DEFAULT_PROFILE
    allowed_identifiers: tuple[str, ...] = ("login",)
    username_format: Literal["email", "none"] = "email"
    profile_schema: tuple[SchemaAttribute, ...] = ()
    apps: tuple[App, ...] = ()
    trusted_origins: tuple[str, ...] = ()
    api_token: str = field(default="local-api-token-not-for-production", repr=False)
    sign_on: Literal["any_1_factor", "password_and_another", "denied"] = "any_1_factor"
    identifier_first: bool = False
    order: Literal["all_required_at_once", "password_first"] = "all_required_at_once"
    auto_select_single_required: bool = True
    password: PasswordPolicy = field(default_factory=PasswordPolicy)
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    statuses: Statuses = field(default_factory=Statuses)
    unknowns: Unknowns = field(default_factory=Unknowns)
    limits: Limits = field(default_factory=Limits)
    ui_display: UiDisplay | None = None
    captcha: Captcha | None = None
    idps: tuple[IdentityProvider, ...] = ()
    idps_only: bool = False
    target_group: str | None = None
    sign_up_refusal: SignUpRefusal | None = None
    safe_mode: bool = False
    progressive_profile: ProgressiveProfile = ProgressiveProfile()
    consent: bool = False
    granular_consent: bool = False
    identity_verification: str | None = None
    passkey_promotion: bool = False
    grace_period: GracePeriod = GracePeriod()
    account_management: Literal["none", "password_first"] = "none"
    email_code: CodeFormat = CodeFormat()
    device_probe: DeviceProbe | None = None
    keep_me_signed_in: bool = False
    unknown_step: str | None = None
    email_link_page: Literal["enter_code", "return_to_tab", "continue_here"] = "enter_code"
    hooks: Hooks = Hooks()
    interaction_code: InteractionCode = InteractionCode()
    trusted_proxy: bool = True
    telephony: bool = True
    recovery_only: tuple[Literal["okta_email", "phone_number", "security_question"], ...] = ()

    def app(self, client_id: str | None) -> App | None:
        """Return the app with this id, switched off or not, None if there is none."""
        return next((app for app in self.apps if app.client_id == client_id), None)

    @property
    def main_app(self) -> App:
        """The app that mails belong to when no app caused them: the first, or a nameless one if there is none."""
        return next(iter(self.apps), App(""))

    def offers(self, key: str) -> bool:
        """Return whether people may set up the authenticator: a phone only if texts and calls can be sent."""
        is_reachable = self.telephony or key != "phone_number"
        return is_reachable and getattr(self.authenticators, key) != "disabled"

    @property
    def password_on_profile_form(self) -> bool:
        """Whether the profile form asks for the password: only if there are passwords at all."""
        return self.password_on_form and self.authenticators.okta_password != "disabled"


def default_policy(site: str) -> Policy:
    """Return the settings that a new org starts with. `site` is the origin of the demo site."""
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
