"""The demo site with more pages, as a site would write them."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from project.urls import urlpatterns as demo_urls
from selfreg.decorators import email_verified_required


@email_verified_required
def verified_only(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>Inside</h1>")


@email_verified_required
async def for_proven_people_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>Inside</h1>")


urlpatterns = [
    *demo_urls,
    path("inside/", verified_only),
    path("inside/async/", for_proven_people_async),
]
