"""Checks this site's own settings, beyond what the system checks do."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.checks import WARNING, CheckMessage, Tags, run_checks
from django.http.request import split_domain_port, validate_host
from django.utils.translation import gettext_noop as _

from selfreg.cache import Trouble, examine
from selfreg.conf import Conf
from selfreg.doctor.findings import SITE, Detail, Finding, FindingKind, Severity, finding
from selfreg.profile_hook import reason_unusable
from selfreg.web.orgs import missing_urls
from selfreg.web.visitor import was_unreadable

LOCAL_HOSTS = [".localhost", "127.0.0.1", "[::1]"]
# Languages that Okta's own texts are translated into, without regions.
OKTA_LANGUAGES = frozenset({"bg", "cs", "da", "de", "el", "en", "es", "fi", "fr", "hi", "hr", "ht"}) | frozenset(
    {"hu", "id", "it", "ja", "ko", "ms", "nb", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "sw", "th"}
    | {"tr", "uk", "ur", "vi", "zh"}
)
# Ids of findings about what is necessary to call the org.
ORG_CANNOT_BE_CALLED = frozenset({"selfreg.E002", "selfreg.E003", "selfreg.E012", "doctor.site-routes"})


def prevents_calls(finding: Finding) -> bool:
    """Return whether the org can't be called because of this finding."""
    return finding.id in ORG_CANNOT_BE_CALLED


def check_site(settings: Conf) -> Iterator[Finding]:
    """Check the settings of this site."""
    yield from _system_checks()
    if missing := list(missing_urls()):
        yield finding("site-routes", names=", ".join(missing))
    host, _port = split_domain_port(urlsplit(settings.base_url).netloc.lower())
    allowed = django_settings.ALLOWED_HOSTS or (LOCAL_HOSTS if django_settings.DEBUG else [])
    if host and not validate_host(host, allowed):
        yield finding("site-hosts", host=host)
    if settings.base_url.startswith("https:"):
        yield from _https(settings)
    if settings.trusted_proxies and was_unreadable():
        yield finding("site-visitors", _("expected in: %(header)s"), header=settings.proxy_header)
    if trouble := examine():
        kind, problem = trouble
        if not (django_settings.DEBUG and kind is Trouble.OF_ONE_PROCESS):
            yield finding(kind, backend=django_settings.CACHES["default"]["BACKEND"], problem=problem)
    if not django_settings.USE_TZ:
        yield finding("site-time-zone")
    if django_settings.LANGUAGE_CODE.split("-")[0].lower() not in OKTA_LANGUAGES:
        yield finding("site-language", language=django_settings.LANGUAGE_CODE)
    if reason_unusable(settings.profile_hook):
        yield finding("site-hook", path=settings.profile_hook)


def _system_checks() -> Iterator[Finding]:
    """Yield the messages of this app's system checks as findings, with the checks' ids."""
    messages: list[CheckMessage] = run_checks(tags=[Tags.security])
    for message in messages:
        if message.level >= WARNING and (message.id or "").startswith("selfreg."):
            severity: Severity = "error" if message.is_serious() else "warning"
            kind = FindingKind(str(message.id), str(message.msg), *SITE, "", severity)
            yield Finding(kind, Detail("", {"hint": str(message.hint or "")}))


def _https(settings: Conf) -> Iterator[Finding]:
    switches = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
    if insecure := [name for name in switches if not getattr(django_settings, name)]:
        yield finding("site-cookies", settings=", ".join(insecure))
    if settings.trusted_proxies and not getattr(django_settings, "SECURE_PROXY_SSL_HEADER", None):
        yield finding("site-proxy", _("%(setting)s is not set"), setting="SECURE_PROXY_SSL_HEADER")
