"""The data about this site and its org. Values that could not be read are None, and the checks skip them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from selfreg.idx.document import IdxResponse, Remediation
from selfreg.idx.errors import IdxError

# The visitor's IP address in the doctor's own calls, from a block for documentation (RFC 5737).
CLAIMED_ADDRESS = "192.0.2.1"


@dataclass(frozen=True, slots=True)
class Site:
    """What this site needs from the org."""

    issuer: str
    client_id: str
    client_auth: str
    """``none``, ``secret_post``, ``secret_basic`` or ``private_key``."""
    base_url: str
    redirect_uri: str
    sign_out_uri: str
    initiate_login_uri: str
    email_callback_uri: str
    hook_url: str
    """URL of the registration hook; "" if the site has no hook secret."""
    event_hook_url: str
    """URL of the event hook; "" if the site has no hook secret."""
    scopes: str
    email_is_mandatory: bool
    """Whether visitors have to verify their address before they are logged in."""
    authenticators: tuple[str, ...] = ()
    """Keys of the authenticators that visitors must be able to enroll."""
    attributes: tuple[str, ...] = ()
    """Fields that the sign-up form must have."""
    name: str = ""
    """The name of the site on its pages."""
    hides_accounts: bool = False
    """Whether no page may tell who has an account."""
    public_key: Mapping[str, str] | None = None
    """The key (RFC 7517) of an app that authenticates with a private key."""

    @property
    def confidential(self) -> bool:
        """Whether the site authenticates as the app, by a secret or a key."""
        return self.client_auth != "none"

    @property
    def server_id(self) -> str:
        """Id of the custom authorization server; "" for the org's own, which has no policies."""
        return self.issuer.partition("/oauth2/")[2].partition("/")[0]


@dataclass(frozen=True, slots=True)
class Discovery:
    """The members of ``.well-known/openid-configuration`` that matter here."""

    issuer: str
    endpoints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageProbe:
    """A response to a browser: ``location`` of a redirect, else "", and ``text`` of the page."""

    status: int
    location: str
    text: str


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Calls a minute, and how many of them are left."""

    limit: int
    remaining: int


@dataclass(frozen=True, slots=True)
class OrgApp:
    """The app by the Management API. ``email_callback_uri`` is None if the org's API does not show it."""

    id: str
    label: str
    active: bool
    auth_method: str
    """Okta's ``token_endpoint_auth_method``; ``none`` for a public app."""
    grants: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    sign_out_uris: tuple[str, ...]
    initiate_login_uri: str
    email_callback_uri: str | None
    group_ids: tuple[str, ...]

    @property
    def is_public(self) -> bool:
        """Whether the app has neither a secret nor a key."""
        return self.auth_method == "none"


@dataclass(frozen=True, slots=True)
class ProfilePolicy:
    """The user profile policy of the app."""

    id: str
    name: str
    sign_up: bool
    email_verification: bool
    target_group_ids: tuple[str, ...]
    attributes: tuple[str, ...]
    hook_ids: tuple[str, ...]
    identifiers: tuple[str, ...] = ()
    """Attributes that people can sign in with."""


@dataclass(frozen=True, slots=True)
class ProfileField:
    """An attribute of the org's user profile schema."""

    permission: str
    """The users' permission for their own value: READ_WRITE, READ_ONLY or HIDE."""
    from_okta: bool
    """Whether the value is managed in Okta, not in another directory."""
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class EventHook:
    """One of the org's event hooks. ``ready`` is whether it is active and verified."""

    url: str
    ready: bool
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrgSettings:
    """The org's settings by the Management API."""

    app: OrgApp | None
    profile_policy: ProfilePolicy | None
    enrollment: dict[str, str]
    """Key of an authenticator -> REQUIRED, OPTIONAL or NOT_ALLOWED."""
    everyone_id: str
    email_minutes: int | None = None
    inactive: tuple[str, ...] = ()
    """Keys of authenticators that are inactive in the whole org."""
    recovery_only: tuple[str, ...] = ()
    """Keys of authenticators that can only be used to recover an account."""
    unattached: tuple[str, ...] = ()
    """Names of profile policies that allow sign-up and have no app."""
    lacks_telephony: bool = False
    """Whether this site wants phones, the phone authenticator is off, and no hook sends texts and calls."""
    promotes_passkeys: bool = False
    """Whether people who sign in are offered a passkey."""
    hook_urls: dict[str, str] = field(default_factory=dict)
    """Active registration hooks: id -> URL."""
    event_hooks: tuple[EventHook, ...] = ()
    rule_allows: bool | None = None
    """Whether a rule of the authorization server lets this app use Interaction Code; None if there are no rules."""
    profile: dict[str, ProfileField] = field(default_factory=dict)
    """The user profile schema by attribute; empty if the org does not show it."""
    seen_address: str | None = None
    """The IP address that the System Log shows for the doctor's own call."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All data of one examination."""

    site: Site
    discovery: Discovery | IdxError
    key_count: int | IdxError = 0
    """How many signing keys there are."""
    clock_difference: float | None = None
    """Seconds; positive when the org is ahead."""
    interact_error: IdxError | None = None
    """Why no sign-up could be started."""
    token_error: IdxError | None = None
    """The token endpoint's answer to an invalid code."""
    response: IdxResponse | None = None
    """The first page of a sign-up."""
    form: Remediation | None = None
    """The form on it."""
    transaction_seconds: float | None = None
    """How long a new transaction is valid."""
    authorize_page: PageProbe | None = None
    sign_out_page: PageProbe | None = None
    rate_limit: RateLimit | None = None
    has_api_access: bool = False
    """Whether this site has an API token or a service app."""
    org: OrgSettings | IdxError | None = None
    """The settings by the Management API, or why they could not be read; None if the API is not configured."""

    @property
    def org_settings(self) -> OrgSettings | None:
        """The settings by the Management API; None if they could not be read."""
        return self.org if isinstance(self.org, OrgSettings) else None

    @property
    def app(self) -> OrgApp | None:
        """The app, if the Management API shows it."""
        return self.org_settings.app if self.org_settings else None

    @property
    def profile_policy(self) -> ProfilePolicy | None:
        """The user profile policy of the app, if the Management API shows it."""
        return self.org_settings.profile_policy if self.org_settings else None
