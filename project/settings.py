"""The demo site's settings. What differs between machines comes from the environment or `.env`; see `.env.example`.

Without any, the site uses the local org (`python -m okta_devorg`) under DEBUG. Setting OKTA_ISSUER to a real org turns
DEBUG off, and then every secret is required, so that no insecure default is used by accident.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django import VERSION
from django.core.exceptions import ImproperlyConfigured

from selfreg.cache import TIME_LIMITS
from selfreg.encryption import (
    DEMO_API_TOKEN,
    DEMO_CLIENT_SECRET,
    DEMO_KEY,
    DEMO_SECRET_KEY,
    weak_secrets,
)

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
# ENV_FILE lets the tests ignore a developer's own .env.
environ.Env.read_env(os.environ.get("ENV_FILE", str(BASE_DIR / ".env")))


def port(name: str, value: str, default: int) -> int:
    """Return a port number.

    :raises ImproperlyConfigured: ``value`` is not a number
    """
    try:
        return int(value or default)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is {value!r}, but must be a number, such as {default}.") from error


PORT = port("PORT", env.str("PORT", default=""), 8000)
ORG_PORT = port("ORG_PORT", env.str("ORG_PORT", default=""), 9000)
ORG_DATA = env.str("ORG_DATA", default="") or str(BASE_DIR / "okta_devorg.json")

# The local org's well-known demo application: okta_devorg starts with exactly this one.
LOCAL_ORG = not env.str("OKTA_ISSUER", default="")
DEBUG = env.bool("DEBUG", default=LOCAL_ORG)


def required(name: str, debug_default: str, hint: str) -> str:
    """Return an environment variable; ``debug_default`` if it is missing under DEBUG.

    :param hint: what to set it to, for the error message
    :raises ImproperlyConfigured: it is missing, and DEBUG is off
    """
    value: str = env.str(name, default="").strip()
    if value:
        return value
    if DEBUG:
        return debug_default
    raise ImproperlyConfigured(f"{name} is not set. It is required when DEBUG is off: {hint}")


def comma_separated(value: str) -> list[str]:
    """Return the parts of a comma-separated list, without empty ones."""
    return [part.strip() for part in value.split(",") if part.strip()]


# ---- the site

SECRET_KEY = required(
    "SECRET_KEY",
    DEMO_SECRET_KEY,
    "a long random text, for example from `python -c 'import secrets; print(secrets.token_urlsafe(50))'`.",
)
BASE_URL = required(
    "BASE_URL", f"http://127.0.0.1:{PORT}", "the address people reach this site at, such as https://www.example.com."
).rstrip("/")
ALLOWED_HOSTS = comma_separated(
    required("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]", "host names, comma-separated, such as www.example.com.")
)
CSRF_TRUSTED_ORIGINS = [BASE_URL]
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "selfreg",
    "mozilla_django_oidc",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    # First: it answers probes, which come by plain HTTP and with any host.
    "selfreg.middleware.OperationsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Lists of countries and time zones are long. Random padding and masked CSRF tokens protect against BREACH.
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "selfreg.middleware.FormEncodingMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "selfreg.middleware.IdleSessionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "project.context.site",
            ],
        },
    }
]

LANGUAGE_CODE = "en"
# The languages that the app is translated into. Visitors with another one get English, for the whole page.
LANGUAGES = [
    ("en", "English"),
    ("ar", "العربية"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("fr", "Français"),
    ("ja", "日本語"),
    ("pt-br", "Português (Brasil)"),
]
LOCALE_PATHS = [BASE_DIR / "project" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "project" / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
# Under DEBUG whitenoise serves from the apps' own folders: no collectstatic, changes show at once.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

# ---- data

SQLITE = "django.db.backends.sqlite3"
DATABASES = {"default": env.db_url("DATABASE_URL") if env.str("DATABASE_URL", default="") else {"ENGINE": SQLITE}}
if DATABASES["default"]["ENGINE"] == SQLITE:
    DATABASES["default"].setdefault("NAME", BASE_DIR / "db.sqlite3")
    # IMMEDIATE takes the write lock when a transaction begins, so writers wait for each other (at most `timeout`
    # seconds) instead of failing halfway with "database is locked"; WAL lets readers go on meanwhile.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"].update(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True)
    if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
        # A server that vanished is noticed within seconds, not when TCP gives up after minutes.
        limits: dict[str, Any] = {"connect_timeout": 3, "tcp_user_timeout": 5_000}
        DATABASES["default"] = {
            **DATABASES["default"],
            "OPTIONS": limits | env.db_url("DATABASE_URL").get("OPTIONS", {}),
        }

# Seconds that a call of a cache server may take. Without these a server that hangs would hold every page for longer.
CACHE_SECONDS = 0.5


def with_time_limits(cache: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a cache with the options that limit how long it may take."""
    limits = dict.fromkeys(TIME_LIMITS.get(cache["BACKEND"], ()), CACHE_SECONDS)
    options = {**limits, **cache.get("OPTIONS", {})}
    return {**cache, "OPTIONS": options} if options else cache


# Workers have to share the cache: outside DEBUG it is a table of the database (`manage.py createcachetable`).
CACHES = {
    "default": with_time_limits(
        env.cache_url_config(
            env.str("CACHE_URL", default="") or ("locmemcache://" if DEBUG else "dbcache://django_cache")
        )
    )
}

# Emails of this site, not Okta's. Under DEBUG they are printed.
EMAIL_BACKEND = f"django.core.mail.backends.{'console' if DEBUG else 'smtp'}.EmailBackend"
if VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": EMAIL_BACKEND}}
    del EMAIL_BACKEND

# ---- sign-up and sign-in

