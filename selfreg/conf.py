"""The app's settings: the dict ``SELFREG`` of the Django settings as a typed value.

``conf()`` is cheap to call and follows ``override_settings``. It never fails: unknown keys and unusable values are
reported by the system checks (``selfreg.checks``).
"""

from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

MANDATORY, OPTIONAL = "mandatory", "optional"


@dataclass(frozen=True, slots=True)
class Conf:
    """Every setting with its default. The keys of ``SELFREG`` are these names in capitals."""

    issuer: str = ""
    """The org (``https://x.okta.com``) or a custom authorization server (``https://x.okta.com/oauth2/default``)."""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    """Empty for a public client, for which Okta ignores the visitor's IP address and device token."""
    base_url: str = ""
    """This site's origin (``https://www.example.com``). Redirect URIs are built from it, not from the Host header."""
    scopes: str = "openid profile email"
    encryption_keys: tuple[str, ...] = field(default=(), repr=False)
    """Each is the url-safe base64 of 32 bytes. The first encrypts; all of them decrypt."""
    email_verification: str = MANDATORY
    """``mandatory``: nobody is logged in before their address is verified. ``optional``: only if the org demands it."""
    after: str = ""
    """The path to redirect to after a sign-up without ``next``. Empty: ``LOGIN_REDIRECT_URL``."""
    site_name: str = ""
    """Shown in the header of the pages. Empty: the host of ``base_url``."""
    trusted_proxies: int = 0
    """The number of your proxies in front of this site: so many entries of X-Forwarded-For are trusted, from the right.
    """
    country_header: str = ""
    """The header in which your proxy writes the visitor's country (``CF-IPCountry``, ``CloudFront-Viewer-Country``),
    overwriting what the visitor sent. Only shown in the admin's list. Empty: no countries there.
    """
    form_cache_seconds: int = 60
    """How long the org's sign-up form is cached."""
    resend_seconds: int = 30
    """How long after a mail or text the visitor has to wait before requesting another one."""
    activation_link_days: int = 7
    """As in Okta: Security > General > "Activation emails are valid for". No API returns it."""
    abandoned_after_seconds: int = 24 * 3600
    """After so long without a change an open registration is expired."""
    erase_abandoned_after_seconds: int = 24 * 3600
    """After so long ``selfreg_purge`` erases a registration that was not completed."""
    reduce_finished_after_seconds: int = 30 * 24 * 3600
    """After so long ``selfreg_purge`` removes the personal data of a completed registration."""
    most_open: int = 250_000
    """The maximum of open registrations. Further visitors are told to come back later."""
    enumeration: str = "okta"
    """``okta``: Okta's message says that an address has an account already. ``neutral``: the pages look the same for
    new and for existing addresses, and everybody has to verify the address first."""
    phone_countries: tuple[str, ...] = ()
    """ISO codes of the countries that texts and calls may go to (``("DE", "US")``). Empty: all that the org allows."""
    phone_after_email: bool = False
    """Whether texts and calls are only for visitors whose address is verified."""
    calls_at_once: int = 16
    """The maximum of concurrent calls to the org in one process. Keep it below the number of threads, so that other
    pages are still served while the org hangs.
    """
    minimum_fill_seconds: float = 2.0
    """A sign-up form that is submitted faster counts as filled in by a script."""
    link_existing: bool = False
    """Whether visitors may link their Okta account to an existing user, by its password. Never to staff."""
    approval: bool = False
    """Whether an administrator has to approve new users before they can log in."""
    profile_hook: str = ""
    """Dotted path of a function that may refuse or change a profile, see ``selfreg.profile_hook``."""
    hook_secret: str = field(default="", repr=False)
    """The Authorization header that Okta's hooks send. Empty: the URLs for hooks answer 404."""
    client_auth: str = "secret_post"
    """How the app authenticates at the org: ``secret_post``, ``secret_basic`` or ``private_key``."""
    private_key: str = field(default="", repr=False)
    """PEM of the app's private key, for ``private_key``."""
    private_key_id: str = ""
    api_token: str = field(default="", repr=False)
    """Token of Okta's Management API: for the doctor, the set-up, the repairs in the admin, and for sending the mail
    again after a sign-up. No step of a sign-up needs it.
    """
    api_client_id: str = ""
    """Instead of ``api_token``: client id of an OAuth service app that authenticates with ``api_private_key``. The
    scopes that it needs are listed in docs/org-setup.md.
    """
    api_private_key: str = field(default="", repr=False)
    """PEM of the service app's private key."""
    api_key_id: str = ""
    """The id of that key in the org, if the app has several."""
    authenticators: tuple[str, ...] = ("okta_email", "okta_password")
    """What visitors must be able to enroll. ``selfreg_doctor`` checks that, ``selfreg_setup_org`` sets it up."""
    attributes: tuple[str, ...] = ("email",)
    """Okta's names of the fields that the sign-up form must have. The org may add others."""

    @property
    def name(self) -> str:
        """The name of the site on the pages."""
        return self.site_name or urlsplit(self.base_url).hostname or ""

    @property
    def email_is_mandatory(self) -> bool:
        """Whether new visitors have to verify their address before they are logged in."""
        return self.email_is_mandatory_for("")

    def email_is_mandatory_for(self, workflow: str) -> bool:
        """Whether the address has to be verified before the login that ends a registration.

        :param workflow: ``EMAIL_VERIFICATION`` when the registration started; the stricter of the two settings applies
        """
        return MANDATORY in (self.email_verification, workflow)


SETTING_NAMES = {f.name.upper() for f in fields(Conf)}
LISTS = ("encryption_keys", "phone_countries", "authenticators", "attributes")


def _tuple_of(value: object) -> tuple[Any, ...]:
    """A list as a tuple; of anything else, which the system checks report, a tuple all the same."""
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(value)
    return () if value is None else (str(value),)


@lru_cache(maxsize=1)
def conf() -> Conf:
    """Returns the current settings."""
    values: dict[str, Any] = {k.lower(): v for k, v in getattr(settings, "SELFREG", {}).items() if k in SETTING_NAMES}
    for url in ("issuer", "base_url"):
        if url in values:
            values[url] = str(values[url]).rstrip("/")
    for name in LISTS:
        if name in values:
            values[name] = _tuple_of(values[name])
    return Conf(**values)


@receiver(setting_changed)
def _clear_cache(*, setting: str, **_: object) -> None:
    if setting == "SELFREG":
        conf.cache_clear()
