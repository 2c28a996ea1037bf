"""Checks of what protects the site: middleware, sessions, keys and secrets."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.checks import Tags

from selfreg.checks.base import Cases, Check, lineage, positions, register_table, when
from selfreg.checks.settings import KEY_HINT, LOOPBACK
from selfreg.conf import DEFAULT, Conf, orgs, origin
from selfreg.encryption import PUBLISHED, weak_secrets

CSRF = "django.middleware.csrf.CsrfViewMiddleware"
SIGNED_COOKIES = "django.contrib.sessions.backends.signed_cookies.SessionStore"
ENCODING = "selfreg.middleware.FormEncodingMiddleware"
IDLE = "selfreg.middleware.IdleSessionMiddleware"
CREDENTIALS = ("hook_secret", "metrics_token", "client_secret", "api_token")


def _reads_foreign_forms(_settings: Conf) -> bool:
    """Return whether ``FormEncodingMiddleware`` is missing, or comes after the CSRF check."""
    check, ours = positions(CSRF), positions(ENCODING)
    return bool(check) and (not ours or ours[0] > check[0])


check_middleware = register_table(
    Tags.security,
    Check("W010", when(_reads_foreign_forms),
          "Anybody can cause HTTP 500 and a long log entry with a form that isn't UTF-8.",
          f"In MIDDLEWARE, put {ENCODING!r} before {CSRF!r}."),
)  # fmt: skip
check_sessions = register_table(
    Tags.security,
    Check("W038", when(lambda settings: settings.session_idle_seconds > 0 and not positions(IDLE)),
          f"MIDDLEWARE has no {IDLE!r}: logins that nobody uses do not end after SELFREG['SESSION_IDLE_SECONDS'].",
          "Add it after AuthenticationMiddleware, or set SESSION_IDLE_SECONDS to 0."),
)  # fmt: skip


def _given() -> Iterator[tuple[str, str, str]]:
    """Yield place, purpose and text of all secrets, see ``encryption.weak_secrets``."""
    yield "SECRET_KEY", "SECRET_KEY", django_settings.SECRET_KEY
    for text in set(django_settings.SECRET_KEY_FALLBACKS) - {django_settings.SECRET_KEY}:
        yield "SECRET_KEY_FALLBACKS", "SECRET_KEY_FALLBACKS", str(text)
    for org, settings in orgs().items():
        place = "SELFREG" if org == DEFAULT else f"SELFREG['ORGS'][{org!r}]"
        for position, key in enumerate(settings.encryption_keys):
            if org == DEFAULT or key not in orgs()[DEFAULT].encryption_keys:
                yield f"{place}['ENCRYPTION_KEYS'][{position}]", f"ENCRYPTION_KEYS {org} {position}", key.reveal()
        is_local = urlsplit(settings.issuer).hostname in LOOPBACK  # the local org's credentials are published
        for name in CREDENTIALS:
            # One org's hook secret would let it speak for another.
            purpose = f"{name.upper()} {origin(settings.issuer)}" if name == "hook_secret" else name.upper()
            secret = getattr(settings, name)
            if secret and not (is_local and secret.reveal() in PUBLISHED):
                yield f"{place}[{name.upper()!r}]", purpose, secret.reveal()


def _weak(*names: str) -> Callable[[Conf], Cases]:
    """Return a function that reports weak secrets among these settings."""
    return lambda _settings: [
        {"place": place, "reason": reason}
        for place, reason in (() if django_settings.DEBUG else weak_secrets(_given()))
        if any(name in place for name in names)
    ]


check_secrets = register_table(
    Tags.security,
    Check("W012", when(lambda _: SIGNED_COOKIES in lineage(f"{django_settings.SESSION_ENGINE}.SessionStore")),
          "SESSION_ENGINE keeps sessions in cookies, so an old cookie can bring back a session that has ended.",
          "Keep sessions in the database or in a shared cache."),
    Check("E030", _weak("ENCRYPTION_KEYS"), "%(place)s isn't secure: %(reason)s.", KEY_HINT),
    Check("E031", _weak("SECRET_KEY"), "%(place)s isn't secure: %(reason)s.",
          "Create a new one: python -c 'import secrets; print(secrets.token_urlsafe(50))'"),
    Check("E032", _weak(*(name.upper() for name in CREDENTIALS)), "%(place)s isn't secure: %(reason)s.",
          "Anybody who guesses it can pass for Okta, Prometheus or this site. Okta creates CLIENT_SECRET, API_TOKEN; "
          "create the others with secrets.token_urlsafe(32)."),
)  # fmt: skip
