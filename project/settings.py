"""The demo site's settings. What differs between machines comes from the environment or `.env`; see `.env.example`.

Without any, the site uses the local org (`python -m okta_devorg`) under DEBUG. Setting OKTA_ISSUER to a real org turns
DEBUG off, and then every secret is required, so that no insecure default is used by accident.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
# ENV_FILE lets the tests ignore a developer's own .env.
environ.Env.read_env(os.environ.get("ENV_FILE", str(BASE_DIR / ".env")))


def port(name: str, value: str, default: int) -> int:
    """Returns a port number.

    :raises ImproperlyConfigured: ``value`` is not a number
    """
    try:
        return int(value or default)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is {value!r}, and should be a number such as {default}.") from error


PORT = port("PORT", env.str("PORT", default=""), 8000)
ORG_PORT = port("ORG_PORT", env.str("ORG_PORT", default=""), 9000)
ORG_DATA = env.str("ORG_DATA", default="") or str(BASE_DIR / "okta_devorg.json")

# The local org's well-known demo application: okta_devorg starts with exactly this one.
LOCAL_ORG = not env.str("OKTA_ISSUER", default="")
DEBUG = env.bool("DEBUG", default=LOCAL_ORG)


def required(name: str, debug_default: str, hint: str) -> str:
    """Returns an environment variable; ``debug_default`` if it is missing under DEBUG.

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
    """Returns the parts of a comma-separated list, without empty ones."""
    return [part.strip() for part in value.split(",") if part.strip()]


# ---- the site

SECRET_KEY = required(
    "SECRET_KEY",
    "insecure-demo-secret-key-used-only-under-debug-never-in-production",
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
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Lists of countries and time zones are long. Random padding and masked CSRF tokens protect against BREACH.
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
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

# Workers have to share the cache: outside DEBUG it is a table of the database (`manage.py createcachetable`).
CACHES = {
    "default": env.cache_url_config(
        env.str("CACHE_URL", default="") or ("locmemcache://" if DEBUG else "dbcache://django_cache")
    )
}

# Read from Django 6.1 on; before it, this is what the defaults of EMAIL_* amount to.
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend"}}

# ---- sign-up and sign-in

client_id = env.str("OKTA_CLIENT_ID", default="") or ("0oaLocalDemoApp0000" if LOCAL_ORG else "")
if not client_id:
    raise ImproperlyConfigured("OKTA_CLIENT_ID is not set. It is required with OKTA_ISSUER: see the app in Okta.")

SELFREG = {
    "ISSUER": env.str("OKTA_ISSUER", default="") or f"http://127.0.0.1:{ORG_PORT}/oauth2/default",
    "CLIENT_ID": client_id,
    # A public client has none.
    "CLIENT_SECRET": env.str("OKTA_CLIENT_SECRET", default="")
    or ("local-demo-secret-not-for-production" if LOCAL_ORG else ""),
    "API_TOKEN": env.str("OKTA_API_TOKEN", default="") or ("local-api-token-not-for-production" if LOCAL_ORG else ""),
    "API_CLIENT_ID": env.str("OKTA_API_CLIENT_ID", default=""),
    "API_PRIVATE_KEY": env.str("OKTA_API_PRIVATE_KEY", default="", multiline=True),
    "API_KEY_ID": env.str("OKTA_API_KEY_ID", default=""),
    "HOOK_SECRET": env.str("SELFREG_HOOK_SECRET", default=""),
    "BASE_URL": BASE_URL,
    "ENCRYPTION_KEYS": comma_separated(
        required(
            "SELFREG_ENCRYPTION_KEYS",
            "aW5zZWN1cmUtZGVtby1lbmNyeXB0aW9uLWtleS0zMmI=",  # "insecure-demo-encryption-key-32b"
            "32 random bytes in url-safe base64, newest first, comma-separated, for example from "
            "`python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'`.",
        )
    ),
    "AUTHENTICATORS": comma_separated(env.str("AUTHENTICATORS", default="") or "okta_email,okta_password"),
    "ATTRIBUTES": comma_separated(env.str("ATTRIBUTES", default="") or "email"),
    "EMAIL_VERIFICATION": env.str("EMAIL_VERIFICATION", default="") or "mandatory",
    "SITE_NAME": "django-selfreg demo",
    # Short under DEBUG, so that changes of the org's policy show soon.
    "FORM_CACHE_SECONDS": 5 if DEBUG else 60,
    "TRUSTED_PROXIES": TRUSTED_PROXIES,
}

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
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # runserver's request lines hold query strings, and those of e-mail links hold codes
        "django.server": {"handlers": [], "propagate": False},
        # urllib3 writes request paths at DEBUG
        "urllib3": {"level": "WARNING"},
    },
}
