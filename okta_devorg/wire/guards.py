"""Checks of where a request comes from."""

from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from flask import Request

from okta_devorg.wire.errors import forbidden
from okta_devorg.wire.urls import is_loopback


def require_known_caller(request: Request, trusted_origins: Callable[[], Collection[str]]) -> None:
    """Refuse requests under another machine's name (DNS rebinding) and those of another machine's web pages.

    `trusted_origins` returns the origins that are allowed beside those of this machine.

    :raises ApiError: 403.
    """
    if not is_loopback(host_name(request)):
        raise forbidden()
    origin = request.headers.get("Origin")
    if origin is not None and not is_loopback(host_of(origin)) and origin not in trusted_origins():
        raise forbidden()


def require_local_caller(request: Request) -> None:
    """Refuse requests from other machines and from other sites in the same browser.

    The name in `Host` must also be of this machine, which prevents DNS rebinding.

    :raises ApiError: 403.
    """
    if not is_loopback(request.remote_addr) or not is_loopback(host_name(request)):
        raise forbidden()
    require_same_site(request)


def require_same_site(request: Request) -> None:
    """Refuse requests that another site's page made in the browser. Following a link from there is fine.

    :raises ApiError: 403.
    """
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        raise forbidden()
    changes_something = request.method not in ("GET", "HEAD")
    if changes_something and request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise forbidden()


def host_name(request: Request) -> str | None:
    """Return the host of the request without its port, None if `Host` cannot be read."""
    return host_of(f"//{request.host}")


def host_of(url: str) -> str | None:
    """Return the host of a URL, None if it has none or cannot be read."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
