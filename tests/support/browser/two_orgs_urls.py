"""The URLs of the demo site, and those of a further org."""

from django.urls import include, path

from project.urls import urlpatterns as of_the_demo_site

urlpatterns = [*of_the_demo_site, path("partners/signup/", include("selfreg.urls", namespace="partners"))]
