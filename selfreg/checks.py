"""System checks: settings that would fail, or fail to protect, at the first sign-up. No network here."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import timedelta
from importlib.util import find_spec
from sys import modules
from typing import Any
from urllib.parse import urlsplit

import phonenumbers
from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError
from django.urls import NoReverseMatch, Resolver404, URLResolver, get_resolver, get_script_prefix, resolve
from django.utils import timezone
from django.utils.module_loading import import_string

from selfreg.conf import KNOWN_KEYS, LISTS, Conf, conf
from selfreg.encryption import decoded_key
from selfreg.idx.credentials import METHODS, Credentials
from selfreg.web.redirects import landing

BACKEND = "selfreg.auth.OktaBackend"
API_URLS = "selfreg.api.urls"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
WHERE_IT_IS = {
    "ISSUER": "The org, https://example.okta.com, or its authorization server, https://example.okta.com/oauth2/default.",
    "CLIENT_ID": "In the Admin Console: Applications > (app) > General.",
    "BASE_URL": "The origin of this site, as visitors see it: https://www.example.com.",
}
NEW_KEY = "python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
KINDS = {bool: "True or False", int: "a whole number", float: "a number"}
DOCTOR_IS_STALE_AFTER = timedelta(days=7)


@register(Tags.security)
def check_settings(**_: Any) -> list[CheckMessage]:
    """``SELFREG``: complete, spelled right, usable."""
    found: list[CheckMessage] = []
    given = getattr(settings, "SELFREG", {})
    for key in sorted(set(given) - KNOWN_KEYS):
        found.append(
            Error(
                f"SELFREG has an unknown key {key!r}.",
                hint=f"Known: {', '.join(sorted(KNOWN_KEYS))}.",
                id="selfreg.E001",
            )
        )
    for key in (name.upper() for name in LISTS):
        if isinstance(given.get(key), str):
            found.append(Error(f"SELFREG[{key!r}] is one string, and should be a list of them.", id="selfreg.E023"))
    found += _check_kinds(given)
    for key in ("ISSUER", "CLIENT_ID", "BASE_URL"):
        if not given.get(key):
            found.append(Error(f"SELFREG[{key!r}] is not set.", hint=WHERE_IT_IS[key], id="selfreg.E002"))
    for name, url in (("ISSUER", conf().issuer), ("BASE_URL", conf().base_url)):
        found += _check_url(name, url) if url else []
    found += _check_keys()
    found += _check_client_auth()
    if conf().enumeration not in ("okta", "neutral"):
        found.append(Error("SELFREG['ENUMERATION'] is neither 'okta' nor 'neutral'.", id="selfreg.E020"))
    for country in sorted(set(conf().phone_countries) - phonenumbers.SUPPORTED_REGIONS):
        found.append(Error(f"SELFREG['PHONE_COUNTRIES'] has {country!r}, no country's ISO code.", id="selfreg.E021"))
    if conf().email_verification not in ("mandatory", "optional"):
        found.append(Error("SELFREG['EMAIL_VERIFICATION'] is neither 'mandatory' nor 'optional'.", id="selfreg.E006"))
    return found


@register(Tags.security)
def check_hand_off(**_: Any) -> list[CheckMessage]:
    """Authentication: our backend and views, and none of mozilla-django-oidc's unsafe switches."""
    found: list[CheckMessage] = []
    if BACKEND not in settings.AUTHENTICATION_BACKENDS:
        found.append(
            Error(
                "The backend that finishes sign-ups is missing.",
                hint=f"Add {BACKEND!r} to AUTHENTICATION_BACKENDS.",
                id="selfreg.E007",
            )
        )
    if "mozilla_django_oidc.auth.OIDCAuthenticationBackend" in settings.AUTHENTICATION_BACKENDS:
        found.append(
            Error(
                "The stock OIDC backend finds people by e-mail address.",
                hint=f"Replace it by {BACKEND!r}.",
                id="selfreg.E008",
            )
        )
    classes = {
        "OIDC_AUTHENTICATE_CLASS": "selfreg.views.AuthenticateView",
        "OIDC_CALLBACK_CLASS": "selfreg.views.CallbackView",
    }
    for name, wanted in classes.items():
        if getattr(settings, name, "") != wanted:
            found.append(
                Warning(
                    f"{name} is not {wanted!r}.",
                    hint="The stock view turns many failures into HTTP 500.",
                    id="selfreg.W001",
                )
            )
    if getattr(settings, "OIDC_ALLOW_UNSECURED_JWT", False):
        found.append(Error("OIDC_ALLOW_UNSECURED_JWT accepts tokens that anybody can write.", id="selfreg.E009"))
    if settings.SESSION_COOKIE_SAMESITE == "Strict":
        found.append(
            Error(
                "SESSION_COOKIE_SAMESITE 'Strict' loses the session on the way back from Okta.",
                hint="Use 'Lax'.",
                id="selfreg.E010",
            )
        )
    return found


@register(Tags.security)
def check_database(**_: Any) -> list[CheckMessage]:
    """No call to the org may be made inside a transaction."""
    atomic = [alias for alias, database in settings.DATABASES.items() if database.get("ATOMIC_REQUESTS")]
    return [
        Error(
            f"ATOMIC_REQUESTS is on for {alias!r}: every call to Okta would hold a transaction open.",
            hint="Turn it off, or exempt selfreg's URLs with non_atomic_requests.",
            id="selfreg.E011",
        )
        for alias in atomic
    ]


