"""Cookies of this app beside the session's: never for scripts, never for another site's forms."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def cookie_name(name: str) -> str:
    """Return the name with the prefix ``__Host-`` where cookies are for HTTPS only: no sibling domain can set it."""
    return f"__Host-{name}" if settings.SESSION_COOKIE_SECURE else name


def read_cookie(request: HttpRequest, name: str) -> str:
    """Return the value, "" if there is none."""
    return request.COOKIES.get(cookie_name(name), "")


def set_cookie(request: HttpRequest, response: HttpResponse, name: str, value: str, seconds: int) -> None:
    """Set a cookie for so many seconds; an empty value deletes it."""
    secure = settings.SESSION_COOKIE_SECURE or request.is_secure()
    response.set_cookie(
        cookie_name(name), value, max_age=seconds if value else 0, secure=secure, httponly=True, samesite="Lax"
    )
