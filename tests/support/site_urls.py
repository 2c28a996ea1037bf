"""The demo site with one page more, as a site would write it."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from project.urls import urlpatterns as of_the_demo_site
from selfreg.decorators import email_verified_required


@email_verified_required
def for_proven_people(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>Inside</h1>")


urlpatterns = [*of_the_demo_site, path("inside/", for_proven_people)]
