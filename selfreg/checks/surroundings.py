"""Checks of a site that is not like the demo: other middleware, time zones, transactions, templates."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import Tags
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import URLPattern, URLResolver, get_resolver

from selfreg.checks.base import Cases, Check, positions, register_table, when
from selfreg.conf import Conf
from selfreg.web.orgs import APP, mounts

NEEDED = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)
LOCALE = "django.middleware.locale.LocaleMiddleware"
REFRESH = "mozilla_django_oidc.middleware.SessionRefresh"


def _ignores_languages(_settings: Conf) -> bool:
    return django_settings.USE_I18N and len(django_settings.LANGUAGES) > 1 and not positions(LOCALE)


def _has_no_templates(_settings: Conf) -> bool:
    try:
        get_template("selfreg/step.html")  # not base.html, which sites write themselves
    except TemplateDoesNotExist:
        return True
    return False


check_surroundings = register_table(
    Tags.compatibility,
    Check("E014", when(lambda _: not django_settings.USE_TZ), "USE_TZ is off, so registrations can't be stored.",
          "Set USE_TZ = True. You can keep TIME_ZONE."),
    Check("E015", lambda _: ({"path": path} for path in NEEDED if not positions(path)),
          "%(path)r is missing from MIDDLEWARE.",
          "Sign-up and login need it. Silence this check if a class that doesn't extend it does the same."),
    Check("E016", when(lambda _: bool(positions(REFRESH))),
          "SessionRefresh of mozilla-django-oidc logs people out right after their sign-up, because a sign-up leaves "
          "no session at the org.",
          "Remove it from MIDDLEWARE, and set SESSION_COOKIE_AGE instead. Okta's event hook ends the logins of "
          "deactivated accounts at once (see docs/signals-and-hooks.md)."),
    Check("E017", when(_has_no_templates), "Django can't find the templates of this app.",
          "In TEMPLATES, use a DjangoTemplates backend with APP_DIRS or the loader app_directories."),
    Check("W011", when(_ignores_languages), "LocaleMiddleware is missing, so everybody gets LANGUAGE_CODE.",
          f"Add {LOCALE!r} after SessionMiddleware, or set LANGUAGES to a single language."),
)  # fmt: skip


# ---- transactions


def _atomic_views(_settings: Conf) -> Cases:
    """ATOMIC_REQUESTS would keep a transaction open during each call to the org, unless the view is exempt."""
    atomic = [alias for alias, values in django_settings.DATABASES.items() if values.get("ATOMIC_REQUESTS")]
    views = list(_views_that_call()) if atomic else []
    for alias in atomic:
        if wrapped := sorted({n for n, view in views if alias not in getattr(view, "_non_atomic_requests", ())}):
            yield {"alias": alias, "views": ", ".join(wrapped)}


def _views_that_call() -> Iterator[tuple[str, Any]]:
    """Yield name and view of the URLs of this app and of the sign-in."""
    ours = tuple(f"{namespace}:" for namespace in {APP, *(mount.namespace for mount in mounts())})
    for name, view in _named_views(get_resolver()):
        if name.startswith(ours) or name in ("oidc_authentication_init", "oidc_authentication_callback"):
            yield name, view


def _named_views(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}", pattern.callback
        else:
            yield from _named_views(pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)


check_database = register_table(
    Tags.security,
    Check("W013", when(lambda _: "reversion.middleware.RevisionMiddleware" in django_settings.MIDDLEWARE),
          "RevisionMiddleware of django-reversion keeps a transaction open during calls to Okta.",
          "Use a subclass whose request_creates_revision() returns False for the paths of selfreg and of the sign-in."),
    Check("E011", _atomic_views,
          "ATOMIC_REQUESTS is on for %(alias)r, so a transaction would stay open during calls to Okta in %(views)s.",
          "These views exempt themselves, but something wraps them here. Also wrap them in non_atomic_requests."),
)  # fmt: skip
