"""The URLs of the site with django-allauth."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def home(request: HttpRequest) -> HttpResponse:
    """Where a person lands."""
    form = '<form method="post" action="/signout/"></form>' if request.user.is_authenticated else ""
    return HttpResponse(f"Hello {form}")


urlpatterns = [path("accounts/", include("allauth.urls")), path("", home)]
