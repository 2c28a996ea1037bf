"""Whose request it is: a browser's by its session cookie and CSRF token, or an app's by the token of its registration.

The token is sealed and holds the id that its registration has, or will have: nothing of it is kept on the server, and
it opens that one registration only.
"""

import time
import uuid
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from selfreg import encryption
from selfreg.api.problems import Refusal
from selfreg.conf import conf
from selfreg.flows.session import MINE
from selfreg.flows.start import FORM_TOKEN_SECONDS, is_old_enough
from selfreg.web.redirects import landing
from selfreg.web.visitor import use_device

PLACE = "selfreg.api token"
SCHEME = "bearer "


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the registration. ``registration``: the one a token is for, None for a browser's session."""

    registration: uuid.UUID | None = None
    issued_at: float = 0.0

    @property
    def may_begin(self) -> bool:
        """Whether a person could have filled in a form since the token was issued, and it is not too old for that."""
        return is_old_enough(self.issued_at) and time.time() - self.issued_at < FORM_TOKEN_SECONDS


class HeldByToken(dict[str, Any]):
    """Stands where a session would. Nothing of it is kept; whoever signs in leaves it for a session of the site's."""

    session_key = None

    def __init__(self, request: HttpRequest, registration: uuid.UUID) -> None:
        super().__init__({MINE: [str(registration)]})
        self._request = request

    def is_empty(self) -> bool:
        """It knows its registration."""
        return False

    def save(self) -> None:
        """There is nothing to save."""

    def flush(self) -> None:
        self._request.session = import_module(settings.SESSION_ENGINE).SessionStore()


class RegistrationToken(AuthBase):
    """``Authorization: Bearer ...``. Cookies that come along are not looked at."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Holder | None:
        given = request.headers.get("Authorization", "")
        if given[: len(SCHEME)].lower() != SCHEME:
            return None
        holder = _opened(given[len(SCHEME) :].strip())
        if holder is None or holder.registration is None:
            raise Refusal("token")
        request.user = AnonymousUser()
        request.session = HeldByToken(request, holder.registration)  # type: ignore[assignment]
        use_device(request, holder.registration.hex)
        return holder


class SessionCookie(AuthBase):
    """The site's session. What changes something needs the header ``X-CSRFToken`` too."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Holder:
        if check_csrf(request) is not None:
            raise Refusal("csrf")
        if request.user.is_authenticated:
            raise Refusal("signed-in", go=absolute(landing(request.GET.get("next", ""))))
        return Holder()


def absolute(url: str) -> str:
    """Where a browser is sent to; the site's own setting may lead to another host."""
    return urljoin(conf().base_url, url)


def new_token() -> str:
    """A token for a registration that is still to begin."""
    return encryption.seal({"registration": uuid.uuid4().hex, "issued_at": time.time()}, PLACE)


def _opened(token: str) -> Holder | None:
    try:
        found = encryption.unseal(token, PLACE)
    except encryption.Unreadable:
        return None
    lasts = FORM_TOKEN_SECONDS + conf().abandoned_after_seconds
    if found["issued_at"] + lasts < time.time():
        return None
    return Holder(uuid.UUID(found["registration"]), found["issued_at"])
