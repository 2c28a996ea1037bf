"""Sites with other URLs, middleware, databases, user models and settings than the demo."""

from support.sites.project import GUNICORN, Recipe

SET_UP_ORG = "selfreg_setup_org --yes"

LOCALIZED = Recipe(
    "localized",
    """
ROOT_URLCONF = "mysite.localized"
""",
    files={
        "mysite/localized.py": """
from django.conf.urls.i18n import i18n_patterns

from mysite.urls import urlpatterns as plain

urlpatterns = i18n_patterns(*plain)
"""
    },
    commands=("migrate -v 0", SET_UP_ORG),
    home="en/",
)

BELOW_A_PATH = Recipe(
    "below_a_path",
    """
FORCE_SCRIPT_NAME = "/shop"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/shop/"
""",
    commands=("migrate -v 0", SET_UP_ORG),
    server=GUNICORN,
    home="shop/",
)

GUARDED = Recipe(
    "guarded",
    """
authentication = MIDDLEWARE.index("django.contrib.auth.middleware.AuthenticationMiddleware")
MIDDLEWARE.insert(authentication + 1, "django.contrib.auth.middleware.LoginRequiredMiddleware")
MIDDLEWARE.append("mysite.closed.Closed")
DATABASES["default"]["ATOMIC_REQUESTS"] = True
CSRF_USE_SESSIONS = True
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
TEMPLATES.insert(0, {"BACKEND": "django.template.backends.jinja2.Jinja2", "APP_DIRS": True})
""",
    """
from django.contrib.auth.decorators import login_not_required

urlpatterns[0] = path("", login_not_required(TemplateView.as_view(template_name="home.html")))
""",
    {
        "mysite/closed.py": '''
from django.shortcuts import redirect


class Closed:
    """Redirects every page except the home page and those of this app."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        is_open = request.path == "/" or request.path.startswith(("/signup/", "/oidc/"))
        return self.get_response(request) if is_open else redirect("/")
'''
    },
    checks=frozenset({"selfreg.W012"}),
)

OWN_PEOPLE = Recipe(
    "own_people",
    """
INSTALLED_APPS += ["people"]
AUTH_USER_MODEL = "people.Person"
SELFREG["USER_FACTORY"] = "people.factory.make_person"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
STATIC_ROOT = BASE_DIR / "collected"
""",
    files={
        "people/__init__.py": "",
        "people/migrations/__init__.py": "",
        "people/models.py": """
import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models


class Person(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    first_name = models.CharField(max_length=50)
    shoe_size = models.PositiveSmallIntegerField()
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    objects = BaseUserManager()
    USERNAME_FIELD = "email"
""",
        "people/factory.py": """
from people.models import Person


def make_person(*, claims, registration, profile):
    return Person(email=claims["email"], first_name=claims["given_name"], shoe_size=38)
""",
    },
    commands=("makemigrations people -v 0", "migrate -v 0", "collectstatic --noinput -v 0"),
)

TWO_DATABASES = Recipe(
    "two_databases",
    """
DATABASES["everything"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "everything.sqlite3"}
DATABASE_ROUTERS = ["mysite.routers.Everything"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "site_cache"}}
""",
    files={
        "mysite/routers.py": """
class Everything:
    def db_for_read(self, model, **hints):
        return "everything"

    def db_for_write(self, model, **hints):
        return "everything"

    def allow_migrate(self, db, *args, **hints):
        return db == "everything"
"""
    },
    commands=("createcachetable --database everything", "migrate -v 0 --database everything"),
)

BARE = Recipe(
    "bare",
    """
for app in ("django.contrib.admin", "django.contrib.messages", "django.contrib.staticfiles"):
    INSTALLED_APPS.remove(app)
MIDDLEWARE.remove("django.contrib.messages.middleware.MessageMiddleware")
TEMPLATES[0]["OPTIONS"]["context_processors"] = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
]
ROOT_URLCONF = "mysite.bare"
""",
    files={
        "mysite/bare.py": """
from django.urls import include, path
from django.views.generic import TemplateView

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html")),
    path("signup/", include("selfreg.urls")),
    path("oidc/", include("mozilla_django_oidc.urls")),
    path("signout/", TemplateView.as_view(template_name="home.html"), name="signout"),
]
"""
    },
)

OWN_API = Recipe(
    "own_api",
    """
INSTALLED_APPS[INSTALLED_APPS.index("django.contrib.admin")] = "mysite.own_admin.OwnConfig"
""",
    """
from ninja import NinjaAPI

api = NinjaAPI()


@api.get("/me")
def me(request):
    return {"email": getattr(request.user, "email", "")}


urlpatterns += [path("api/", api.urls), path("signup/api/", include("selfreg.api.urls"))]
""",
    {
        "mysite/own_admin.py": """
from django.contrib.admin.apps import AdminConfig


class OwnConfig(AdminConfig):
    default_site = "mysite.own_site.OwnSite"
""",
        "mysite/own_site.py": """
from django.contrib.admin import AdminSite


class OwnSite(AdminSite):
    site_header = "Our own admin"
""",
    },
)

UNUSUAL_SETTINGS = Recipe(
    "particular",
    """
LANGUAGE_CODE = "fi"
TIME_ZONE = "Asia/Kathmandu"
USE_I18N = False
USE_THOUSAND_SEPARATOR = True
APPEND_SLASH = False
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "form"
SESSION_COOKIE_NAME = "browser"
SESSION_ENGINE = "django.contrib.sessions.backends.file"
SESSION_FILE_PATH = BASE_DIR / "sessions"
SESSION_SAVE_EVERY_REQUEST = True
TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = "MISSING %s"
LOGGING = {"version": 1, "disable_existing_loggers": True}
""",
    files={"sessions/.keep": ""},
)

CACHED = Recipe(
    "cached",
    """
INSTALLED_APPS += ["django.contrib.sites", "django.contrib.flatpages", "django.contrib.redirects", "django.forms"]
SITE_ID = 1
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
MIDDLEWARE.insert(1, "django.middleware.cache.UpdateCacheMiddleware")
MIDDLEWARE += [
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.contrib.sites.middleware.CurrentSiteMiddleware",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
    "django.contrib.redirects.middleware.RedirectFallbackMiddleware",
    "django.middleware.cache.FetchFromCacheMiddleware",
]
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
TEMPLATES[0] |= {"APP_DIRS": False}
TEMPLATES[0]["OPTIONS"]["loaders"] = [
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
""",
    """
from django.http import HttpResponse
from django.urls import re_path


async def any_page(request, path):
    return HttpResponse(path)


urlpatterns += [re_path("^(?P<path>.*)$", any_page)]
""",
)

OTHER_SITES = (LOCALIZED, BELOW_A_PATH, GUARDED, OWN_PEOPLE, TWO_DATABASES, BARE, OWN_API, UNUSUAL_SETTINGS, CACHED)
