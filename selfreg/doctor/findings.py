"""A table of everything that can be wrong. The ids are stable, because documentation, dashboards and scripts use them.

Paths are places in the Admin Console, by its current labels and by those of older versions and guides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

Severity = Literal["error", "warning"]

SETUP = "manage.py selfreg_setup_org"

# (path, path in older versions)
NOWHERE = ("", "")
SITE = ("this site's settings", "")
APP = ("Applications > Applications > (app) > General", "Applications > (app) > General Settings")
LOGIN = (f"{APP[0]} > LOGIN", f"{APP[1]} > Login")
CLIENT = (f"{APP[0]} > Client Credentials", f"{APP[1]} > Client Credentials")
GRANTS = (f"{APP[0]} > General Settings > Grant type", f"{APP[1]} > Allowed grant types")
ASSIGNMENTS = ("Applications > Applications > (app) > Assignments", "Applications > (app) > Assignments")
PROFILE = (
    "Security > User profile policies > (policy) > User profile policy rule",
    "Security > Profile Enrollment > (policy) > Profile Enrollment rule",
)
PROFILE_APPS = ("Security > User profile policies > (policy) > Apps", "Security > Profile Enrollment > (policy) > Apps")
PROFILE_FORM = (
    "Security > User profile policies > (policy) > Enrollment form",
    "Security > Profile Enrollment > (policy) > Profile enrollment form",
)
ENROLLMENT = ("Security > Authenticators > Enrollment", "Security > Multifactor > Factor Enrollment")
AUTHENTICATORS = ("Security > Authenticators > Setup > (authenticator) > Edit", "Security > Multifactor > Factor Types")
PHONE = ("Security > Authenticators > Setup > Phone; Workflow > Inline Hooks", "Security > Multifactor > Factor Types")
EMAIL = ("Security > Authenticators > Setup > Email > Edit", "Security > Multifactor > Factor Types > Email")
SERVER = (
    "Security > API > Authorization Servers > (server) > Access Policies > (policy) > (rule)",
    "API > Authorization Servers > (server) > Access Policies",
)
SCOPES = (
    "Security > API > Authorization Servers > (server) > Scopes",
    "API > Authorization Servers > (server) > Scopes",
)
ISSUER = ("Security > API > Authorization Servers", "API > Authorization Servers")
ORG_GRANT = (
    "Settings > Account > Embedded widget sign-in support",
    "Settings > Account > Embedded Widget Sign-In Support > Interaction Code",
)
CAPTCHA = ("Security > General > CAPTCHA integration", "Security > General > CAPTCHA Integration")
SCHEMA = ("Directory > Profile Editor > User (default)", "Users > Profile Editor > Okta")
HOOKS = ("Workflow > Inline Hooks", "Workflow > Inline Hooks")
EVENTS = ("Workflow > Event Hooks", "Workflow > Event Hooks")
NETWORK = ("Security > Networks > IP zone > Trusted proxy IPs", "Security > Networks > Zones")
LIMITS = ("Reports > Rate Limits", "Reports > Rate Limit Dashboard")
TOKENS = ("Security > API > Tokens", "API > Tokens")
STATUS = ("status.okta.com", "trust.okta.com")


@dataclass(frozen=True, slots=True)
class FindingKind:
    """Something that can be wrong. ``command`` is the management command that corrects it, "" if there is none.

    ``str(sentence)`` is in the active language.
    """

    id: str
    sentence: str | Promise
    path: str
    older_path: str
    command: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Detail:
    """The details of a finding. ``str()`` returns ``text`` in the active language, with the values filled in; without a
    text, the values.
    """

    text: str = ""
    values: Mapping[str, str | int] = field(default_factory=dict)

    def __str__(self) -> str:
        return gettext(self.text) % self.values if self.text else ", ".join(str(v) for v in self.values.values() if v)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, with its details."""

    kind: FindingKind
    detail: Detail = Detail()

    @property
    def id(self) -> str:
        """The id of its kind: ``doctor.scopes``."""
        return self.kind.id


def _error(name: str, sentence: str | Promise, paths: tuple[str, str], command: str = "") -> FindingKind:
    return FindingKind(f"doctor.{name}", sentence, *paths, command, "error")


