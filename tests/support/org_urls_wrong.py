"""Includes of further orgs with typical mistakes: without a namespace, and within another namespace."""

from django.urls import include, path

from project.urls import urlpatterns as of_the_demo_site

urlpatterns = [
    *of_the_demo_site,
    path("partners/signup/", include("selfreg.urls"), {"org": "partners"}),
    path("shop/", include(([path("signup/", include("selfreg.urls", namespace="brand"))], "shop"))),
]
