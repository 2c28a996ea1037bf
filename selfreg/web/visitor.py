"""What is known about the visitor: IP address, country, browser, language, and the app's own cookies.

Okta gets to know the IP address, User-Agent, language and device token.
"""

import ipaddress
import logging
import re
import secrets

from django.conf import settings as django_settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from selfreg import cache
from selfreg.conf import Conf
from selfreg.idx.client import Visitor

# Codes of proxies that are not countries: unknown (XX, ZZ) and Tor (T1).
NO_COUNTRY = frozenset({"XX", "ZZ", "T1"})
DEVICE_COOKIE = "selfreg_device"
# The first match wins, because every browser also names others.
BROWSERS = (
    ("Edg/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"),
           ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"))  # fmt: skip
DEVICE_SECONDS = 400 * 24 * 3600
FORWARDED = "Forwarded"
MAX_HOPS = 10
# An address, with or without brackets, quotes and a port.
WRITTEN = re.compile(r'"?(?:\[(?P<bracketed>[^\[\]]+)\](?::\w+)?|(?P<v4>[\d.]+)(?::\w+)?|(?P<bare>[^"\[\]]+))"?')
# RFC 7239, section 4: pairs of one proxy are separated by ";", proxies by ",". A quoted value may hold both.
FORWARDED_HOP = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
FORWARDED_PAIR = re.compile(r'([^=;\s"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s"]*)')
UNREADABLE = "selfreg:visitor-address-unreadable"
LOG_SECONDS, REMEMBERED_SECONDS = 3600, 7 * 86_400

logger = logging.getLogger("selfreg")


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


# ---- the IP address


def client_ip(request: HttpRequest, settings: Conf) -> str:
    """Return the visitor's IP address: that of the connection, or the entry of the outermost trusted proxy.

    "" if that entry is missing or no IP address, because any other entry may be forged. All these visitors share their
    limits, so a warning is logged once an hour, and the doctor reports it for a week.
    """
    trusted = settings.trusted_proxies
    if trusted <= 0:
        return read_address(request.META.get("REMOTE_ADDR", ""))
    hops = _hops(request.headers.get(settings.proxy_header, ""), settings.proxy_header)
    address = read_address(hops[-trusted]) if trusted <= len(hops) else ""
    if not address and cache.claim_once(f"{UNREADABLE}:logged", LOG_SECONDS):
        cache.keep(UNREADABLE, settings.proxy_header, REMEMBERED_SECONDS)
        logger.warning(
            "%s has no IP address of the visitor (TRUSTED_PROXIES = %d): visitors without one share the limits of one",
            settings.proxy_header,
            trusted,
        )
    return address


def was_unreadable() -> bool:
    """Return whether a visitor had no readable address within a week."""
    return bool(cache.get(UNREADABLE))


def read_address(text: str) -> str:
    """Return the IP address in one entry of a header, "" if there is none.

    Some proxies add a port (``192.0.2.1:4711``), brackets (``[2001:db8::1]:4711``), quotes, or the zone of a link-local
    address, or write IPv4 addresses as IPv6 (``::ffff:192.0.2.1``).
    """
    written = WRITTEN.fullmatch(text.strip())
    address = next((part for part in written.groups() if part), "") if written else ""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def _hops(header: str, name: str) -> list[str]:
    """Return the last entries of a header, the outermost proxy's last."""
    if name.lower() != FORWARDED.lower():
        return header.split(",")[-MAX_HOPS:]
    hops = [FORWARDED_PAIR.findall(hop) for hop in FORWARDED_HOP.findall(header)[-MAX_HOPS:]]
    return [next((value for name, value in pairs if name.lower() == "for"), "") for pairs in hops]


# ---- cookies


def cookie_name(name: str) -> str:
    """Return the name of one of the app's own cookies, prefixed with ``__Host-`` if cookies need HTTPS: sibling domains
    can't set such cookies.
    """
    return f"__Host-{name}" if django_settings.SESSION_COOKIE_SECURE else name


def read_cookie(request: HttpRequest, name: str) -> str:
    """Return the value; "" if there is none."""
    return request.COOKIES.get(cookie_name(name), "")


def set_cookie(request: HttpRequest, response: HttpResponse, name: str, value: str, seconds: int) -> None:
    """Set a cookie that lasts so many seconds, hidden from scripts and from forms of other sites. An empty value
    deletes it.
    """
    secure = django_settings.SESSION_COOKIE_SECURE or request.is_secure()
    response.set_cookie(
        cookie_name(name), value, max_age=seconds if value else 0, secure=secure, httponly=True, samesite="Lax"
    )
