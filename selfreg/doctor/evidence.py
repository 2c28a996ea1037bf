"""What is known about this site and its org. What could not be learned is None, and no check needs it."""

from dataclasses import dataclass, field

from selfreg.idx.document import IdxResponse, Remediation
from selfreg.idx.errors import IdxError

# What the doctor claims as the visitor's address: of a block that is reserved for documentation (RFC 5737).
CLAIMED_ADDRESS = "192.0.2.1"


@dataclass(frozen=True, slots=True)
class Site:
    """How this site uses the org: what has to be registered there."""

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
    """Where Okta's registration hook would call; "" when the site has no hook secret."""
    event_hook_url: str
    """Where Okta's event hook would call; likewise."""
    scopes: str
    email_is_mandatory: bool
    """Whether an address must be proven before its account works here."""
    authenticators: tuple[str, ...] = ()
    """Keys of those that people must be able to enroll here."""
    attributes: tuple[str, ...] = ()
    """What the sign-up form must at least ask for."""
    name: str = ""
    """What the site is called on its pages."""

    @property
    def confidential(self) -> bool:
        """Whether the site can prove that it is the app."""
        return self.client_auth != "none"

    @property
    def server_id(self) -> str:
        """Of the custom authorization server; "" for the org's own, which has no policies."""
        return self.issuer.partition("/oauth2/")[2].partition("/")[0]


@dataclass(frozen=True, slots=True)
class Discovery:
    """The members of ``.well-known/openid-configuration`` that matter here."""

    issuer: str
    endpoints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageProbe:
    """What a browser would get: the URL that it is redirected to, or the text of a page."""

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
    """The app as an administrator sees it. ``email_callback_uri`` is None where the org's API does not show it."""

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
    """The user profile policy that decides about sign-ups to the app."""

    id: str
    name: str
    sign_up: bool
    email_verification: bool
    target_group_ids: tuple[str, ...]
    attributes: tuple[str, ...]
    hook_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProfileField:
    """An attribute of the org's user profile schema."""

    permission: str
    """What users may do to their own value: READ_WRITE, READ_ONLY or HIDE."""
    from_okta: bool
    """Whether Okta itself is where its value comes from."""
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class EventHook:
    """One of the org's event hooks. ``ready``: active and verified."""

    url: str
    ready: bool
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrgSettings:
    """What the Management API tells."""

    app: OrgApp | None
    profile_policy: ProfilePolicy | None
    enrollment: dict[str, str]
    """Key of an authenticator -> REQUIRED, OPTIONAL or NOT_ALLOWED."""
    everyone_id: str
    email_minutes: int | None = None
    inactive: tuple[str, ...] = ()
    """Keys of authenticators that are switched off for the whole org."""
    hook_urls: dict[str, str] = field(default_factory=dict)
    """Active registration hooks: id -> URL."""
    event_hooks: tuple[EventHook, ...] = ()
    rule_allows: bool | None = None
    """Whether a rule of the authorization server lets this app use Interaction Code; None: it has no rules."""
    profile: dict[str, ProfileField] = field(default_factory=dict)
    """The user profile schema by name; empty when the org does not tell."""
    seen_address: str | None = None
    """The address that the System Log shows for the doctor's own call."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was learned in one examination."""

    site: Site
    discovery: Discovery | IdxError
    key_count: int | IdxError = 0
    """How many signing keys there are."""
    clock_difference: float | None = None
    """Seconds; positive when the org is ahead."""
    interact_error: IdxError | None = None
    """Why no sign-up could be started."""
    token_error: IdxError | None = None
    """What the token endpoint said to a made-up code."""
    response: IdxResponse | None = None
    """The first page of a sign-up."""
    form: Remediation | None = None
    """The form on it."""
    transaction_seconds: float | None = None
    """How long a new sign-up may take to its first answer."""
    authorize_page: PageProbe | None = None
    sign_out_page: PageProbe | None = None
    rate_limit: RateLimit | None = None
    has_api_access: bool = False
    """Whether this site has an API token or a service app."""
    org: OrgSettings | IdxError | None = None
    """What the Management API tells, or why it does not; None without access to it."""

    @property
    def org_settings(self) -> OrgSettings | None:
        """What the Management API tells; None if it does not."""
        return self.org if isinstance(self.org, OrgSettings) else None

    @property
    def app(self) -> OrgApp | None:
        """The app, where the Management API shows it."""
        return self.org_settings.app if self.org_settings else None

    @property
    def profile_policy(self) -> ProfilePolicy | None:
        """The user profile policy of the app, where the Management API shows it."""
        return self.org_settings.profile_policy if self.org_settings else None
