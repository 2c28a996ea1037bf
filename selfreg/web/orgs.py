"""Which org a request belongs to, and the URLs of an org's pages.

The include of ``selfreg.urls`` decides, by ``{"org": "partners"}`` or by a namespace that is the name of an org. For
all other URLs, ``SELFREG["ORG_RESOLVER"]`` decides. Without a resolver, they belong to the default org.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import Http404, HttpRequest
from django.urls import NoReverseMatch, ResolverMatch, URLResolver, get_resolver, get_urlconf, reverse
from django.utils.module_loading import import_string

from selfreg.conf import DEFAULT, Conf, conf, orgs

logger = logging.getLogger("selfreg")

APP, API = "selfreg", "selfreg_api"
PARAMETER = "org"
SIGN_IN, CALLBACK = "oidc_authentication_init", "oidc_authentication_callback"
SIGNED_IN_AT = "selfreg_org"  # in a session: the org that the user signed in at, unless it is the default one


def settings_of(request: HttpRequest) -> Conf:
    """Return the settings of the request's org.

    :raises Http404: the URL or the resolver names an org that does not exist, or the resolver failed; the log says so
    """
    every = orgs()
    name = (len(every) > 1 and (_org_of_url(request.resolver_match) or _resolved(request))) or DEFAULT
    settings = every.get(name)
    if settings is None:
        logger.error("SELFREG['ORGS'] has no %r, which the URL or ORG_RESOLVER named.", name)
        raise Http404
    return settings


def settings_of_page(request: HttpRequest) -> Conf:
    """Return the settings of the request's org, or of the default org if there is no such org: for error pages."""
    try:
        return settings_of(request)
    except Http404:
        return conf()


def settings_of_session(request: HttpRequest) -> Conf:
    """Return the settings of the org that the user of this session signed in at."""
    every = orgs()
    # With one org, the session need not be loaded.
    return (len(every) > 1 and every.get(str(request.session.get(SIGNED_IN_AT)))) or every[DEFAULT]


def _resolved(request: HttpRequest) -> str:
    """Return the name that the site's resolver returns, or "".

    :raises Http404: it failed
    """
    path = conf().org_resolver
    if not path:
        return ""
    try:
        return str(import_string(path)(request) or "")
    except Exception as error:
        logger.exception("SELFREG['ORG_RESOLVER'] failed.")
        raise Http404 from error


def _org_of_url(match: ResolverMatch | None) -> str:
    if match is None or (APP not in match.app_names and API not in match.namespaces):
        return ""
    return str(match.kwargs.get(PARAMETER) or next((name for name in match.namespaces if name in orgs()), ""))


# ---- URLs


@dataclass(frozen=True, slots=True)
class Mount:
    """An include of ``selfreg.urls``: its full namespace, and the org that it names ("" for none)."""

    namespace: str
    org: str


def mounts() -> tuple[Mount, ...]:
    """Return every include of ``selfreg.urls`` in the site's URLs."""
    return _mounts(get_urlconf() or django_settings.ROOT_URLCONF)


def missing_urls() -> Iterator[str]:
    """Yield the names of the URLs that every site needs, and this one does not include."""
    for name in (f"{APP}:start", f"{APP}:verify", SIGN_IN, CALLBACK):
        try:
            reverse(name)
        except NoReverseMatch:
            yield name


def page_url(org: str, page: str) -> str:
    """Return the URL of a page of the sign-up, in the org's own include if it has one.

    :param page: the name of its URL pattern, such as ``start``
    :raises NoReverseMatch: the site does not include ``selfreg.urls``
    """
    return reverse(f"{_namespace(org) or APP}:{page}")


def sign_in_url(org: str) -> str:
    """Return the URL that starts a sign-in at the org."""
    return page_url(org, "sign_in") if _namespace(org) else reverse(SIGN_IN)


def callback_url(org: str) -> str:
    """Return the path that a sign-in returns to."""
    return page_url(org, "callback") if _namespace(org) else reverse(CALLBACK)


def _namespace(org: str) -> str:
    """Return the namespace of the org's own include; "" if it has none."""
    return "" if org == DEFAULT else next((m.namespace for m in mounts() if m.org == org), "")


@lru_cache(maxsize=8)
def _mounts(urlconf: Any) -> tuple[Mount, ...]:
    return tuple(_mounts_below(get_resolver(urlconf)))


def _mounts_below(resolver: URLResolver, namespaces: tuple[str, ...] = (), org: str = "") -> Iterator[Mount]:
    for pattern in resolver.url_patterns:
        if not isinstance(pattern, URLResolver):
            continue
        inside = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
        named = str(pattern.default_kwargs.get(PARAMETER) or org)
        if pattern.app_name == APP:
            own = next((name for name in inside if name != DEFAULT and name in orgs()), "")
            yield Mount(":".join(inside), named or own)
        else:
            yield from _mounts_below(pattern, inside, named)


@receiver(setting_changed)
def _clear_cache(*, setting: str, **_: object) -> None:
    if setting in ("SELFREG", "ROOT_URLCONF"):
        _mounts.cache_clear()
