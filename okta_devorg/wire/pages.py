"""What every HTML page of the org shares: strict headers, message pages, and the guards of pages and control API."""

import ipaddress
from urllib.parse import urlsplit

from flask import Request, Response, render_template

from okta_devorg.wire.refusals import ApiError

SELF = "'self'"


def page_headers(reply: Response, form_action: str = "") -> Response:
    """`form_action`: further origins a form may end at. Browsers hold redirects after a form to the policy as well."""
    reply.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        f"form-action {' '.join([SELF, form_action]).strip()}; base-uri 'none'; frame-ancestors 'none'"
    )
    reply.headers["Cache-Control"] = "no-store"
    reply.headers["Referrer-Policy"] = "same-origin"
    reply.headers["X-Content-Type-Options"] = "nosniff"
    return reply


def plain_page(title: str, text: str, status: int = 200, **more: str | None) -> Response:
    """`more`: a code to type, a note below, the i18n key the page stands for."""
    return page_headers(Response(render_template("message.html", title=title, text=text, **more), status))


def error_page(text: str) -> Response:
    return plain_page("This request cannot be served", text, 400)


def forbid_strangers(request: Request) -> None:
    """The mailbox, the phone and the settings are for this machine only. The Host check stops DNS rebinding."""
    if not is_loopback(request.remote_addr) or not is_loopback(host_name(request)):
        raise forbidden()
    forbid_cross_site(request)


def forbid_cross_site(request: Request) -> None:
    """Other sites in the same browser may neither read nor post here; links leading here are fine."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        raise forbidden()
    posts = request.method not in ("GET", "HEAD")
    if posts and request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise forbidden()


def forbidden() -> ApiError:
    return ApiError(403, "E0000006", "You do not have permission to perform the requested action")


def origin_of(uri: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(uri))


def host_name(request: Request) -> str | None:
    try:
        return urlsplit(f"//{request.host}").hostname
    except ValueError:
        return None


def is_loopback(host: str | None) -> bool:
    if host in ("localhost", None):
        return host is not None
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False
