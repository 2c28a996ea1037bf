"""This site's own settings, beside what the system checks say."""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import WARNING, CheckMessage, Tags, run_checks
from django.http.request import split_domain_port, validate_host
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_noop as _

from selfreg.conf import conf
from selfreg.doctor.findings import HERE, Finding, Found, Said, Severity, found
from selfreg.profile_hook import reason_unusable

LOCAL_HOSTS = [".localhost", "127.0.0.1", "[::1]"]
OWN_CACHES = ("locmem.LocMemCache", "dummy.DummyCache")
ROUTES = ("selfreg:start", "selfreg:verify", "oidc_authentication_init", "oidc_authentication_callback")
# Languages of Okta's own texts, by their first part.
OKTA_LANGUAGES = frozenset({"bg", "cs", "da", "de", "el", "en", "es", "fi", "fr", "hi", "hr", "ht"}) | frozenset(
    {"hu", "id", "it", "ja", "ko", "ms", "nb", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "sw", "th"}
    | {"tr", "uk", "ur", "vi", "zh"}
)

# Of the system checks: without these settings there is nobody to ask, or no way to ask.
UNUSABLE = frozenset({"selfreg.E002", "selfreg.E003", "selfreg.E012"})


def unusable(findings: Iterable[Found]) -> tuple[Found, ...]:
    """Those of ``judge`` with which no org can be talked to."""
    return tuple(found for found in findings if found.finding.id in UNUSABLE)


def judge() -> Iterator[Found]:
    """Findings about this side."""
    yield from _system_checks()
    if missing := [name for name in ROUTES if not _is_mounted(name)]:
        yield found("site-routes", names=", ".join(missing))
    host, _port = split_domain_port(urlsplit(conf().base_url).netloc.lower())
    allowed = settings.ALLOWED_HOSTS or (LOCAL_HOSTS if settings.DEBUG else [])
    if host and not validate_host(host, allowed):
        yield found("site-hosts", host=host)
    if conf().base_url.startswith("https:"):
        yield from _https()
    if not settings.DEBUG and settings.CACHES["default"]["BACKEND"].endswith(OWN_CACHES):
        yield found("site-cache", backend=settings.CACHES["default"]["BACKEND"])
    if not settings.USE_TZ:
        yield found("site-time-zone")
    if settings.LANGUAGE_CODE.split("-")[0].lower() not in OKTA_LANGUAGES:
        yield found("site-language", language=settings.LANGUAGE_CODE)
    yield from _profile_hook()


def _system_checks() -> Iterator[Found]:
    """Messages of our own checks keep their id: they are findings like any other."""
    messages: list[CheckMessage] = run_checks(tags=[Tags.security])
    for message in messages:
        if message.level >= WARNING and (message.id or "").startswith("selfreg."):
            severity: Severity = "error" if message.is_serious() else "warning"
            yield Found(
                Finding(str(message.id), str(message.msg), *HERE, "", severity),
                Said("", {"hint": str(message.hint or "")}),
            )


def _is_mounted(name: str) -> bool:
    try:
        return bool(reverse(name))
    except NoReverseMatch:
        return False


def _https() -> Iterator[Found]:
    insecure = [n for n in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE") if not getattr(settings, n)]
    if insecure:
        yield found("site-cookies", settings=", ".join(insecure))
    if conf().trusted_proxies and not getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        yield found("site-proxy", _("%(setting)s is not set"), setting="SECURE_PROXY_SSL_HEADER")


def _profile_hook() -> Iterator[Found]:
    if reason_unusable(conf().profile_hook):
        yield found("site-hook", path=conf().profile_hook)
