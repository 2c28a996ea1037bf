"""Okta identities in Django admin: which Okta account belongs to which Django user."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from selfreg.admin.labels import user_label
from selfreg.admin.read_only import ReadOnlyAdmin
from selfreg.models import OktaIdentity


@admin.register(OktaIdentity)
class OktaIdentityAdmin(ReadOnlyAdmin):
    """The list is searched by subject only. More about a person is on the page of the Django user."""

    list_display = ("subject", "issuer", "account", "email_verified_at", "approval", "created_at")
    list_select_related = ("user",)
    fields = ("issuer", "subject", "account", "email_verified_at", "linked_at", "approval", "created_at")
    readonly_fields = ("account", "created_at")
    search_fields = ("=subject",)
    show_full_result_count = False
    change_list_template = "admin/selfreg/oktaidentity/list.html"

    @property
    def media(self) -> Any:
        """The style sheet of the other pages."""
        return forms.Media(css={"all": ["selfreg/admin.css"]})

    @admin.display(description=_("Django user"), ordering="user")
    def account(self, identity: OktaIdentity) -> str:
        """The Django user."""
        return user_label(identity.user)
