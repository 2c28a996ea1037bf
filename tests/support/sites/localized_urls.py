"""The demo's URLs with a language prefix."""

from typing import Any, cast

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

from project.urls import urlpatterns as demo_urls

urlpatterns = [*i18n_patterns(*cast(Any, demo_urls)), path("jsi18n/", include("django.conf.urls.i18n"))]
