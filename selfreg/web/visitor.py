"""Who is visiting, as far as Okta needs to know: address, browser, language, device."""

import ipaddress
import re
import secrets

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from selfreg.conf import conf
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


def visitor_of(request: HttpRequest) -> Visitor:
    """The visitor of a request. The device token is the cookie's, or a new one that ``remember_device`` will set."""
    return Visitor(
        ip=client_ip(request),
        user_agent=_header_safe(request.headers.get("User-Agent", ""))[:500],
        language=get_language() or "en",
        device_token=_device(request),
    )


def client_ip(request: HttpRequest) -> str:
    """The visitor's address: the socket's, or the X-Forwarded-For entry that the outermost trusted proxy wrote.

    "" when the entry that should be trusted is no address: unknown is better than forged.
    """
    hops = [h.strip() for h in request.headers.get("X-Forwarded-For", "").split(",")][-10:]
    trusted = conf().trusted_proxies
    claimed = hops[-trusted] if 0 < trusted <= len(hops) else request.META.get("REMOTE_ADDR", "") if not trusted else ""
    try:
        return str(ipaddress.ip_address(claimed))
    except ValueError:
        return ""


def country_of(request: HttpRequest) -> str:
    """ISO 3166 code as the site's proxy found it out; "" when there is none, or it is no country's (``XX``, ``T1``)."""
    header = conf().country_header
    code = request.headers.get(header, "").upper() if header else ""
    return code if re.fullmatch("[A-Z]{2}", code) and code not in NO_COUNTRY else ""


def remember_device(request: HttpRequest, response: HttpResponse) -> None:
    """Sets the device cookie if this browser has none: signed, for a year, out of reach of scripts."""
    if DEVICE_COOKIE not in request.COOKIES:
        response.set_signed_cookie(
            DEVICE_COOKIE,
            _device(request),
            max_age=DEVICE_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure(),
        )


def use_device(request: HttpRequest, token: str) -> None:
    """For programs that keep no cookies: which device this is."""
    request._selfreg_device = token  # type: ignore[attr-defined]


def browser_name(request: HttpRequest) -> str:
    """ "Firefox, Windows": enough for a person to recognise their own visit; "" for what we do not know."""
    agent = request.headers.get("User-Agent", "")
    named = [next((name for mark, name in table if mark in agent), "") for table in (BROWSERS, SYSTEMS)]
    return ", ".join(n for n in named if n)


def _device(request: HttpRequest) -> str:
    known = getattr(request, "_selfreg_device", "")
    if not known:
        try:
            known = str(request.get_signed_cookie(DEVICE_COOKIE))[:32]
        except (KeyError, signing.BadSignature):
            known = secrets.token_hex(16)
        request._selfreg_device = known  # type: ignore[attr-defined]
    return known


def _header_safe(value: str) -> str:
    return "".join(c for c in value if 32 <= ord(c) < 127)