client_id = env.str("OKTA_CLIENT_ID", default="") or ("0oaLocalDemoApp0000" if LOCAL_ORG else "")
if not client_id:
    raise ImproperlyConfigured("OKTA_CLIENT_ID is not set. It is required with OKTA_ISSUER: see the app in Okta.")

issuer = env.str("OKTA_ISSUER", default="") or f"http://127.0.0.1:{ORG_PORT}/oauth2/default"
org_origin = "{0.scheme}://{0.netloc}".format(urlsplit(issuer))
private_key = env.str("OKTA_PRIVATE_KEY", default="", multiline=True)
SELFREG = {
    "ISSUER": issuer,
    "CLIENT_ID": client_id,
    # A public client has none.
    "CLIENT_SECRET": env.str("OKTA_CLIENT_SECRET", default="") or (DEMO_CLIENT_SECRET if LOCAL_ORG else ""),
    # The recommended way to authenticate: with it, no secret is sent.
    "PRIVATE_KEY": private_key,
    "PRIVATE_KEY_ID": env.str("OKTA_PRIVATE_KEY_ID", default=""),
    "CLIENT_AUTH": "private_key" if private_key else "secret_post",
    "API_TOKEN": env.str("OKTA_API_TOKEN", default="") or (DEMO_API_TOKEN if LOCAL_ORG else ""),
    "API_CLIENT_ID": env.str("OKTA_API_CLIENT_ID", default=""),
    "API_PRIVATE_KEY": env.str("OKTA_API_PRIVATE_KEY", default="", multiline=True),
    "API_KEY_ID": env.str("OKTA_API_KEY_ID", default=""),
    "PROXY": env.str("OKTA_PROXY", default=""),
    "CA_BUNDLE": env.str("OKTA_CA_BUNDLE", default=""),
    "METRICS_TOKEN": env.str("SELFREG_METRICS_TOKEN", default=""),
    "HOOK_SECRET": env.str("SELFREG_HOOK_SECRET", default=""),
    "BASE_URL": BASE_URL,
    "RESET_PASSWORD_URL": f"{org_origin}/signin/forgot-password",
    "ENCRYPTION_KEYS": comma_separated(
        required(
            "SELFREG_ENCRYPTION_KEYS",
            DEMO_KEY,
            "32 random bytes in url-safe base64, newest first, comma-separated, for example from "
            "`python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'`.",
        )
    ),
    "AUTHENTICATORS": comma_separated(env.str("AUTHENTICATORS", default="") or "okta_email,okta_password"),
    "ATTRIBUTES": comma_separated(env.str("ATTRIBUTES", default="") or "email"),
    "EMAIL_VERIFICATION": env.str("EMAIL_VERIFICATION", default="") or "mandatory",
    "APPROVAL": env.bool("APPROVAL", default=False),
    "SITE_NAME": "django-selfreg demo",
    # Short under DEBUG, so that changes of the org's policy show soon.
    "FORM_CACHE_SECONDS": 5 if DEBUG else 60,
    "TRUSTED_PROXIES": TRUSTED_PROXIES,
}

if not DEBUG:
    # Servers run no checks.
    given = [("SECRET_KEY", "SECRET_KEY", SECRET_KEY)]
    for position, key in enumerate(SELFREG["ENCRYPTION_KEYS"]):
        given.append(("SELFREG_ENCRYPTION_KEYS", f"ENCRYPTION_KEYS {position}", key))
    for variable, name in (
        ("SELFREG_HOOK_SECRET", "HOOK_SECRET"),
        ("SELFREG_METRICS_TOKEN", "METRICS_TOKEN"),
        ("OKTA_CLIENT_SECRET", "CLIENT_SECRET"),
        ("OKTA_API_TOKEN", "API_TOKEN"),
    ):
        if env.str(variable, default=""):
            given.append((variable, name, SELFREG[name]))
    for name, reason in weak_secrets(given):
        raise ImproperlyConfigured(f"{name} isn't secure: {reason}.")

AUTHENTICATION_BACKENDS = ["selfreg.auth.OktaBackend", "django.contrib.auth.backends.ModelBackend"]
OIDC_AUTHENTICATE_CLASS = "selfreg.views.AuthenticateView"
OIDC_CALLBACK_CLASS = "selfreg.views.CallbackView"
LOGIN_URL = "oidc_authentication_init"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# ---- security

_issuer = urlsplit(SELFREG["ISSUER"])
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        # Browsers apply form-action to redirects too, and the POST that ends a sign-up may lead to the org.
        "form-action": ["'self'", f"{_issuer.scheme}://{_issuer.netloc}"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

# __Host- binds a cookie to this very host over HTTPS: a sibling domain cannot set it. Plain HTTP cannot use it.
_cookie_prefix = "" if DEBUG else "__Host-"
SESSION_COOKIE_NAME = f"{_cookie_prefix}sessionid"
CSRF_COOKIE_NAME = f"{_cookie_prefix}csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
# Lax, not Strict: people come back from the org, and from the link in the mail, by a cross-site navigation.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=not DEBUG)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=0 if DEBUG else 31_536_000)
if TRUSTED_PROXIES:
    # Only a proxy that always sets this header itself may be trusted: otherwise anyone could claim HTTPS.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# HSTS for subdomains and preloading would also affect hosts that are not this site's.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# ---- logging: events, never submitted values. There are no error mails, since they contain request bodies.

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "selfreg.monitoring.log.LineFormatter",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        },
        "json": {"()": "selfreg.monitoring.log.JSONFormatter"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": env.str("LOG_FORMAT", default="") or "line"}
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # runserver's request lines hold query strings, and those of email links hold codes
        "django.server": {"handlers": [], "propagate": False},
        # urllib3 writes request paths at DEBUG
        "urllib3": {"level": "WARNING"},
    },
}
