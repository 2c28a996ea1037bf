"""System checks: settings with which the first sign-up would fail, or would be insecure. They use no network.

Each row of the tables is one check: its id, a function that returns the cases to report, and the message and the hint
for each case.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from importlib.util import find_spec
from sys import modules
from typing import Any
from urllib.parse import urlsplit

import phonenumbers
from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError
from django.urls import NoReverseMatch, Resolver404, URLResolver, get_resolver, get_script_prefix, resolve
from django.utils import timezone

from selfreg.conf import LISTS, MANDATORY, OPTIONAL, SETTING_NAMES, Conf, conf
from selfreg.encryption import decoded_key
from selfreg.idx.credentials import METHODS, Credentials
from selfreg.profile_hook import reason_unusable
from selfreg.web.redirects import landing

BACKEND = "selfreg.auth.OktaBackend"
STOCK_BACKEND = "mozilla_django_oidc.auth.OIDCAuthenticationBackend"
VIEWS = {
    "OIDC_AUTHENTICATE_CLASS": "selfreg.views.AuthenticateView",
    "OIDC_CALLBACK_CLASS": "selfreg.views.CallbackView",
}
API_URLS = "selfreg.api.urls"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
REQUIRED = {
    "ISSUER": "The org, https://example.okta.com, or its authorization server, https://example.okta.com/oauth2/default.",
    "CLIENT_ID": "In the Admin Console: Applications > (app) > General.",
    "BASE_URL": "The origin of this site, as visitors see it: https://www.example.com.",
}
CLIENT_AUTH = tuple(method for method in METHODS if method != "none")
NEW_KEY = "python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
KEY_HINT = f"Url-safe base64 of 32 random bytes, not SECRET_KEY. A new one: {NEW_KEY}"
TYPES = {bool: "True or False", int: "a whole number", float: "a number"}
DOCTOR_IS_STALE_AFTER = timedelta(days=7)

Cases = Iterable[Mapping[str, object]]
"""One item for each message: the values for the placeholders of the message and of the hint."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check. Ids with ``W`` are warnings, others errors. ``message`` and ``hint`` are %-templates for a case."""

    id: str
    find: Callable[[Conf], Cases]
    message: str
    hint: str = ""

    def run(self, settings: Conf) -> Iterator[CheckMessage]:
        """Yields a message of Django's check framework for each case."""
        level = Warning if self.id.startswith("W") else Error
        for case in self.find(settings):
            yield level(self.message % case, hint=self.hint % case or None, id=f"selfreg.{self.id}")


def _run(checks: Iterable[Check]) -> list[CheckMessage]:
    settings = conf()
    return [message for check in checks for message in check.run(settings)]


def _if(condition: Callable[[Conf], bool]) -> Callable[[Conf], Cases]:
    """Returns a function with one case, without values, if the condition holds."""
    return lambda settings: [{}] if condition(settings) else []


# ---- the dict SELFREG


def _raw_settings() -> Mapping[str, Any]:
    """The dict ``SELFREG`` as the site wrote it."""
    return getattr(django_settings, "SELFREG", {})


def _unknown_keys(_settings: Conf) -> Cases:
    return ({"key": key} for key in sorted(set(_raw_settings()) - SETTING_NAMES))


def _no_lists(_settings: Conf) -> Cases:
    values = {name.upper(): _raw_settings().get(name.upper(), ()) for name in LISTS}
    return ({"key": key} for key, value in values.items() if not isinstance(value, list | tuple | set | frozenset))


def _wrong_types(_settings: Conf) -> Cases:
    """Numbers and booleans that are still text, as read from the environment."""
    for field in fields(Conf):
        key, expected = field.name.upper(), type(field.default)
        value = _raw_settings().get(key)
        if expected in TYPES and value is not None and not _has_type(value, expected):
            yield {"key": key, "value": value, "expected": TYPES[expected]}


def _has_type(value: object, expected: type) -> bool:
    """Unlike ``isinstance``, takes an int for a float, and no bool for a number."""
    if expected is bool or isinstance(value, bool):
        return expected is bool and isinstance(value, bool)
    return isinstance(value, int | float if expected is float else int)


def _missing(_settings: Conf) -> Cases:
    return ({"key": key, "where": where} for key, where in REQUIRED.items() if not _raw_settings().get(key))


def _urls(settings: Conf) -> Iterator[tuple[str, str]]:
    return ((key, url) for key, url in (("ISSUER", settings.issuer), ("BASE_URL", settings.base_url)) if url)


