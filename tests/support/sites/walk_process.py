"""Runs `support.sites.walk` in another process with its own settings."""

import os
import traceback
import warnings
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

# Imported once before the processes fork, which saves half of a site's start. None of them may read a setting.
INDEPENDENT_OF_SETTINGS = [
    "django.contrib.admin",
    "django.core.management.commands.migrate",
    "django.db.backends.sqlite3.base",
    "django.test",
    "okta_devorg.testing",
    "phonenumbers",
    "requests",
    "segno",
    "selfreg.idx.client",
    "whitenoise.middleware",
]


def walk_in_process(sender: Connection, environment: Mapping[str, str], job: Mapping[str, Any]) -> None:
    """Send the result of ``walk.main`` for this job, or the traceback of its exception."""
    os.environ.update(environment, DJANGO_SETTINGS_MODULE="support.sites.settings", ENV_FILE=os.devnull)
    warnings.simplefilter("error")
    try:
        from support.sites import walk  # noqa: PLC0415 - it needs the settings

        sender.send(walk.main(job))
    except BaseException:
        sender.send(traceback.format_exc())
        raise
