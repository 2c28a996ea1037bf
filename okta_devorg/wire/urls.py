"""Reading and building URLs."""

import ipaddress
from urllib.parse import urlencode, urlsplit


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, such as `https://example.com:8000`; nothing if it cannot be read."""
    try:
        return "{0.scheme}://{0.netloc}".format(urlsplit(url))
    except ValueError:
        return ""


def is_http_url(url: str) -> bool:
    """Return whether this is an http or https URL with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def is_absolute(uri: str) -> bool:
    """Return whether this is a URI that a browser can be sent to: with a scheme, `https` or an app's own."""
    try:
        parts = urlsplit(uri)
        return bool(parts.scheme) and (parts.port is None or parts.port > 0) and uri.isprintable()
    except ValueError:
        return False


def with_query(url: str, values: dict[str, str]) -> str:
    """Return the URL with `values` added to its query."""
    return url + ("&" if "?" in url else "?") + urlencode(values)


def is_loopback(host: str | None) -> bool:
    """Return whether a host name or address is this machine's own."""
    if host in ("localhost", None):
        return host is not None
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False
