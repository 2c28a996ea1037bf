"""Runs `support.sites.walk` in a process of its own, with settings of its own."""

import os
import traceback
import warnings
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

# Imported once, before the processes fork: half of what a site needs to start. None of them may read a setting.
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
    """Send what ``walk.main`` returns for this job, or the traceback of what it raised."""
    os.environ.update(environment, DJANGO_SETTINGS_MODULE="support.sites.settings", ENV_FILE=os.devnull)
    warnings.simplefilter("error")
    try:
        from support.sites import walk  # noqa: PLC0415 - it needs the settings

        sender.send(walk.main(job))
    except BaseException:
        sender.send(traceback.format_exc())
        raise
