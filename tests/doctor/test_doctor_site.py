"""Doctor checks of the site: settings of a site in production."""

from collections.abc import Callable
from tempfile import gettempdir
from typing import Any

import pytest
from django.test import RequestFactory

from selfreg.conf import conf
from selfreg.doctor.checks.site import check_site
from selfreg.doctor.examination import examine
from selfreg.web.visitor import client_ip

PRODUCTION: dict[str, Any] = {
    "DEBUG": False,
    "ALLOWED_HOSTS": ["www.example.com"],
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": gettempdir()}},
    "USE_TZ": True,
}
LOCAL_MEMORY = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
OWN_MEMORY = {"default": {"BACKEND": "support.sites.extended.OwnMemory"}}
DEAD_REDIS = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
}
WITHOUT_TABLE = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "no_such_table"}}
WRONG_SETTINGS: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("doctor.site-hosts", {"ALLOWED_HOSTS": ["example.com"]}, {}),
    ("doctor.site-cookies", {"SESSION_COOKIE_SECURE": False}, {}),
    ("doctor.site-cookies", {"CSRF_COOKIE_SECURE": False}, {}),
    ("doctor.site-cache", {"CACHES": LOCAL_MEMORY}, {}),
    ("doctor.site-cache-away", {"CACHES": DEAD_REDIS}, {}),
    ("doctor.site-cache", {"CACHES": OWN_MEMORY}, {}),
    ("doctor.site-cache-table", {"CACHES": WITHOUT_TABLE}, {}),
    ("doctor.site-proxy", {"SECURE_PROXY_SSL_HEADER": None}, {"TRUSTED_PROXIES": 1}),
    ("doctor.site-routes", {"ROOT_URLCONF": "selfreg.urls"}, {}),
    ("selfreg.E003", {}, {"ISSUER": "http://dev-1.okta.com"}),
    ("selfreg.E003", {}, {"BASE_URL": "http://www.example.com"}),
    ("selfreg.E007", {"AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"]}, {}),
)


@pytest.fixture(autouse=True)
def _in_production(db: None, settings: Any, configure: Callable[..., None]) -> None:
    configure(ISSUER="https://dev-1.okta.com", BASE_URL="https://www.example.com", CLIENT_SECRET="made-by-okta")
    for name, value in PRODUCTION.items():
        setattr(settings, name, value)


def test_correct_production_site_has_no_findings() -> None:
    assert list(check_site(conf())) == []


@pytest.mark.parametrize(("expected", "django", "site"), WRONG_SETTINGS)
def test_each_wrong_site_setting_is_the_only_finding(
    expected: str, django: dict[str, Any], site: dict[str, Any], settings: Any, configure: Callable[..., None]
) -> None:
    configure(**site)
    for name, value in django.items():
        setattr(settings, name, value)
    assert [finding.id for finding in check_site(conf())] == [expected]


def test_org_is_not_examined_if_the_site_has_no_sign_in_urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "selfreg.urls"
    assert [finding.id for finding in examine(conf()).findings] == ["doctor.site-routes"]


@pytest.mark.parametrize("caches", [LOCAL_MEMORY, DEAD_REDIS, WITHOUT_TABLE], ids=["memory", "redis", "table"])
def test_cache_problems_are_only_warnings(settings: Any, caches: dict[str, Any]) -> None:
    settings.CACHES = caches
    assert [finding.kind.severity for finding in check_site(conf())] == ["warning"]


def test_unreadable_visitor_addresses_are_a_finding(settings: Any, configure: Callable[..., None]) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.CACHES = LOCAL_MEMORY
    configure(TRUSTED_PROXIES=1)
    client_ip(RequestFactory().get("/", headers={"X-Forwarded-For": "unknown"}), conf())
    assert "doctor.site-visitors" in [finding.id for finding in check_site(conf())]
