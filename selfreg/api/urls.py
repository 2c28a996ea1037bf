"""The URLs of the JSON API. There are none without django-ninja; a system check reports that (``selfreg.E022``)."""

from importlib.util import find_spec
from typing import Any

from django.urls import path

if find_spec("ninja"):
    from selfreg.api.operations import api

    urlpatterns: list[Any] = [path("", api.urls)]
else:
    urlpatterns = []
