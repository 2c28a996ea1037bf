"""The demo site with another theme. In your own site, the last lines belong in its settings."""

from pathlib import Path

from project.settings import *  # noqa: F403  (settings that extend others)
from project.settings import SELFREG, TEMPLATES

THEME = Path(__file__).resolve().parent

TEMPLATES[0]["DIRS"].insert(0, THEME / "templates")
STATICFILES_DIRS = [THEME / "static"]
SELFREG["SITE_NAME"] = "Harbour Club"
