"""System checks: settings that would fail, or fail to protect, at the first sign-up. No network here."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import phonenumbers
from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError
from django.utils import timezone

from selfreg.conf import KNOWN_KEYS, conf
from selfreg.idx.client_auth import METHODS, Credentials
from selfreg.vault import decoded_key

BACKEND = "selfreg.auth.OktaBackend"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
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
    for key in ("ISSUER", "CLIENT_ID", "BASE_URL"):
        if not given.get(key):
            found.append(Error(f"SELFREG[{key!r}] is not set.", id="selfreg.E002"))
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
    keys, hint = conf().encryption_keys, "Url-safe base64 of 32 random bytes; keep it apart from SECRET_KEY."
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
