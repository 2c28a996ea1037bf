"""What the sites that are compared have in common: database, sessions, middleware, a hasher that costs nothing."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import environ
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.http import HttpRequest, HttpResponse

SECRET_KEY = "of-a-benchmark-" * 4
ALLOWED_HOSTS = ["*"]
DEBUG = False
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": environ.Env.db_url_config(os.environ["DATABASE_URL"]) | {"CONN_MAX_AGE": 60}}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
MIDDLEWARE = [
    "benchmarks.peers.base.count_queries",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
# Of the packages that keep passwords themselves. BENCH_HASHER=default brings Django's own back.
if os.environ.get("BENCH_HASHER") != "default":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "benchmarks.peers.base.Mailbox"
LOGIN_REDIRECT_URL = "/"


class Mailbox(BaseEmailBackend):
    """Writes each mail to a file named after its recipient, where the visitors read it."""

    def send_messages(self, messages: list[EmailMessage]) -> int:
        """Writes the mails."""
        for message in messages:
            (Path(os.environ["BENCH_MAILBOX"]) / message.to[0]).write_text(message.body)
        return len(messages)


def count_queries(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that tells how many queries a request took, in the header ``X-Queries``."""

    def middleware(request: HttpRequest) -> HttpResponse:
        made: list[None] = []

        def count(execute: Callable[..., Any], *query: Any) -> Any:
            made.append(None)
            return execute(*query)

        with connection.execute_wrapper(count):
            response = get_response(request)
        response["X-Queries"] = str(len(made))
        return response

    return middleware
