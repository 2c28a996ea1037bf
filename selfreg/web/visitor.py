"""Who is visiting, as far as Okta needs to know: address, browser, language, device."""

import ipaddress
import re
import secrets

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from selfreg.conf import Conf
from selfreg.idx.client import Visitor

# Two letters that proxies write where no country is known: unknown, Tor.
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
    """The visitor of a request.

    :param device: the device token, where it is known already; see ``device_of``
    """
    return Visitor(
        ip=client_ip(request, settings),
        user_agent=_header_safe(request.headers.get("User-Agent", ""))[:500],
        language=get_language() or "en",
        device_token=device or device_of(request),
    )


def client_ip(request: HttpRequest, settings: Conf) -> str:
    """The visitor's address: the socket's, or the X-Forwarded-For entry that the outermost trusted proxy wrote.

    "" when the entry that should be trusted is no address: unknown is better than forged.
    """
    hops = [h.strip() for h in request.headers.get("X-Forwarded-For", "").split(",")][-10:]
    trusted = settings.trusted_proxies
    claimed = hops[-trusted] if 0 < trusted <= len(hops) else request.META.get("REMOTE_ADDR", "") if not trusted else ""
    try:
        return str(ipaddress.ip_address(claimed))
    except ValueError:
        return ""


def country_of(request: HttpRequest, settings: Conf) -> str:
    """ISO 3166 code as the site's proxy found it out; "" when there is none, or it is no country's (``XX``, ``T1``)."""
    header = settings.country_header
    code = request.headers.get(header, "").upper() if header else ""
    return code if re.fullmatch("[A-Z]{2}", code) and code not in NO_COUNTRY else ""


def device_of(request: HttpRequest) -> str:
    """The device token of this browser's cookie, or a new one, which ``remember_device`` sets."""
    try:
        return str(request.get_signed_cookie(DEVICE_COOKIE))[:32]
    except (KeyError, signing.BadSignature):
        return secrets.token_hex(16)


def remember_device(request: HttpRequest, response: HttpResponse, device: str) -> None:
    """Sets the device cookie of a browser that has none: signed, for a year, out of reach of scripts."""
    response.set_signed_cookie(
        DEVICE_COOKIE, device, max_age=DEVICE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure()
    )


def browser_name(request: HttpRequest) -> str:
    """ "Firefox, Windows": enough for a person to recognise their own visit; "" for what we do not know."""
    agent = request.headers.get("User-Agent", "")
    named = [next((name for mark, name in table if mark in agent), "") for table in (BROWSERS, SYSTEMS)]
    return ", ".join(n for n in named if n)


def _header_safe(value: str) -> str:
    return "".join(c for c in value if 32 <= ord(c) < 127)
