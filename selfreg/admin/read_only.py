"""The base class of this app's admin pages, where nobody can add, change or delete rows.

On sites with django-unfold, it extends unfold's ``ModelAdmin``, which unfold's templates need.
"""

from typing import TYPE_CHECKING, Any

from django import forms
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

    @property
    def media(self) -> Any:
        """The style sheet of these pages, without Django's scripts."""
        return forms.Media(css={"all": ["selfreg/admin.css"]})

    def has_add_permission(self, *args: Any, **kwargs: Any) -> bool:
        """Return False."""
        return False

    def has_change_permission(self, *args: Any, **kwargs: Any) -> bool:
        """Return False."""
        return False

    def has_delete_permission(self, *args: Any, **kwargs: Any) -> bool:
        """Return False."""
        return False
