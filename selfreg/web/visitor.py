"""What Okta gets to know about the visitor: IP address, User-Agent, language, device token."""

import re
import secrets

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from selfreg.conf import Conf
from selfreg.idx.client import Visitor
from selfreg.web.client_address import client_ip
from selfreg.web.cookies import read_cookie, set_cookie

# Codes of proxies that are not countries: unknown (XX, ZZ) and Tor (T1).
NO_COUNTRY = frozenset({"XX", "ZZ", "T1"})
DEVICE_COOKIE = "selfreg_device"
# The first match wins, because every browser also names others.
BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
DEVICE_SECONDS = 400 * 24 * 3600


def visitor_of(request: HttpRequest, settings: Conf, device: str = "") -> Visitor:
    """Return the visitor of a request.

    :param device: the device token; "" reads it from the cookie, see ``device_of``
    """
    return Visitor(
        ip=client_ip(request, settings),
        user_agent="".join(c for c in request.headers.get("User-Agent", "") if 32 <= ord(c) < 127)[:500],
        language=get_language() or "en",
        device_token=device or device_of(request),
    )


def country_of(request: HttpRequest, settings: Conf) -> str:
    """Return the ISO 3166 code from ``SELFREG["COUNTRY_HEADER"]``; "" if there is none, or it is no country's."""
    header = settings.country_header
    code = request.headers.get(header, "").upper() if header else ""
    return code if re.fullmatch("[A-Z]{2}", code) and code not in NO_COUNTRY else ""


def device_of(request: HttpRequest) -> str:
    """Return the device token of the browser's cookie, or a new one for ``remember_device`` to set."""
    try:
        return signing.TimestampSigner(salt=DEVICE_COOKIE).unsign(read_cookie(request, DEVICE_COOKIE))
    except signing.BadSignature:  # or SECRET_KEY was replaced
        return secrets.token_hex(16)


def remember_device(request: HttpRequest, response: HttpResponse, device: str) -> None:
    """Set the device cookie, signed, unless it is where the token came from."""
    if not read_cookie(request, DEVICE_COOKIE).startswith(f"{device}:"):
        signed = signing.TimestampSigner(salt=DEVICE_COOKIE).sign(device)
        set_cookie(request, response, DEVICE_COOKIE, signed, DEVICE_SECONDS)


def browser_name(request: HttpRequest) -> str:
    """Return a description such as "Firefox, Windows", so that people recognise their own visit; "" if unknown."""
    agent = request.headers.get("User-Agent", "")
    names = [next((name for mark, name in table if mark in agent), "") for table in (BROWSERS, SYSTEMS)]
    return ", ".join(n for n in names if n)
