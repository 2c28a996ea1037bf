"""The URLs of the demo site, and those of a further org."""

from django.urls import include, path

from project.urls import urlpatterns as demo_urls

urlpatterns = [*demo_urls, path("partners/signup/", include("selfreg.urls", namespace="partners"))]
