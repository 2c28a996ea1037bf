"""Subclasses of middleware, caches and others, as sites use them in their settings."""

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.backends import signed_cookies
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from django_redis.cache import RedisCache as DjangoRedisCache
from mozilla_django_oidc.middleware import SessionRefresh

from selfreg.middleware import FormEncodingMiddleware, OperationsMiddleware


class OwnSession(SessionMiddleware):
    pass


class OwnAuthentication(AuthenticationMiddleware):
    pass


class OwnLocale(LocaleMiddleware):
    pass


class OwnCsrf(CsrfViewMiddleware):
    pass


class OwnEncoding(FormEncodingMiddleware):
    pass


class OwnOperations(OperationsMiddleware):
    pass


class OwnRefresh(SessionRefresh):  # type: ignore[misc]
    pass


class OwnRedis(RedisCache):
    pass


class OwnDjangoRedis(DjangoRedisCache):  # type: ignore[misc]
    pass


class OwnMemory(LocMemCache):
    pass


class SessionStore(signed_cookies.SessionStore):
    """Makes this module a session engine."""


EXTENDED = {
    f"{kind.__bases__[0].__module__}.{kind.__bases__[0].__qualname__}": f"{kind.__module__}.{kind.__qualname__}"
    for kind in (OwnSession, OwnAuthentication, OwnLocale, OwnCsrf, OwnEncoding, OwnOperations)
}
"""Maps the dotted name of a middleware to that of its subclass."""


def one_word(_request: HttpRequest) -> dict[str, str]:
    """A context processor of a site."""
    return {str(getattr(settings, "WORD")): "ours"}  # noqa: B009 - not a setting of the demo site, which mypy reads


def own_page_for_a_failed_check(request: HttpRequest, reason: str = "") -> HttpResponse:
    return HttpResponse("Our own page.", status=403)
