"""The visitor's IP address, from the connection or from the headers of the site's own proxies."""

import ipaddress
import logging
import re

from django.http import HttpRequest

from selfreg import cache
from selfreg.conf import Conf

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
            "no IP address of a visitor in %s, with TRUSTED_PROXIES = %d: visitors without one share their limits",
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
