"""The demo's URLs with a view of this app in a wrapper that loses its transaction exemption."""

from typing import Any

from django.urls import include, path

from project.urls import urlpatterns as demo_urlpatterns
from selfreg.views import StartView


def wrap(view: Any) -> Any:
    def wrapper(*arguments: Any, **more: Any) -> Any:
        return view(*arguments, **more)

    return wrapper


pages = ([path("", wrap(StartView.as_view()), name="start")], "selfreg")
urlpatterns = [path("signup/", include(pages)), *demo_urlpatterns[3:]]