def _insecure_urls(settings: Conf) -> Cases:
    return ({"key": key} for key, url in _urls(settings) if not _is_secure(url))


def _urls_with_extra_parts(settings: Conf) -> Cases:
    for key, url in _urls(settings):
        parts = urlsplit(url)
        if _is_secure(url) and (parts.query or parts.fragment or parts.username or not parts.hostname):
            yield {"key": key}


def _is_secure(url: str) -> bool:
    parts = urlsplit(url)
    is_local = parts.hostname in LOOPBACK and django_settings.DEBUG
    return parts.scheme == "https" or bool(parts.scheme == "http" and is_local)


def _broken_keys(settings: Conf) -> Cases:
    for position, key in enumerate(settings.encryption_keys):
        try:
            decoded_key(key)
        except ValueError as error:
            yield {"position": position, "reason": error}


def _broken_private_key(settings: Conf) -> Cases:
    if settings.client_auth == "private_key":
        try:
            Credentials(settings.client_id, "private_key", private_key=settings.private_key).proof(settings.issuer)
        except ValueError as error:
            yield {"reason": error}


def _unknown_countries(settings: Conf) -> Cases:
    return ({"country": c} for c in sorted(set(settings.phone_countries) - phonenumbers.SUPPORTED_REGIONS))


SETTINGS = (
    Check("E001", _unknown_keys, "SELFREG has an unknown key %(key)r.", f"Known: {', '.join(sorted(SETTING_NAMES))}."),
    Check("E023", _no_lists, "SELFREG[%(key)r] should be a list of strings."),
    Check("E024", _wrong_types, "SELFREG[%(key)r] is %(value)r, and should be %(expected)s."),
    Check("E002", _missing, "SELFREG[%(key)r] is not set.", "%(where)s"),
    Check("E003", _insecure_urls, "SELFREG[%(key)r] is not an https URL.", "Plain http is for loopback under DEBUG."),
    Check("E004", _urls_with_extra_parts, "SELFREG[%(key)r] is more than scheme, host and path."),
    Check("E005", _if(lambda site: not site.encryption_keys), "SELFREG['ENCRYPTION_KEYS'] is empty.", KEY_HINT),
    Check("E005", _broken_keys, "SELFREG['ENCRYPTION_KEYS'][%(position)d] is unusable: %(reason)s.", KEY_HINT),
    Check("E012", _if(lambda site: site.client_auth not in CLIENT_AUTH),
          f"SELFREG['CLIENT_AUTH'] is none of {', '.join(map(repr, CLIENT_AUTH))}."),
    Check("E012", _broken_private_key, "SELFREG['PRIVATE_KEY']: %(reason)s."),
    Check("E020", _if(lambda site: site.enumeration not in ("okta", "neutral")),
          "SELFREG['ENUMERATION'] is neither 'okta' nor 'neutral'."),
    Check("E021", _unknown_countries, "SELFREG['PHONE_COUNTRIES'] has %(country)r, no country's ISO code."),
    Check("E006", _if(lambda site: site.email_verification not in (MANDATORY, OPTIONAL)),
          "SELFREG['EMAIL_VERIFICATION'] is neither 'mandatory' nor 'optional'."),
)  # fmt: skip


@register(Tags.security)
def check_settings(**_: Any) -> list[CheckMessage]:
    """Checks the dict ``SELFREG``."""
    return _run(SETTINGS)


# ---- authentication: our backend and views, and none of mozilla-django-oidc's unsafe switches


def _stock_views(_settings: Conf) -> Cases:
    return ({"name": name, "view": view} for name, view in VIEWS.items() if getattr(django_settings, name, "") != view)


HAND_OFF = (
    Check("E007", _if(lambda _: BACKEND not in django_settings.AUTHENTICATION_BACKENDS),
          "The backend that finishes sign-ups is missing.", f"Add {BACKEND!r} to AUTHENTICATION_BACKENDS."),
    Check("E008", _if(lambda _: STOCK_BACKEND in django_settings.AUTHENTICATION_BACKENDS),
          "The stock OIDC backend finds people by e-mail address.", f"Replace it by {BACKEND!r}."),
    Check("W001", _stock_views, "%(name)s is not %(view)r.", "The stock view turns many failures into HTTP 500."),
    Check("E009", _if(lambda _: bool(getattr(django_settings, "OIDC_ALLOW_UNSECURED_JWT", False))),
          "OIDC_ALLOW_UNSECURED_JWT accepts tokens that anybody can write."),
    Check("E010", _if(lambda _: django_settings.SESSION_COOKIE_SAMESITE == "Strict"),
          "SESSION_COOKIE_SAMESITE 'Strict' loses the session on the way back from Okta.", "Use 'Lax'."),
)  # fmt: skip


