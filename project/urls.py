"""The URLs of the demo site."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from project import views
from selfreg.admin.login import LimitedLoginForm

# Django limits no tries of a password.
admin.site.login_form = LimitedLoginForm

handler400 = views.bad_request
handler403 = views.permission_denied
handler404 = views.page_not_found
handler500 = views.server_error

urlpatterns = [
    path("", views.home, name="home"),
    path("members/", views.members, name="members"),
    path("signup/", include("selfreg.urls")),
    path("signup/api/", include("selfreg.api.urls")),
    path("oidc/", include("mozilla_django_oidc.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("signout/", LogoutView.as_view(), name="signout"),
    path("favicon.ico", views.favicon),
    path("admin/", admin.site.urls),
]
