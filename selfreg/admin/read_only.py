"""The base of our admin pages: nothing is added, changed or deleted by hand.

django-unfold is used where a site has it: its pages need its own ``ModelAdmin``.
"""

from importlib import import_module
from typing import Any

from django.apps import apps
from django.contrib import admin

Base: Any = import_module("unfold.admin").ModelAdmin if apps.is_installed("unfold") else admin.ModelAdmin


class ReadOnlyAdmin(Base):
    """Who may see it is a matter of permissions; what happens to it is not done by forms."""

    def has_add_permission(self, *_: Any) -> bool:
        return False

    def has_change_permission(self, *_: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        return False
