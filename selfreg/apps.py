"""The Django app."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SelfregConfig(AppConfig):
    """Self-service registration through Okta."""

    name = "selfreg"
    verbose_name = _("Self-service registration")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, which know the models, the reporters, and who logs in."""
        import_module("selfreg.checks")
        import_module("selfreg.error_reports").install()
        import_module("selfreg.monitoring.sign_ins").watch()
