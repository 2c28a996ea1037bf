"""Checks of where a request comes from, for the pages and the control API."""

from urllib.parse import urlsplit

from flask import Request

from okta_devorg.wire.errors import forbidden
from okta_devorg.wire.urls import is_loopback


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
    if origin is not None and origin != f"http://{request.host}":
        raise forbidden()
    changes_something = request.method not in ("GET", "HEAD")
    if changes_something and request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise forbidden()


def host_name(request: Request) -> str | None:
    """Return the host of the request without its port, None if `Host` cannot be read."""
    try:
        return urlsplit(f"//{request.host}").hostname
    except ValueError:
        return None
