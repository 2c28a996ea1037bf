"""The demo's settings with another user model (`SITE_USER`) and the changes in `SITE_SETTINGS` (JSON)."""

import json
import os
from typing import Any

from project.settings import *  # noqa: F403
from project.settings import INSTALLED_APPS as DEMO_APPS
from project.settings import SELFREG as DEMO_SELFREG
from support.person import KEYS, SITE

changes: dict[str, Any] = json.loads(os.environ["SITE_SETTINGS"])
SITE_USER: str = os.environ["SITE_USER"]
# Tables come from the models, which is quicker than to migrate. A site whose test is about migrations sets {}.
MIGRATION_MODULES: dict[str, None] = dict.fromkeys(app.rsplit(".", 1)[-1] for app in DEMO_APPS)
if SITE_USER:
    INSTALLED_APPS = [*DEMO_APPS, "support.sites.people"]
    AUTH_USER_MODEL = "people.User"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["testserver"]
SELFREG = {
    **DEMO_SELFREG,
    "BASE_URL": SITE,
    "ENCRYPTION_KEYS": KEYS,
    "API_TOKEN": "",
    "MINIMUM_FILL_SECONDS": 0,
    **changes.pop("SELFREG", {}),
}
globals().update(changes)
