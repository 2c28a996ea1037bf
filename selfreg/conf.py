"""The app's settings: the dict ``SELFREG`` of the Django settings as typed values, one for each org.

``orgs()`` is cheap to call and follows ``override_settings``. It never fails: unknown keys and unusable values are
reported by the system checks (``selfreg.checks``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.functional import Promise

from selfreg.secret import NOTHING, Secret

MANDATORY, OPTIONAL = "mandatory", "optional"
DEFAULT = "default"
"""The name of the org in ``SELFREG`` itself. The others are in ``SELFREG["ORGS"]``."""


class UnknownOrg(LookupError):
    """No org has this name."""


@dataclass(frozen=True, slots=True)
class Conf:
    """All settings with their defaults. The keys of ``SELFREG`` are these names in capitals."""

    org: str = DEFAULT
    issuer: str = ""
    """The org (``https://x.okta.com``) or a custom authorization server (``https://x.okta.com/oauth2/default``)."""
    client_id: str = ""
    """The app's client ID at the org."""
    client_secret: Secret[str] = NOTHING
    """Empty for a public client, for which Okta ignores the visitor's IP address and device token."""
    base_url: str = ""
    """This site's origin (``https://www.example.com``). Redirect URIs are built from it, not from the Host header."""
    scopes: str = "openid profile email"
    """The scopes that the site asks for, separated by spaces."""
    encryption_keys: tuple[Secret[str], ...] = ()
    """Each key is 32 random bytes as URL-safe base64. The first one encrypts, all of them decrypt."""
    email_verification: str = MANDATORY
    """``"mandatory"``: people have to verify their address before they are logged in. ``"optional"``: they can verify
    it later, unless the org requires it."""
    after: str = ""
    """Where to redirect after a sign-up without ``next``. Empty: to ``LOGIN_REDIRECT_URL``."""
    site_name: str = ""
    """Shown in the header of the pages. Empty: the host of ``base_url``."""
    support: str = ""
    """Where people get help: an email address, a URL, or a path of this site. Every page links to it as "Contact us".
    Empty: no link."""
    terms_url: str = ""
    """The URL or path of your terms of use, linked at the foot of every page. Empty: no link."""
    privacy_url: str = ""
    """The URL or path of your privacy policy, linked at the foot of every page. Empty: no link."""
    reset_password_url: str = ""
    """The org's page for a forgotten password: ``https://x.okta.com/signin/forgot-password``. Visitors who already have
    an account get a link to it. Empty: no link."""
    trusted_proxies: int = 0
    """The number of your proxies in front of this site. That many entries of ``proxy_header`` are trusted, from the
    right."""
    proxy_header: str = "X-Forwarded-For"
    """The header to which your proxies add the address of the caller: ``X-Forwarded-For`` or ``Forwarded`` (RFC 7239).
    For a header with a single address, such as ``X-Real-IP``, set ``trusted_proxies`` to 1."""
    country_header: str = ""
    """The header in which your proxy sends the visitor's country (``CF-IPCountry``, ``CloudFront-Viewer-Country``). The
    proxy must overwrite what the visitor sent. Only the admin's list shows it. Empty: no countries.
    """
    form_cache_seconds: int = 60
    """How long the org's sign-up form is cached."""
    resend_seconds: int = 30
    """How long visitors have to wait before they can ask for another email or text."""
    activation_link_days: int = 7
    """Copy this from Okta: Security > General > "Activation emails are valid for". No API returns it."""
    abandoned_after_seconds: int = 24 * 3600
    """An open registration without any change expires after this time."""
    erase_abandoned_after_seconds: int = 24 * 3600
    """``selfreg_purge`` erases a registration that wasn't completed after this time."""
    reduce_finished_after_seconds: int = 30 * 24 * 3600
    """``selfreg_purge`` removes the personal data of a completed registration after this time."""
    most_open: int = 250_000
    """The maximum number of open registrations. More visitors are asked to try again later."""
    enumeration: str = "okta"
    """``"okta"``: visitors hear that an address already has an account. ``"neutral"``: the pages look the same for new
    and existing addresses, and everybody has to verify the address first."""
    recaptcha_host: str = "www.google.com"
    """The host that reCAPTCHA is loaded from. ``www.recaptcha.net`` also works where Google is blocked."""
    hcaptcha_host: str = "js.hcaptcha.com"
    """The host that hCaptcha is loaded from."""
    phone_countries: tuple[str, ...] = ()
    """ISO codes of the countries that texts and calls can go to (``("DE", "US")``). Empty: all that the org allows."""
    phone_after_email: bool = False
    """Whether only visitors with a verified address can get texts and calls."""
    proxy: Secret[str] = NOTHING
    """The HTTP proxy for all calls to the org: ``http://proxy.example.com:3128``, with ``user:password@`` if it needs
    them. Empty: none. ``HTTPS_PROXY`` has no effect."""
    ca_bundle: str = ""
    """A PEM file with the certificate authorities to trust, if a proxy opens TLS or the org has your own certificate.
    Empty: the public ones of ``certifi``. ``REQUESTS_CA_BUNDLE`` has no effect."""
    calls_at_once: int = 16
    """The maximum number of concurrent calls to the org in one process. Keep it below the number of threads, so that
    other pages are still served while the org hangs."""
    minimum_fill_seconds: float = 2.0
    """A sign-up form that is submitted faster is treated as filled in by a script."""
    link_existing: bool = False
    """Whether visitors can connect their Okta account with an existing user by entering that user's password. Staff is
    excluded."""
    session_seconds: int = 24 * 3600
    """How long a login through Okta lasts at most. 0: Django's ``SESSION_COOKIE_AGE``, which is two weeks by default.
    With Okta's event hook, sessions of accounts that are deactivated at Okta end at once."""
    session_idle_seconds: int = 3 * 3600
    """A login through Okta ends after this time without a request, if ``selfreg.middleware.IdleSessionMiddleware`` is
    in ``MIDDLEWARE``. 0: never."""
    approval: bool = False
    """Whether an administrator has to approve new users before they can log in."""
    profile_hook: str = ""
    """Dotted path of a function that can reject or change a profile, see docs/signals-and-hooks.md."""
    user_factory: str = ""
    """Dotted path of a function that creates Django users, see docs/user-models.md. Empty: this app creates them."""
    hook_secret: Secret[str] = NOTHING
    """The Authorization header that Okta's hooks send. Empty: the URLs for hooks answer 404."""
    metrics_token: Secret[str] = NOTHING
    """The bearer token with which Prometheus reads ``/signup/metrics``. Empty: that URL answers 404."""
    client_auth: str = "secret_post"
    """How the app authenticates at the org: ``"secret_post"``, ``"secret_basic"`` or ``"private_key"``."""
    private_key: Secret[str] = NOTHING
    """The app's private key as PEM, if ``client_auth`` is ``"private_key"``."""
    private_key_id: str = ""
    """The ID of that key in the org (*KID*)."""
    api_token: Secret[str] = NOTHING
    """A token for Okta's Management API. The doctor, the set-up, repairs in the admin and "Resend email" need it.
    Sign-ups don't.
    """
    api_client_id: str = ""
    """Instead of ``api_token``: the client ID of an OAuth service app that authenticates with ``api_private_key``.
    docs/org-setup.md lists the scopes that it needs.
    """
    api_private_key: Secret[str] = NOTHING
    """The service app's private key as PEM."""
    api_key_id: str = ""
    """The ID of that key in the org, if the app has several."""
    repeat_password: bool = False
    """Whether people have to type a new password twice. The field has a button to show the password either way."""
    authenticators: tuple[str, ...] = ("okta_email", "okta_password")
    """The authenticators that people must be able to set up. ``selfreg_doctor`` checks the org for them, and
    ``selfreg_setup_org`` turns them on."""
    attributes: tuple[str, ...] = ("email",)
    """The fields that the sign-up form must have, by Okta's names. The org can have more."""
    orgs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False, hash=False)
    """More orgs, or apps of the same org, by name, each with the settings that differ: ``{"partners": {"ISSUER":
    ...}}``. See docs/several-orgs.md."""
    org_resolver: str = ""
    """Dotted path of a function that returns the name of a request's org, for URLs without an org. See
    docs/several-orgs.md."""

    @property
    def name(self) -> str:
        """The name of the site on the pages."""
        return self.site_name or urlsplit(self.base_url).hostname or ""

    def email_is_mandatory(self, workflow: str = "") -> bool:
        """Return whether the address has to be verified before the login that ends a registration.

        :param workflow: ``EMAIL_VERIFICATION`` when the registration started, "" for one that starts now; the stricter
            of the two settings applies
        """
        return MANDATORY in (self.email_verification, workflow)


