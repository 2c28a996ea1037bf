"""Redirect targets: only paths of this site."""

import re
from urllib.parse import unquote, urlsplit

from django.conf import settings as django_settings
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from selfreg.conf import Conf

MAX_LENGTH = 2_000
CONTROL_CHARACTERS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\\]")


def safe_path(url: str | None, settings: Conf) -> str:
    """Return ``url`` if it is a path of this site, the path of an absolute URL of this site, else "".

    URLs with control characters are refused, even if these are encoded, which Django's own check allows.
    """
    decoded = unquote(unquote(url or "")).replace(" ", "")
    if not url or len(url) > MAX_LENGTH or CONTROL_CHARACTERS.search(url) or CONTROL_CHARACTERS.search(decoded):
        return ""
    base = settings.base_url
    if base and url.startswith(f"{base}/"):
        url = url.removeprefix(base)
    if not url.startswith("/") or not url_has_allowed_host_and_scheme(url, allowed_hosts=None):
        return ""
    parts = urlsplit(url)
    return "" if parts.scheme or parts.netloc or unquote(url).startswith("//") else url


def landing(next_url: str, settings: Conf) -> str:
    """Return ``next_url`` if it is a path of this site, else ``AFTER``, else ``LOGIN_REDIRECT_URL``."""
    own = safe_path(next_url, settings) or safe_path(settings.after, settings)
    return own or resolve_url(django_settings.LOGIN_REDIRECT_URL)
