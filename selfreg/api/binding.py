"""Whose request it is: a browser's by its session cookie and CSRF token, or an app's by the token of its registration.

The token is encrypted and holds the id that its registration has, or will have: nothing of it is kept on the server,
and it opens that one registration only.
"""

import time
import uuid
from dataclasses import dataclass
from urllib.parse import urljoin

from django.conf import settings
from django.http import HttpRequest
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from selfreg import encryption
from selfreg.api.problems import Refusal
from selfreg.conf import conf
from selfreg.flows.session import MINE, Browser, browser_of
from selfreg.flows.start import FORM_TOKEN_SECONDS, is_old_enough
from selfreg.web.redirects import landing

PLACE = "selfreg.api token"
SCHEME = "bearer "


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the registration. ``registration``: the one that a token is for, None for a browser's session."""

    browser: Browser
    registration: uuid.UUID | None = None
    issued_at: float = 0.0

    @property
    def is_browser(self) -> bool:
        """Known by a session cookie, not by a token."""
        return self.registration is None

    @property
    def may_begin(self) -> bool:
        """Whether a person could have filled in a form since the token was issued, and it is not too old for that."""
        return is_old_enough(self.issued_at) and time.time() - self.issued_at < FORM_TOKEN_SECONDS


class RegistrationToken(AuthBase):
    """``Authorization: Bearer ...``. Cookies that come along are not looked at; what is kept lasts one request."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Holder | None:
        given = request.headers.get("Authorization", "")
        if given[: len(SCHEME)].lower() != SCHEME:
            return None
        holder = _opened(given[len(SCHEME) :].strip())
        if holder is None:
            raise Refusal("token")
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
        return Holder(browser_of(request))


def absolute(url: str) -> str:
    """Where a browser is sent to; the site's own setting may lead to another host."""
    return urljoin(conf().base_url, url)


def new_token() -> str:
    """A token for a registration that is still to begin."""
    return encryption.encrypt({"registration": uuid.uuid4().hex, "issued_at": time.time()}, PLACE)


def _opened(token: str) -> Holder | None:
    try:
        values = encryption.decrypt(token, PLACE)
    except encryption.Unreadable:
        return None
    lasts = FORM_TOKEN_SECONDS + conf().abandoned_after_seconds
    if values["issued_at"] + lasts < time.time():
        return None
    registration = uuid.UUID(values["registration"])
    return Holder(Browser({MINE: [str(registration)]}, registration.hex), registration, values["issued_at"])
