"""The Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from selfreg import checks  # noqa: F401  (importing registers the system checks)


class SelfregConfig(AppConfig):
    """Self-service registration through Okta."""

    name = "selfreg"
    verbose_name = _("Self-service registration")
    default_auto_field = "django.db.models.BigAutoField"
