"""The demo's settings as in production, DEBUG off, without having to collect static files first."""

from project.settings import *  # noqa: F403  (settings that extend others)

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# The local org has no HTTPS.
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "selfreg.E003"]  # noqa: F405
