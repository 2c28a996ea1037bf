"""Which Django user an Okta account is."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from selfreg.admin.read_only import ReadOnlyAdmin
from selfreg.models import OktaIdentity


@admin.register(OktaIdentity)
class OktaIdentityAdmin(ReadOnlyAdmin):
    """By subject only: the rest of a person is the Django user's page."""

    list_display = ("subject", "issuer", "user", "email_verified_at", "approval", "created_at")
    list_select_related = ("user",)
    search_fields = ("=subject",)
    search_help_text = _("The whole subject, which is the Okta user id.")
    show_full_result_count = False
