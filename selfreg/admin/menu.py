"""Adds sign-ups to the admin's start page and menu, without replacing the site's ``AdminSite``.

Django's menu has models only, sorted by name. Here, the entries have an order, and two of them are other pages.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from selfreg.admin.start_page import card

APP_LABEL = "selfreg"
INDEX_TEMPLATE = "admin/selfreg/index.html"
ORDER = ("Registration", "Funnel", "SignUpForm", "DoctorRun", "OktaIdentity")
# Class of a model -> its name in the menu, if that is not the plural of its name.
NAMES: dict[str, str | Promise] = {"DoctorRun": _("Doctor")}
# Name of the entry -> its text, and the URL name.
PAGES: dict[str, tuple[str | Promise, str]] = {
    "Funnel": (_("Funnel"), "admin:selfreg_registration_funnel"),
    "SignUpForm": (_("Sign-up form"), "admin:selfreg_registration_policy"),
}


def extend(site: AdminSite) -> None:
    """Put the card on the start page, unless the site has its own template for it, and order the menu."""
    if site.index_template is None:
        site.index_template = INDEX_TEMPLATE
    changed = {
        "index": _with_card(site.index),
        "app_index": _with_card(site.app_index),
        "get_app_list": _with_order(site.get_app_list),
    }
    for name, method in changed.items():
        setattr(site, name, method)


def _with_card(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Add the card to the start page. It is lazy: only the template calls it."""

    def with_card(request: HttpRequest, *args: Any, extra_context: Any = None, **kwargs: Any) -> HttpResponse:
        context = {"sign_up_card": lambda: card(request.user), **(extra_context or {})}
        return view(request, *args, extra_context=context, **kwargs)

    return with_card


def _with_order(get_app_list: Callable[..., list[dict[str, Any]]]) -> Callable[..., list[dict[str, Any]]]:
    def ordered(request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        apps = get_app_list(request, app_label)
        for app in apps:
            if app["app_label"] == APP_LABEL:
                app["models"] = _entries(app["models"], request.path)
        return apps

    return ordered


def _entries(models: list[dict[str, Any]], path: str) -> list[dict[str, Any]]:
    by_name = {model["object_name"]: model for model in models}
    for name in NAMES.keys() & by_name.keys():
        by_name[name] = by_name[name] | {"name": NAMES[name]}
    if registrations := by_name.get("Registration"):
        for name, (text, url) in PAGES.items():
            by_name[name] = registrations | {"name": text, "object_name": name, "admin_url": reverse(url)}
            if path == reverse(url):
                # The menu marks each entry whose address is part of the page's. Here only the page itself is.
                by_name["Registration"] = registrations | {"admin_url": f"{registrations['admin_url']}?"}
    known = [by_name.pop(name) for name in ORDER if name in by_name]
    return [*known, *by_name.values()]
