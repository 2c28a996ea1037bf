"""Includes for further orgs as one would write them first: without a namespace, or within another one."""

from django.urls import include, path

from project.urls import urlpatterns as of_the_demo_site

urlpatterns = [
    *of_the_demo_site,
    path("partners/signup/", include("selfreg.urls"), {"org": "partners"}),
    path("shop/", include(([path("signup/", include("selfreg.urls", namespace="brand"))], "shop"))),
]
