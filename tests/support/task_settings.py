"""The demo's settings with a task worker: Django's own tasks, or those of django-tasks before Django 6."""

import django

from project.settings import *  # noqa: F403
from project.settings import INSTALLED_APPS as DEMO_APPS

INSTALLED_APPS = [*DEMO_APPS, *(["django_tasks"] if django.VERSION < (6, 0) else []), "django_tasks_db"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
