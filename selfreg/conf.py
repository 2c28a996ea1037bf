"""The app's settings: ``SELFREG = {...}`` of the Django settings, typed, read when asked for.

``conf()`` is cheap to call and follows ``override_settings``. Unknown keys and unusable values are reported by the
system checks (``selfreg.checks``), not here: reading must never fail half-way through a request.
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
    """Every setting with its default. In ``SELFREG`` the keys are written in capitals."""

    issuer: str = ""
    """The org (``https://x.okta.com``) or a custom authorization server (``https://x.okta.com/oauth2/default``)."""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    """Empty for a public client; Okta then ignores the visitor's IP address and device token."""
    base_url: str = ""
    """The site's own origin; redirect URIs are built from it, never from the Host header."""
    scopes: str = "openid profile email"
    encryption_keys: tuple[str, ...] = field(default=(), repr=False)
    """Url-safe base64 of 32 bytes each; the first seals, all open."""
    email_verification: str = MANDATORY
    """``mandatory`` or ``optional``. The org's policy may be stricter."""
    after: str = ""
    """Where people land who came from nowhere in particular: a path of this site. Empty: ``LOGIN_REDIRECT_URL``."""
    site_name: str = ""
    """Shown in the header of the pages. Empty: the host of ``base_url``."""
    trusted_proxies: int = 0
    """How many proxies of yours stand before this site; that many entries of X-Forwarded-For are believed, from
    the right.
    """
    country_header: str = ""
    """The header in which a proxy of yours writes the visitor's country, whatever the visitor sent in it:
    ``CF-IPCountry``, ``CloudFront-Viewer-Country``. For the admin's list only. Empty: countries are not known.
    """
    form_cache_seconds: int = 60
    """How long the sign-up form of an org is shown without asking again."""
    resend_seconds: int = 30
    """How long after a mail or text the next one can be asked for."""
    activation_link_days: int = 7
    """How long Okta's activation links work: Security > General > "Activation emails are valid for". No API tells."""
    abandoned_after_seconds: int = 24 * 3600
    """When an open registration that nobody touches counts as expired."""
    erase_abandoned_after_seconds: int = 24 * 3600
    """When ``selfreg_purge`` erases a registration that came to nothing."""
    reduce_finished_after_seconds: int = 30 * 24 * 3600
    """When ``selfreg_purge`` takes the person out of a completed one."""
    most_open: int = 250_000
    """How many registrations may be open at once; one more is asked to come back later."""
    enumeration: str = "okta"
    """``okta``: its own message says that an address has an account. ``neutral``: nothing does, and everybody proves
    the address first."""
    phone_countries: tuple[str, ...] = ()
    """Where texts and calls may go: ISO codes (``("DE", "US")``). Empty: everywhere the org allows."""
    phone_after_email: bool = False
    """Texts and calls only for people whose address is proven already."""
    calls_at_once: int = 16
    """Most calls to the org under way in one process. Fewer than its threads, and other pages stay served when it
    hangs.
    """
    minimum_fill_seconds: float = 2.0
    """A sign-up form that comes back faster was filled in by a program."""
    link_existing: bool = False
    """Whether a person may join an account that this site had before, by its password. Never staff accounts."""
    approval: bool = False
    """Whether an administrator has the last word: new people sign in once they are approved."""
    profile_hook: str = ""
    """Dotted path of a function that may refuse or amend a profile, see ``selfreg.profile_hook``."""
    hook_secret: str = field(default="", repr=False)
    """What Okta's hooks send as their Authorization header. Empty: the hook URLs do not exist."""
    client_auth: str = "secret_post"
    """How the app proves itself: ``secret_post``, ``secret_basic`` or ``private_key``."""
    private_key: str = field(default="", repr=False)
    """PEM of the app's private key, for ``private_key``."""
    private_key_id: str = ""
    api_token: str = field(default="", repr=False)
    """Token of Okta's Management API, for the doctor and the set-up, administrators' repairs, and sending the mail
    again after a sign-up. No step of a sign-up needs it.
    """
    api_client_id: str = ""
    """Instead of ``api_token``, for the same: an OAuth service app that proves itself by ``api_private_key``. The
    doctor, the set-up, and repairs with "send again" each ask for scopes of their own; docs/org-setup.md lists them.
    """
    api_private_key: str = field(default="", repr=False)
    """PEM of the service app's private key."""
    api_key_id: str = ""
    """The id of that key in the org, where the app has several."""
    authenticators: tuple[str, ...] = ("okta_email", "okta_password")
    """What people must be able to enroll here. ``selfreg_doctor`` looks after it, ``selfreg_setup_org`` sees to it."""
    attributes: tuple[str, ...] = ("email",)
    """What the sign-up form must at least ask for, by Okta's names; the org may ask for more."""

    @property
    def name(self) -> str:
        """What the site is called on the pages."""
        return self.site_name or urlsplit(self.base_url).hostname or ""

    @property
    def email_is_mandatory(self) -> bool:
        """Whether an address must be proven before its account works here."""
        return self.email_is_mandatory_for("")

    def email_is_mandatory_for(self, workflow: str) -> bool:
        """The same for a registration that was started while ``EMAIL_VERIFICATION`` was ``workflow``: the stricter of
        the two applies.
        """
        return MANDATORY in (self.email_verification, workflow)


KNOWN_KEYS = {f.name.upper() for f in fields(Conf)}
LISTS = ("encryption_keys", "phone_countries", "authenticators", "attributes")


@lru_cache(maxsize=1)
def conf() -> Conf:
    """The settings as they are now."""
    given: dict[str, Any] = {k.lower(): v for k, v in getattr(settings, "SELFREG", {}).items() if k in KNOWN_KEYS}
    for url in ("issuer", "base_url"):
        if url in given:
            given[url] = str(given[url]).rstrip("/")
    for several in LISTS:
        if several in given:
            given[several] = (given[several],) if isinstance(given[several], str) else tuple(given[several])
    return Conf(**given)


@receiver(setting_changed)
def _forget(*, setting: str, **_: object) -> None:
    if setting == "SELFREG":
        conf.cache_clear()
