"""What Okta is told about the visitor: IP address, User-Agent, language, device token."""

import ipaddress
import re
import secrets

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from selfreg.conf import Conf
from selfreg.idx.client import Visitor

# Codes that proxies write instead of a country's: unknown (XX, ZZ) and Tor (T1).
NO_COUNTRY = frozenset({"XX", "ZZ", "T1"})
DEVICE_COOKIE = "selfreg_device"
# First match wins: every browser claims to be several others.
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
    """Returns the visitor of a request.

    :param device: the device token; "" reads it from the cookie, see ``device_of``
    """
    return Visitor(
        ip=client_ip(request, settings),
        user_agent=_header_safe(request.headers.get("User-Agent", ""))[:500],
        language=get_language() or "en",
        device_token=device or device_of(request),
    )


def client_ip(request: HttpRequest, settings: Conf) -> str:
    """Returns the visitor's IP address: the connection's, or that in X-Forwarded-For by the outermost trusted proxy.

    "" if that entry is missing or is not an IP address: the entry beside it may be forged.
    """
    hops = [h.strip() for h in request.headers.get("X-Forwarded-For", "").split(",")][-10:]
    trusted = settings.trusted_proxies
    address = hops[-trusted] if 0 < trusted <= len(hops) else request.META.get("REMOTE_ADDR", "") if not trusted else ""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""


def country_of(request: HttpRequest, settings: Conf) -> str:
    """Returns the ISO 3166 code from ``SELFREG["COUNTRY_HEADER"]``; "" if there is none, or it is no country's."""
    header = settings.country_header
    code = request.headers.get(header, "").upper() if header else ""
    return code if re.fullmatch("[A-Z]{2}", code) and code not in NO_COUNTRY else ""


def device_of(request: HttpRequest) -> str:
    """Returns the device token of the browser's cookie, or a new one for ``remember_device`` to set."""
    try:
        return str(request.get_signed_cookie(DEVICE_COOKIE))[:32]
    except (KeyError, signing.BadSignature):
        return secrets.token_hex(16)


def remember_device(request: HttpRequest, response: HttpResponse, device: str) -> None:
    """Sets the device cookie: signed, for ``DEVICE_SECONDS``, and not readable by scripts."""
    response.set_signed_cookie(
        DEVICE_COOKIE, device, max_age=DEVICE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure()
    )


def browser_name(request: HttpRequest) -> str:
    """Returns a description such as "Firefox, Windows", by which people recognise their own visit; "" if unknown."""
    agent = request.headers.get("User-Agent", "")
    names = [next((name for mark, name in table if mark in agent), "") for table in (BROWSERS, SYSTEMS)]
    return ", ".join(n for n in names if n)


def _header_safe(value: str) -> str:
    """Removes everything but printable ASCII."""
    return "".join(c for c in value if 32 <= ord(c) < 127)
