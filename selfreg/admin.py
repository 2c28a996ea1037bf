"""Registrations in Django admin: to be watched, not edited."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from selfreg.email import canonical, masked
from selfreg.models import OktaIdentity, Registration, RegistrationEvent


class ReadOnly:
    """Nothing is added, changed or deleted by hand."""

    def has_add_permission(self, *_: Any) -> bool:
        return False

    def has_change_permission(self, *_: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        return False


class EventInline(ReadOnly, admin.TabularInline):
    """What happened, in order."""

    model = RegistrationEvent
    fields = ("at", "kind", "step", "outcome", "milliseconds", "request_id")
    readonly_fields = fields
    ordering = ("at", "pk")


@admin.register(Registration)
class RegistrationAdmin(ReadOnly, admin.ModelAdmin):
    """Where each person stands."""

    list_display = (
        "masked_email",
        "status",
        "step",
        "workflow",
        "email_proven",
        "created_at",
        "updated_at",
        "language",
    )
    list_filter = ("status", "workflow", "created_at")
    search_fields = ("=email_canonical", "=okta_user_id")
    search_help_text = _("The whole e-mail address, or an Okta user id.")
    show_full_result_count = False
    fields = (
        "id", "masked_email", "status", "step", "workflow", "email_verified_at", "issuer", "okta_user_id", "user", "next_url",
        "language", "policy", "failure", "failure_text", "created_at", "updated_at", "expires_at", "finished_at",
    )  # fmt: skip
    readonly_fields = fields
    inlines = (EventInline,)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        return super().get_search_results(request, queryset, canonical(search_term) or search_term)

    @admin.display(description=_("e-mail"))
    def masked_email(self, registration: Registration) -> str:
        return masked(registration.email) or "—"

    @admin.display(description=_("e-mail proven"), boolean=True)
    def email_proven(self, registration: Registration) -> bool:
        return registration.email_verified_at is not None


@admin.register(OktaIdentity)
class OktaIdentityAdmin(ReadOnly, admin.ModelAdmin):
    """Which Django user an Okta account is."""

    list_display = ("subject", "issuer", "user", "email_verified_at", "created_at")
    search_fields = ("=subject",)
    raw_id_fields = ("user",)
