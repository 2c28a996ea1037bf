"""Which Django user an Okta account is."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from selfreg.admin.labels import shown_user
from selfreg.admin.read_only import ReadOnlyAdmin
from selfreg.models import OktaIdentity


@admin.register(OktaIdentity)
class OktaIdentityAdmin(ReadOnlyAdmin):
    """By subject only: the rest of a person is the Django user's page."""

    list_display = ("subject", "issuer", "account", "email_verified_at", "approval", "created_at")
    list_select_related = ("user",)
    fields = ("issuer", "subject", "account", "email_verified_at", "linked_at", "approval", "created_at")
    readonly_fields = ("account", "created_at")
    search_fields = ("=subject",)
    show_full_result_count = False
    change_list_template = "admin/selfreg/oktaidentity/list.html"

    @property
    def media(self) -> Any:
        """As the other pages look."""
        return forms.Media(css={"all": ["selfreg/admin.css"]})

    @admin.display(description=_("Django user"), ordering="user")
    def account(self, identity: OktaIdentity) -> str:
        return shown_user(identity.user)
