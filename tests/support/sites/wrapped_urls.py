"""The demo's URLs, with views of this app in a wrapper that forgets what they are exempt from."""

from typing import Any

from django.urls import include, path

from project.urls import urlpatterns as of_the_demo
from selfreg.views import StartView


def counted(view: Any) -> Any:
    def wrapper(*arguments: Any, **more: Any) -> Any:
        return view(*arguments, **more)

    return wrapper


pages = ([path("", counted(StartView.as_view()), name="start")], "selfreg")
urlpatterns = [path("signup/", include(pages)), *of_the_demo[3:]]
