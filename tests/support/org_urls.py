"""URLs of the demo site with further orgs: partners with their own org, and a brand with an app of the same org."""

from django.http import HttpRequest
from django.urls import include, path

from support.site_urls import urlpatterns as site_urls


def by_host(request: HttpRequest) -> str:
    """Return the org of a request whose URL contains none."""
    return {"brand.testserver": "brand", "lost.testserver": "nobody"}.get(request.get_host(), "")


def breaks(request: HttpRequest) -> str:
    raise RuntimeError("canary of a resolver")


urlpatterns = [
    *site_urls,
    path("partners/signup/", include("selfreg.urls", namespace="partners-pages"), {"org": "partners"}),
    path(
        "partners/signup/api/", include(("selfreg.api.urls", "partners"), namespace="partners-api"), {"org": "partners"}
    ),
    path("brand/signup/", include("selfreg.urls", namespace="brand")),
    path("nobody/signup/", include("selfreg.urls", namespace="nobody-pages"), {"org": "nobody"}),
]