UNSET = Conf()
SETTING_NAMES = {f.name.upper() for f in fields(Conf)} - {"ORG"}
# Values that are never shown.
SECRETS = ("proxy", "client_secret", "hook_secret", "metrics_token", "private_key", "api_token", "api_private_key")
LISTS = ("encryption_keys", "phone_countries", "authenticators", "attributes")
URLS = ("issuer", "base_url", "proxy")
# The type of a setting's default -> the types that its values may have.
TYPES = {bool: (bool,), int: (int,), float: (int, float), str: (str, Promise), Secret: (str, Secret)}
SITE_WIDE = frozenset(
    {"ORGS", "ORG_RESOLVER", "METRICS_TOKEN", "TRUSTED_PROXIES", "PROXY_HEADER", "COUNTRY_HEADER", "REPEAT_PASSWORD"}
)
"""Settings that are the same for all orgs."""
OF_THE_APP = frozenset({"CLIENT_SECRET", "PRIVATE_KEY", "PRIVATE_KEY_ID"})
"""An org with its own ``CLIENT_ID`` does not inherit these, so that no org gets another app's secret."""
OF_THE_ORG = OF_THE_APP | {"CLIENT_ID", "API_TOKEN", "API_CLIENT_ID", "API_PRIVATE_KEY", "API_KEY_ID", "HOOK_SECRET"}
"""An org whose ``ISSUER`` has another origin does not inherit these."""


