"""A table of everything that can be wrong. The ids are stable: documentation, dashboards and scripts refer to them.

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
    _error("issuer-unreachable", _("No connection to the org: a wrong address, DNS, or a firewall."), SITE),
    _error("issuer-tls", _("The org's certificate cannot be verified, or the address speaks no TLS."), SITE),
    _error("issuer-unknown", _("The address answers, but there is no such authorization server."), ISSUER),
    _error("issuer-mismatch", _("The org spells its issuer differently, so every ID token would be refused."), ISSUER),
    _error("issuer-endpoints", _("The discovery document leads outside the org's own address."), ISSUER),
    _error("issuer-keys", _("The keys that ID tokens are signed with cannot be read."), ISSUER),
    _error("issuer-failing", _("The org answers with server errors."), STATUS),
    _error("clock-difference", _("This machine's clock and the org's differ: tokens seem too old or too new."), SITE),
    # client and grants
    _error("client-unknown", _("The org knows no active app with this client ID."), CLIENT, SETUP),
    _error("client-secret-wrong", _("The app's secret or key is not the one that the org has."), CLIENT),
    _error("client-secret-missing", _("The app is confidential, and this site has no secret or key for it."), CLIENT),
    _warning("client-public", _("The app is public: Okta ignores the visitor's address and device."), CLIENT),
    _error("client-auth-method", _("The app proves itself in another way than the org expects."), CLIENT),
    _error("grant-org", _("The Interaction Code grant is off for the whole org or the server."), ORG_GRANT),
    _error("grant-server", _("No rule of the authorization server lets this app use Interaction Code."), SERVER, SETUP),
    _error("grant-app", _("The Interaction Code grant is off for the app."), GRANTS, SETUP),
    _error("grant-sign-in", _("The Authorization Code grant is off for the app: nobody can sign in."), GRANTS, SETUP),
    _error("scopes", _("The authorization server does not grant the scopes that this site asks for."), SCOPES),
    _error("interact-refused", _("The org refuses to start a sign-up, for a reason of its own."), NOWHERE),
    # URIs
    _error("redirect-uri", _("The sign-in redirect URI is not registered as this site uses it."), LOGIN, SETUP),
    _error("sign-out-uri", _("The sign-out redirect URI is not registered as this site uses it."), LOGIN, SETUP),
    _error("initiate-login-uri", _("The Initiate login URI is not this site's sign-in address."), LOGIN, SETUP),
    _error("email-callback-uri", _("The Email Verification Experience URI is not this site's."), LOGIN, SETUP),
    # sign-up and assignment
    _error("signup-denied", _("The policy of this app does not allow self-service registration."), PROFILE, SETUP),
    _error("signup-unavailable", _("The org allows sign-up, but opens no form now."), PROFILE),
    _error("signup-policy", _("The app is attached to no user profile policy."), PROFILE_APPS, SETUP),
    _error("app-not-assigned", _("New people do not get the app: sign-ups end in a refusal."), ASSIGNMENTS, SETUP),
    _error("app-inactive", _("The app is not active."), APP, SETUP),
    # what is asked for
    _error("email-disabled", _("The e-mail authenticator cannot be enrolled."), ENROLLMENT, SETUP),
    _error("phone-disabled", _("The phone authenticator cannot be enrolled."), ENROLLMENT, SETUP),
    _error("password-not-required", _("The password is not required for enrollment."), ENROLLMENT, SETUP),
    _error("authenticator-disabled", _("An authenticator that this site wants cannot be enrolled."), ENROLLMENT, SETUP),
    _error("authenticator-unsupported", _("An authenticator is required that no web page can enroll."), ENROLLMENT),
    _error("email-verification-off", _("The org asks for no proof of the address, mandatory here."), PROFILE, SETUP),
    _warning("email-verification-on", _("The org wants a proof of the address, optional here."), PROFILE, SETUP),
    _warning("email-lifetime", _("Mailed codes and links are valid for more than the advised 10 minutes."), EMAIL),
    _warning("transaction-lifetime", _("A sign-up is given so little time that people will lose it."), NOWHERE),
    _error("field-unsupported", _("The form asks for something that this site cannot show."), PROFILE_FORM),
    _error("field-missing", _("The form does not ask for something that this site wants."), PROFILE_FORM, SETUP),
    _error("field-unknown", _("This site wants a field that the org's user profile does not have."), SCHEMA),
    _error("field-read-only", _("A field of the form is one that people may not write."), SCHEMA),
    _error("field-source", _("A field of the form does not get its value from Okta."), SCHEMA),
    _warning("field-sensitive", _("The form asks for something that Okta does not tell this site's hook."), SCHEMA),
    _error("captcha", _("The form asks for a CAPTCHA that this site cannot show."), CAPTCHA),
    _error("hook-missing", _("The org does not ask this site's registration hook."), HOOKS, SETUP),
    _warning("event-hook-missing", _("The org does not tell this site of proven addresses."), EVENTS, SETUP),
    # network
    _warning("visitor-address", _("The org sees this server's address instead of the visitor's."), NETWORK),
    _error("rate-limited", _("The org refuses calls: its rate limit is spent."), LIMITS),
    _warning("rate-limit-low", _("The org's rate limit is nearly spent."), LIMITS),
    # the token
    _error("token-refused", _("The org does not accept the API token."), TOKENS),
    _error("token-rights", _("The API token may not read what is needed."), TOKENS),
    # this site
    _error("site-routes", _("The URLs of selfreg or of the sign-in are not mounted."), SITE),
    _error("site-hosts", _("This site refuses its own address: its host is not in ALLOWED_HOSTS."), SITE),
    _error("site-cookies", _("Cookies are sent over plain HTTP."), SITE),
    _error("site-proxy", _("The site stands behind a proxy, but cannot tell HTTPS from HTTP."), SITE),
    _error("site-cache", _("The cache is not shared between processes: each has limits of its own."), SITE),
    _error("site-time-zone", _("USE_TZ is off: moments around a change of the clocks are ambiguous."), SITE),
    _warning("site-language", _("Okta has no texts in this site's language."), SITE),
    _error("site-hook", _("SELFREG['PROFILE_HOOK'] cannot be imported."), SITE),
)  # fmt: skip

KINDS_BY_NAME: Mapping[str, FindingKind] = {kind.id.removeprefix("doctor."): kind for kind in FINDING_KINDS}


def finding(name: str, text: str = "", **values: Any) -> Finding:
    """Returns a finding of the kind ``doctor.{name}``.

    :param text: the details in English, marked with ``gettext_noop`` by the caller; see ``Detail``
    :raises KeyError: there is no such kind: a bug in the caller
    """
    return Finding(KINDS_BY_NAME[name], Detail(text, values))