def _warning(name: str, sentence: str | Promise, paths: tuple[str, str], command: str = "") -> FindingKind:
    return FindingKind(f"doctor.{name}", sentence, *paths, command, "warning")


FINDING_KINDS = (
    # issuer
    _error("issuer-unreachable", _("This site can't connect to the org: check the address, DNS and firewalls."), SITE),
    _error("issuer-tls", _("The org's certificate can't be verified, or the address doesn't speak TLS."), SITE),
    _error("issuer-unknown", _("The org answers, but has no such authorization server."), ISSUER),
    _error("issuer-mismatch", _("The org spells its issuer differently, so this site would reject every ID token."),
           ISSUER),
    _error("issuer-endpoints", _("The org's discovery document names endpoints outside the org's own address."),
           ISSUER),
    _error("issuer-keys", _("The keys that ID tokens are signed with can't be read."), ISSUER),
    _error("issuer-failing", _("The org answers with server errors."), STATUS),
    _error("clock-difference", _("This machine's clock and the org's differ, so tokens seem too old or too new."),
           SITE),
    # client and grants
    _error("client-unknown", _("The org has no active app with this client ID."), CLIENT, SETUP),
    _error("client-secret-wrong", _("The org doesn't accept the app's secret or key."), CLIENT),
    _error("client-secret-missing", _("The app is confidential, but this site has no secret or key for it."), CLIENT),
    _warning("client-public", _("The app is public, so Okta ignores the visitor's address and device."), CLIENT),
    _error("client-auth-method", _("This site authenticates in a different way than the org expects."), CLIENT),
    _error("grant-org", _("The Interaction Code grant is off for the whole org or for the authorization server."),
           ORG_GRANT),
    _error("grant-server", _("No rule of the authorization server lets this app use Interaction Code."), SERVER, SETUP),
    _error("grant-app", _("The Interaction Code grant is off for the app."), GRANTS, SETUP),
    _error("grant-sign-in", _("The Authorization Code grant is off for the app, so nobody can sign in."),
           GRANTS, SETUP),
    _error("scopes", _("The authorization server doesn't grant the scopes that this site asks for."), SCOPES),
    _error("interact-refused", _("The org refused to start a sign-up."), NOWHERE),
    # URIs
    _error("redirect-uri", _("The sign-in redirect URI isn't registered as this site uses it."), LOGIN, SETUP),
    _error("sign-out-uri", _("The sign-out redirect URI isn't registered as this site uses it."), LOGIN, SETUP),
    _error("initiate-login-uri", _("The Initiate login URI isn't this site's sign-in address."), LOGIN, SETUP),
    _error("email-callback-uri", _("The Email Verification Experience URI isn't this site's."), LOGIN, SETUP),
    # sign-up and assignment
    _error("signup-denied", _("This app's policy doesn't allow self-service registration."), PROFILE, SETUP),
    _error("signup-unattached", _("A policy allows sign-up, but no app is attached to it."), PROFILE_APPS),
    _error("signup-unavailable", _("The org allows sign-up, but doesn't show the form right now."), PROFILE),
    _error("signup-policy", _("The app isn't attached to a user profile policy."), PROFILE_APPS, SETUP),
    _error("app-not-assigned", _("New people aren't assigned to the app, so their sign-ups are refused."),
           ASSIGNMENTS, SETUP),
    _error("app-inactive", _("The app isn't active."), APP, SETUP),
    # what is asked for
    _error("email-disabled", _("People can't set up the email authenticator."), ENROLLMENT, SETUP),
    _error("phone-disabled", _("People can't set up the phone authenticator."), ENROLLMENT, SETUP),
    _error("telephony", _("The phone authenticator is off, and the org lacks the telephony hook needed to turn it on."),
           PHONE),
    _error("password-not-required", _("The org doesn't require a password at sign-up."), ENROLLMENT, SETUP),
    _error("authenticator-disabled", _("People can't set up an authenticator that this site needs."),
           ENROLLMENT, SETUP),
    _error("authenticator-recovery", _("An authenticator that this site needs can only be used for recovery."),
           AUTHENTICATORS),
    _error("authenticator-unsupported", _("The org requires an authenticator that can't be set up on a web page."),
           ENROLLMENT),
    _warning("promotion",
             _("The org offers passkeys, but ones set up here would only work on this site, or not at all."),
             ENROLLMENT),
    _error("email-verification-off", _("The org doesn't verify email addresses, but verifying them is mandatory here."),
           PROFILE, SETUP),
    _warning("email-verification-on",
             _("The org verifies email addresses at sign-up, but verifying them is optional here."), PROFILE, SETUP),
    _warning("email-lifetime", _("Codes and links in emails are valid for longer than 10 minutes."), EMAIL),
    _warning("transaction-lifetime", _("Sign-ups expire so soon that people won't be able to finish them."), NOWHERE),
    _error("field-unsupported", _("The form asks for something that this site can't show."), PROFILE_FORM),
    _error("form-without-email", _("The form doesn't require an email address, but verifying it is mandatory."),
           PROFILE_FORM),
    _error("field-missing", _("The form doesn't ask for something that this site needs."), PROFILE_FORM, SETUP),
    _error("field-unknown", _("This site needs a field that the org's user profile doesn't have."), SCHEMA),
    _error("field-read-only", _("People aren't allowed to edit one of the form's fields."), SCHEMA),
    _error("field-source", _("A field of the form doesn't get its value from Okta."), SCHEMA),
    _warning("field-sensitive", _("The form asks for something that Okta doesn't send to this site's hook."), SCHEMA),
    _error("captcha", _("The form asks for a CAPTCHA that this site can't show."), CAPTCHA),
    _warning("identifiers", _("People can sign in with an identifier that the form doesn't ask for."), PROFILE_FORM),
    _warning("hook-tells", _("A hook can reject sign-ups in its own words, which may reveal who has an account."),
             HOOKS),
    _error("hook-missing", _("The org doesn't call this site's registration hook."), HOOKS, SETUP),
    _warning("event-hook-missing",
             _("The org doesn't tell this site about verified addresses and deactivated accounts."), EVENTS, SETUP),
    # network
    _warning("visitor-address", _("The org sees this server's address instead of the visitor's."), NETWORK),
    _error("rate-limited", _("The org refuses calls: its rate limit is used up."), LIMITS),
    _warning("rate-limit-low", _("The org's rate limit is nearly used up."), LIMITS),
    # the token
    _error("token-refused", _("The org doesn't accept the API token."), TOKENS),
    _error("token-rights", _("The API token isn't allowed to read what's needed."), TOKENS),
    # this site
    _error("site-routes", _("The URLs of selfreg or of the sign-in aren't in the URLconf."), SITE),
    _error("site-hosts", _("This site's own host isn't in ALLOWED_HOSTS, so its pages are refused."), SITE),
    _error("site-cookies", _("Cookies are sent over plain HTTP."), SITE),
    _error("site-proxy", _("This site is behind a proxy and can't tell HTTPS from HTTP."), SITE),
    _warning("site-visitors", _("Visitors whose IP address can't be read share the limits of one visitor."), SITE),
    _warning("site-cache", _("The cache isn't shared between processes, so each one fetches the form and keys itself."),
             SITE),
    _warning("site-cache-table", _("The cache table doesn't exist."), SITE, "manage.py createcachetable"),
    _warning("site-cache-away", _("The cache doesn't return what was stored in it."), SITE),
    _error("site-time-zone", _("USE_TZ is off, so times around a daylight saving change are ambiguous."), SITE),
    _warning("site-language", _("Okta's own messages aren't available in this site's language."), SITE),
    _error("site-hook", _("SELFREG['PROFILE_HOOK'] can't be imported."), SITE),
)  # fmt: skip

KINDS_BY_NAME: Mapping[str, FindingKind] = {kind.id.removeprefix("doctor."): kind for kind in FINDING_KINDS}


def finding(name: str, text: str = "", **values: Any) -> Finding:
    """Return a finding of the kind ``doctor.{name}``.

    :param text: the details in English, marked with ``gettext_noop`` by the caller; see ``Detail``
    :raises KeyError: there is no such kind: a bug in the caller
    """
    return Finding(KINDS_BY_NAME[name], Detail(text, values))