@lru_cache(maxsize=1)
def orgs() -> Mapping[str, Conf]:
    """Return the settings of every org by name, the one of ``SELFREG`` itself (``DEFAULT``) first."""
    further = written().get("ORGS", {})
    names = [name for name in further if isinstance(further[name], Mapping)] if isinstance(further, Mapping) else []
    return {name: _parsed(name) for name in (DEFAULT, *(n for n in names if n != DEFAULT))}


def conf(org: str = DEFAULT) -> Conf:
    """Return the current settings of an org.

    :raises UnknownOrg: there is no org of this name
    """
    try:
        return orgs()[org]
    except KeyError:
        raise UnknownOrg(org) from None


def settings_for(org: str) -> Conf:
    """Return the settings of an org, or of the default org if there is no such org any more."""
    return orgs().get(org) or conf()


def has_several_orgs() -> bool:
    """Return whether there are further orgs."""
    return len(orgs()) > 1


def written(org: str = DEFAULT) -> Mapping[str, Any]:
    """Return the settings of an org as the site wrote them, with what it inherits from ``SELFREG``."""
    site: Mapping[str, Any] = getattr(settings, "SELFREG", {})
    if org == DEFAULT:
        return site
    own = site["ORGS"][org]
    left_out = frozenset({"ORGS", "ORG_RESOLVER"})
    if "CLIENT_ID" in own:
        left_out |= OF_THE_APP
    if "ISSUER" in own and origin(own["ISSUER"]) != origin(site.get("ISSUER")):
        left_out |= OF_THE_ORG
    return {**{name: value for name, value in site.items() if name not in left_out}, **own}


def origin(url: object) -> tuple[str, str]:
    """Return scheme and host of a URL; "" and "" of a text that is none."""
    parts = urlsplit(str(url) if _is_url(str(url)) else "")
    return parts.scheme, parts.netloc


def is_usable(name: str, value: object) -> bool:
    """Return whether a setting may have this value, by its type. None is like no value."""
    types = TYPES.get(type(getattr(UNSET, name)), (object,))
    fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
    return value is None or (fits and (name not in URLS or _is_url(str(Secret(value).reveal()))))


def _is_url(text: str) -> bool:
    try:
        return bool(urlsplit(text))
    except ValueError:  # such as https://[your-org].okta.com
        return False


def _parsed(org: str) -> Conf:
    given = {k.lower(): v for k, v in written(org).items() if k in SETTING_NAMES and v is not None}
    values: dict[str, Any] = {name: value for name, value in given.items() if is_usable(name, value)}
    values |= {name: bool(value) for name, value in given.items() if getattr(UNSET, name) is False}
    for url in ("issuer", "base_url"):
        if url in values:
            values[url] = str(values[url]).rstrip("/")
    for name in LISTS:
        if name in values:
            values[name] = _tuple_of(values[name])
    if "encryption_keys" in values:
        values["encryption_keys"] = tuple(map(Secret, values["encryption_keys"]))
    values |= {name: Secret(values[name]) for name in SECRETS if name in values}
    return Conf(**values, org=org)


def _tuple_of(value: object) -> tuple[Any, ...]:
    """Return a list as a tuple. Anything else is reported by the system checks, but becomes a tuple, too."""
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(value)
    return (str(value),)


@receiver(setting_changed)
def _clear_cache(*, setting: str, **_: object) -> None:
    if setting == "SELFREG":
        orgs.cache_clear()
