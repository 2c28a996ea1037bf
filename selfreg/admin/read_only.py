"""The base of this app's admin pages: no form adds, changes or deletes rows.

Where the site uses django-unfold, the base is its ``ModelAdmin``, which its templates need.
"""

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
elif apps.is_installed("unfold"):
    from unfold.admin import ModelAdmin
else:
    from django.contrib.admin import ModelAdmin


class ReadOnlyAdmin(ModelAdmin):
    """Lets users with the view permission see rows; nobody may add, change or delete them here."""

    def has_add_permission(self, *args: Any, **kwargs: Any) -> bool:
        """Return False."""
        return False

    def has_change_permission(self, *args: Any, **kwargs: Any) -> bool:
        """Return False."""
        return False

    def has_delete_permission(self, *args: Any, **kwargs: Any) -> bool:
        """Return False."""
        return False
