"""Where people land: a path of this site, never anything else."""

import re
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from selfreg.conf import conf

MAX_LENGTH = 2_000
CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\\]")


def safe_path(url: str | None) -> str:
    """``url`` if it is a path of this site, else "".

    Absolute URLs of this very site are reduced to their path. Control characters are refused, plain or encoded:
    Django's own check lets them through.
    """
    if (
        not url
        or len(url) > MAX_LENGTH
        or CONTROL.search(url)
        or CONTROL.search(unquote(unquote(url)).replace(" ", ""))
    ):
        return ""
    base = conf().base_url
    if base and url.startswith(f"{base}/"):
        url = url.removeprefix(base)
    if not url.startswith("/") or not url_has_allowed_host_and_scheme(url, allowed_hosts=None):
        return ""
    parts = urlsplit(url)
    return "" if parts.scheme or parts.netloc or unquote(url).startswith("//") else url


def landing(next_url: str) -> str:
    """The validated ``next_url``, else the site's setting, else Django's."""
    return safe_path(next_url) or safe_path(conf().after) or resolve_url(settings.LOGIN_REDIRECT_URL)