@register(Tags.urls)
def check_api(**_: Any) -> list[CheckMessage]:
    """``selfreg.api`` is mounted: what it is made with has to be there."""
    mounted = any(getattr(p, "urlconf_name", None) is modules.get(API_URLS, p) for p in _patterns(get_resolver()))
    if not mounted or find_spec("ninja"):
        return []
    hint = 'Install it: pip install "django-selfreg[api]".'
    return [Error("selfreg.api is mounted, and django-ninja is not installed.", hint=hint, id="selfreg.E022")]


@register(Tags.urls)
def check_landing(**_: Any) -> list[CheckMessage]:
    """Who is through has to land somewhere: Django's own default is a page that few sites have."""
    where = settings.LOGIN_REDIRECT_URL
    try:
        where = landing("")
        parts = urlsplit(where)
        if not parts.netloc:
            resolve(f"/{parts.path.removeprefix(get_script_prefix())}")
    except (NoReverseMatch, Resolver404):
        said = f"After the sign-up people land on {str(where)!r}, and no page of this site is there."
        hint = "Set LOGIN_REDIRECT_URL, or SELFREG['AFTER'], to a page of this site, or add that one to the URLs."
        return [Warning(said, hint=hint, id="selfreg.W003")]
    return []


@register()
def check_profile_hook(**_: Any) -> list[CheckMessage]:
    """A hook that cannot be found refuses everybody. Without a tag: the doctor has a finding of its own for it."""
    path = conf().profile_hook
    try:
        if not path or callable(import_string(path)):
            return []
        why = "it is no function"
    except ImportError as error:
        why = str(error)
    said = f"SELFREG['PROFILE_HOOK'] is {path!r}, and nobody can sign up: {why}."
    return [Error(said, hint="The dotted path of a function: 'mysite.rules.our_partners'.", id="selfreg.E025")]


def _patterns(resolver: URLResolver) -> Iterator[URLResolver]:
    yield resolver
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern)


@register(Tags.security, deploy=True)
def check_doctor(**_: Any) -> list[CheckMessage]:
    """Only for ``check --deploy``: whether anybody looked lately if the org still fits this site."""
    runs = apps.get_model("selfreg", "DoctorRun").objects.filter(issuer=conf().issuer)
    try:
        last = runs.values_list("at", flat=True).first()
    except DatabaseError:
        return []
    if last is not None and timezone.now() - last < DOCTOR_IS_STALE_AFTER:
        return []
    said = f"was last examined on {last:%Y-%m-%d}" if last else "was never examined"
    return [Warning(f"The org {said}.", hint="Run manage.py selfreg_doctor, weekly.", id="selfreg.W002")]


def _check_kinds(given: Mapping[str, Any]) -> list[CheckMessage]:
    """A number or switch that came out of the environment as text."""
    found: list[CheckMessage] = []
    for setting in fields(Conf):
        key, kind = setting.name.upper(), type(setting.default)
        words = KINDS.get(kind)
        value = given.get(key)
        if words is None or value is None:
            continue
        numeric = isinstance(value, int | float) if kind is float else isinstance(value, int)
        if not (isinstance(value, bool) if kind is bool else numeric and not isinstance(value, bool)):
            found.append(Error(f"SELFREG[{key!r}] is {value!r}, and should be {words}.", id="selfreg.E024"))
    return found


def _check_url(name: str, url: str) -> list[CheckMessage]:
    parts = urlsplit(url)
    local = parts.hostname in LOOPBACK and settings.DEBUG
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        return [
            Error(
                f"SELFREG[{name!r}] is not an https URL.",
                hint="Plain http is for loopback under DEBUG.",
                id="selfreg.E003",
            )
        ]
    if parts.query or parts.fragment or parts.username or not parts.hostname:
        return [Error(f"SELFREG[{name!r}] is more than scheme, host and path.", id="selfreg.E004")]
    return []


def _check_client_auth() -> list[CheckMessage]:
    method = conf().client_auth
    if method not in METHODS or method == "none":
        known = ", ".join(repr(m) for m in METHODS if m != "none")
        return [Error(f"SELFREG['CLIENT_AUTH'] is none of {known}.", id="selfreg.E012")]
    if method == "private_key":
        try:
            Credentials(conf().client_id, method, private_key=conf().private_key).proof(conf().issuer)
        except ValueError as error:
            return [Error(f"SELFREG['PRIVATE_KEY']: {error}.", id="selfreg.E012")]
    return []


def _check_keys() -> list[CheckMessage]:
    keys, hint = conf().encryption_keys, f"Url-safe base64 of 32 random bytes, not SECRET_KEY. A new one: {NEW_KEY}"
    if not keys:
        return [Error("SELFREG['ENCRYPTION_KEYS'] is empty.", hint=hint, id="selfreg.E005")]
    broken: list[CheckMessage] = []
    for position, key in enumerate(keys):
        try:
            decoded_key(key)
        except ValueError as error:
            broken.append(
                Error(f"SELFREG['ENCRYPTION_KEYS'][{position}] is unusable: {error}.", hint=hint, id="selfreg.E005")
            )
    return broken