@register(Tags.security)
def check_hand_off(**_: Any) -> list[CheckMessage]:
    """Checks the authentication backend, the views of mozilla-django-oidc, and the session cookie."""
    return _run(HAND_OFF)


# ---- the database


def _atomic_databases(_settings: Conf) -> Cases:
    """ATOMIC_REQUESTS would keep a transaction open during each call to the org."""
    return ({"alias": alias} for alias, values in django_settings.DATABASES.items() if values.get("ATOMIC_REQUESTS"))


DATABASE = (
    Check("E011", _atomic_databases,
          "ATOMIC_REQUESTS is on for %(alias)r: every call to Okta would hold a transaction open.",
          "Turn it off, or exempt selfreg's URLs with non_atomic_requests."),
)  # fmt: skip


@register(Tags.security)
def check_database(**_: Any) -> list[CheckMessage]:
    """Checks the databases' transactions."""
    return _run(DATABASE)


# ---- URLs


def _api_without_its_package(_settings: Conf) -> bool:
    """Whether ``selfreg.api`` is mounted without django-ninja, which it needs."""
    return not find_spec("ninja") and any(
        getattr(resolver, "urlconf_name", None) is modules.get(API_URLS, resolver)
        for resolver in _resolvers(get_resolver())
    )


def _resolvers(resolver: URLResolver) -> Iterator[URLResolver]:
    """Yields a resolver and all resolvers below it."""
    yield resolver
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _resolvers(pattern)


def _missing_landing_page(_settings: Conf) -> Cases:
    """Django's default for ``LOGIN_REDIRECT_URL`` is /accounts/profile/, which few sites have."""
    url = django_settings.LOGIN_REDIRECT_URL
    try:
        url = landing("")
        parts = urlsplit(url)
        if not parts.netloc:
            resolve(f"/{parts.path.removeprefix(get_script_prefix())}")
    except (NoReverseMatch, Resolver404):
        yield {"url": str(url)}


URLS = (
    Check("E022", _if(_api_without_its_package), "selfreg.api is mounted, and django-ninja is not installed.",
          'Install it: pip install "django-selfreg[api]".'),
    Check("W003", _missing_landing_page,
          "After the sign-up people land on %(url)r, and no page of this site is there.",
          "Set LOGIN_REDIRECT_URL, or SELFREG['AFTER'], to a page of this site, or add that one to the URLs."),
)  # fmt: skip


@register(Tags.urls)
def check_urls(**_: Any) -> list[CheckMessage]:
    """Checks the URLs of this app, and where it redirects to."""
    return _run(URLS)


# ---- the profile hook


def _unusable_profile_hook(settings: Conf) -> Cases:
    if reason := reason_unusable(settings.profile_hook):
        yield {"path": settings.profile_hook, "reason": reason}


PROFILE_HOOK = (
    Check("E025", _unusable_profile_hook,
          "SELFREG['PROFILE_HOOK'] is %(path)r, and nobody can sign up: %(reason)s.",
          "The dotted path of a function: 'mysite.rules.our_partners'."),
)  # fmt: skip


@register()
def check_profile_hook(**_: Any) -> list[CheckMessage]:
    """Checks the profile hook.

    It has no tag: the doctor runs the checks with the tag ``security``, and has a finding of its own for the hook.
    """
    return _run(PROFILE_HOOK)


# ---- only in ``check --deploy``: the doctor's last run


def _stale_doctor_run(settings: Conf) -> Cases:
    runs = apps.get_model("selfreg", "DoctorRun").objects.filter(issuer=settings.issuer)
    try:
        last_run = runs.values_list("at", flat=True).first()
    except DatabaseError:  # not migrated yet
        return
    if last_run is None:
        yield {"state": "was never examined"}
    elif timezone.now() - last_run >= DOCTOR_IS_STALE_AFTER:
        yield {"state": f"was last examined on {last_run:%Y-%m-%d}"}


DEPLOY = (Check("W002", _stale_doctor_run, "The org %(state)s.", "Run manage.py selfreg_doctor, weekly."),)


@register(Tags.security, deploy=True)
def check_doctor(**_: Any) -> list[CheckMessage]:
    """Checks that the doctor examined the org lately."""
    return _run(DEPLOY)
