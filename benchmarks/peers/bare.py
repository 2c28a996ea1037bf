"""One form of Django's: a page, a row, an update of the row, a session. What any sign-up costs at least."""

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import path

from benchmarks.peers.base import *  # noqa: F403  (settings that extend others)

ROOT_URLCONF = "benchmarks.peers.bare"
PAGE = '<form method="post"><input name="csrfmiddlewaretoken" type="hidden" value="{}"><input name="email"></form>'


def form(request: HttpRequest) -> HttpResponse:
    """The form, and what is done when it is submitted."""
    if request.method == "GET":
        return HttpResponse(PAGE.format(get_token(request)))
    user = get_user_model().objects.create(username=request.POST["email"], email=request.POST["email"])
    user.first_name = "Ada"
    user.save(update_fields=["first_name"])
    request.session["user"] = user.pk
    return HttpResponse('Hello <form method="post" action="/signout/"></form>')


urlpatterns = [path("form/", form)]
