"""Checks of the site around this app: authentication, URLs, the profile hook, and what the database has of the org."""

from datetime import timedelta
from importlib.util import find_spec
from sys import modules
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.checks import Tags
from django.db import DatabaseError
from django.urls import NoReverseMatch, Resolver404, get_resolver, get_script_prefix, is_valid_path, resolve
from django.utils import timezone, translation
from django.utils.translation import get_language

from selfreg.checks.base import Cases, Check, lineage, register_table, unusable_path, when
from selfreg.checks.users import BACKEND
from selfreg.conf import Conf
from selfreg.models import DoctorRun, PolicyVersion
from selfreg.registration.policy import site_language
from selfreg.web.orgs import missing_urls
from selfreg.web.redirects import landing

STOCK = "mozilla_django_oidc.auth.OIDCAuthenticationBackend"
VIEWS = {
    "OIDC_AUTHENTICATE_CLASS": "selfreg.views.AuthenticateView",
    "OIDC_CALLBACK_CLASS": "selfreg.views.CallbackView",
}
API_URLS = "selfreg.api.urls"
EMAIL_FIELD = "userProfile.email"
DOCTOR_IS_STALE_AFTER = timedelta(days=7)


# ---- authentication: our backend and views, and no unsafe setting of mozilla-django-oidc


def _backends() -> list[tuple[str, ...]]:
    return [lineage(path) for path in django_settings.AUTHENTICATION_BACKENDS]


def _stock_views(_settings: Conf) -> Cases:
    """Return the views of mozilla-django-oidc that are neither ours nor subclasses of ours."""
    used = {name: lineage(getattr(django_settings, name, "")) for name in VIEWS}
    return ({"name": name, "view": view} for name, view in VIEWS.items() if lineage(view)[1] not in used[name])


check_hand_off = register_table(
    Tags.security,
    Check("E007", when(lambda _: not any(BACKEND in kinds for kinds in _backends())),
          "AUTHENTICATION_BACKENDS lacks the backend that finishes sign-ups.",
          f"Add {BACKEND!r}, or your own subclass of it."),
    Check("E008", when(lambda _: any(STOCK in kinds and BACKEND not in kinds for kinds in _backends())),
          "The backend of mozilla-django-oidc finds users by email address, which isn't safe.",
          f"Replace it with {BACKEND!r}, or with a subclass of that."),
    Check("W001", _stock_views, "%(name)s isn't %(view)r.", "Set it: the stock view turns failures into HTTP 500."),
    Check("E009", when(lambda _: bool(getattr(django_settings, "OIDC_ALLOW_UNSECURED_JWT", False))),
          "OIDC_ALLOW_UNSECURED_JWT accepts tokens that anybody can write.", "Remove it."),
    Check("E010", when(lambda _: str(django_settings.SESSION_COOKIE_SAMESITE).lower() == "strict"),
          "With SESSION_COOKIE_SAMESITE 'Strict', visitors coming back from Okta have no session.", "Use 'Lax'."),
)  # fmt: skip


# ---- URLs


def _api_without_its_package(_settings: Conf) -> bool:
    """Return whether the URLs, which are the only ones to import it, include ``selfreg.api`` without django-ninja."""
    return bool(get_resolver().url_patterns) and API_URLS in modules and not find_spec("ninja")


def _missing_landing_page(settings: Conf) -> Cases:
    """Django's default for ``LOGIN_REDIRECT_URL`` is /accounts/profile/, which few sites have."""
    url = django_settings.LOGIN_REDIRECT_URL
    try:
        with translation.override(site_language()):
            url = landing("", settings)
            parts = urlsplit(url)
            path = parts.path.removeprefix(get_script_prefix()).lstrip("/")
            if not parts.netloc and not is_valid_path(f"/{get_language()}/{path}"):  # LocaleMiddleware redirects there
                resolve(f"/{path}")
    except (NoReverseMatch, Resolver404):
        yield {"url": str(url)}


check_urls = register_table(
    Tags.urls,
    Check("E022", when(_api_without_its_package), "The URLs include selfreg.api, but django-ninja isn't installed.",
          'Install it: pip install "django-selfreg[api]".'),
    Check("W004", lambda _: ({"name": name} for name in missing_urls()),
          "The site has no URL named %(name)r, so people can't sign up or sign in.",
          "In ROOT_URLCONF, include 'selfreg.urls' and 'mozilla_django_oidc.urls', outside of other namespaces."),
    Check("W014", when(lambda site: django_settings.PREPEND_WWW and "//www." not in site.base_url),
          "PREPEND_WWW is on, but SELFREG['BASE_URL'] has no 'www.'. Okta's hooks don't follow the redirect.",
          "Add 'www.' to BASE_URL, and run manage.py selfreg_setup_org."),
    Check("W003", _missing_landing_page,
          "After the sign-up, people are redirected to %(url)r, which isn't a page of this site.",
          "Set LOGIN_REDIRECT_URL or SELFREG['AFTER'] to a page of this site, or add a page at that URL."),
)  # fmt: skip


# ---- the profile hook


# Without a tag: the doctor runs the checks with the tag "security", and has a finding of its own for the hook.
check_profile_hook = register_table(
    None,
    Check("E025", unusable_path("profile_hook"),
          "SELFREG['PROFILE_HOOK'] is %(path)r, which can't be used: %(reason)s. Nobody can sign up.",
          "Use the dotted path of a function: 'mysite.rules.our_partners'."),
)  # fmt: skip


# ---- what the database knows of the org: its form, and with ``--deploy`` when the doctor examined it


def _form_without_address(settings: Conf) -> Cases:
    """Check the newest form that a visitor saw, in whatever language."""
    try:
        version = PolicyVersion.objects.filter(issuer=settings.issuer, org=settings.org).first()
    except DatabaseError:  # not migrated yet
        return
    fields = version.fields if version else []
    is_asked = any(f.get("name") == EMAIL_FIELD and f.get("required") for f in fields if isinstance(f, dict))
    if settings.email_is_mandatory() and fields and not is_asked:
        yield {}


check_form = register_table(
    Tags.database,
    Check("W033", _form_without_address,
          "SELFREG['EMAIL_VERIFICATION'] is 'mandatory', but the org's form doesn't require an email address. People "
          "without one can't finish a sign-up.",
          "Make email a required field of the profile form, or set EMAIL_VERIFICATION to 'optional'."),
    asks_database=True,
)  # fmt: skip


def _stale_doctor_run(settings: Conf) -> Cases:
    runs = DoctorRun.objects.filter(issuer=settings.issuer, org=settings.org)
    try:
        last_run = runs.values_list("at", flat=True).first()
    except DatabaseError:  # not migrated yet
        return
    if last_run is None:
        yield {"state": "has never been examined"}
    elif timezone.now() - last_run >= DOCTOR_IS_STALE_AFTER:
        yield {"state": f"was last examined on {last_run:%Y-%m-%d}"}


check_doctor = register_table(
    Tags.security,
    Check("W002", _stale_doctor_run, "The org %(state)s.", "Run manage.py selfreg_doctor every week."),
    deploy=True,
)  # fmt: skip
