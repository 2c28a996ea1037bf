"""The app's own cookies, besides the session's: hidden from scripts, and not sent with forms of other sites."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def cookie_name(name: str) -> str:
    """Return the name, prefixed with ``__Host-`` if cookies need HTTPS: sibling domains can't set such cookies."""
    return f"__Host-{name}" if settings.SESSION_COOKIE_SECURE else name


def read_cookie(request: HttpRequest, name: str) -> str:
    """Return the value; "" if there is none."""
    return request.COOKIES.get(cookie_name(name), "")


def set_cookie(request: HttpRequest, response: HttpResponse, name: str, value: str, seconds: int) -> None:
    """Set a cookie that lasts so many seconds. An empty value deletes it."""
    secure = settings.SESSION_COOKIE_SECURE or request.is_secure()
    response.set_cookie(
        cookie_name(name), value, max_age=seconds if value else 0, secure=secure, httponly=True, samesite="Lax"
    )
