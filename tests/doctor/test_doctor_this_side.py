"""A site in production: https everywhere, a shared cache, its own host."""

from collections.abc import Callable
from typing import Any

import pytest

from selfreg.conf import conf
from selfreg.doctor.checks.site import check_site

PRODUCTION: dict[str, Any] = {
    "DEBUG": False,
    "ALLOWED_HOSTS": ["www.example.com"],
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "django_cache"}},
    "USE_TZ": True,
}
LOCAL_MEMORY = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
WRONG = (
    ("doctor.site-hosts", {"ALLOWED_HOSTS": ["example.com"]}, {}),
    ("doctor.site-cookies", {"SESSION_COOKIE_SECURE": False}, {}),
    ("doctor.site-cookies", {"CSRF_COOKIE_SECURE": False}, {}),
    ("doctor.site-cache", {"CACHES": LOCAL_MEMORY}, {}),
    ("doctor.site-proxy", {"SECURE_PROXY_SSL_HEADER": None}, {"TRUSTED_PROXIES": 1}),
    ("doctor.site-routes", {"ROOT_URLCONF": "selfreg.urls"}, {}),
    ("selfreg.E003", {}, {"ISSUER": "http://dev-1.okta.com"}),
    ("selfreg.E003", {}, {"BASE_URL": "http://www.example.com"}),
    ("selfreg.E007", {"AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"]}, {}),
)


@pytest.fixture(autouse=True)
def _in_production(settings: Any, configure: Callable[..., None]) -> None:
    configure(ISSUER="https://dev-1.okta.com", BASE_URL="https://www.example.com")
    for name, value in PRODUCTION.items():
        setattr(settings, name, value)


def test_a_site_in_production_yields_no_finding() -> None:
    assert list(check_site(conf())) == []


@pytest.mark.parametrize(("wanted", "django", "site"), WRONG)
def test_each_wrong_setting_is_named_and_no_other(
    wanted: str, django: dict[str, Any], site: dict[str, Any], settings: Any, configure: Callable[..., None]
) -> None:
    configure(**site)
    for name, value in django.items():
        setattr(settings, name, value)
    assert [finding.id for finding in check_site(conf())] == [wanted]
