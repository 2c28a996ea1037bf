"""The URLs of the JSON API. There are none without django-ninja; a system check reports that (``selfreg.E022``)."""

from importlib.util import find_spec
from typing import Any

from django.urls import path

from selfreg.web.exemptions import exempt, for_visitors

__all__ = ["urlpatterns"]

if find_spec("ninja"):
    from selfreg.api import captcha  # noqa: F401 its operation is one of the API's
    from selfreg.api.operations import DOCUMENT, api, document

    urlpatterns: list[Any] = [path(DOCUMENT, document, name="openapi-json"), path("", api.urls)]
    exempt(urlpatterns, for_visitors)
else:
    urlpatterns = []
