"""Includes of further orgs with typical mistakes: without a namespace, and within another namespace."""

from django.urls import include, path

from project.urls import urlpatterns as demo_urls

urlpatterns = [
    *demo_urls,
    path("partners/signup/", include("selfreg.urls"), {"org": "partners"}),
    path("shop/", include(([path("signup/", include("selfreg.urls", namespace="brand"))], "shop"))),
]
