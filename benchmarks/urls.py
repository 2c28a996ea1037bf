"""Ours at /admin/, and the same table as Django shows it with the usual options at /stock/."""

from django.contrib import admin
from django.urls import include, path

from selfreg.models import Registration


class StockAdmin(admin.ModelAdmin):
    """What one writes first: a date hierarchy, filters by field, search in a few columns."""

    list_display = (
        "email", "status", "step", "workflow", "email_verified_at", "created_at", "expires_at", "language", "country",
        "updated_at",
    )  # fmt: skip
    list_filter = ("status", "step", "workflow", "failure", "policy", "created_at")
    search_fields = ("email", "email_canonical", "okta_user_id", "id")
    date_hierarchy = "created_at"


stock = admin.AdminSite("stock")
stock.register(Registration, StockAdmin)

urlpatterns = [
    path("admin/", admin.site.urls),
    path("stock/", stock.urls),
    path("signup/", include("selfreg.urls")),
    path("oidc/", include("mozilla_django_oidc.urls")),
]
