"""The URLs of the site with django-registration."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def home(request: HttpRequest) -> HttpResponse:
    """Where a person lands."""
    return HttpResponse("Hello")


urlpatterns = [path("accounts/", include("django_registration.backends.activation.urls")), path("", home)]
