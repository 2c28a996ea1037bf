"""Authentication of API requests: browsers by session cookie and CSRF token, apps by the token of their registration.

A token is the encrypted id of the registration that it starts or belongs to. The server does not store it.
"""

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from django.conf import settings as django_settings
from django.http import HttpRequest
from django.utils import timezone
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from selfreg import encryption
from selfreg.api.problems import Refusal
from selfreg.conf import Conf
from selfreg.flows.form_token import FORM_TOKEN_SECONDS
from selfreg.flows.session import MINE, Browser, browser_of
from selfreg.web.fetch_metadata import is_embedded
from selfreg.web.orgs import settings_of
from selfreg.web.redirects import landing

PLACE = "selfreg.api token"
SCHEME = "bearer "


@dataclass(frozen=True, slots=True)
class Holder:
    """Who sends the request: an app with the token of a registration, or a browser (``registration`` is None).

    ``issued_at`` is when the token was issued, in seconds since the epoch.
    """

    browser: Browser
    registration: uuid.UUID | None = None
    issued_at: float = 0.0

    @property
    def is_browser(self) -> bool:
        """Whether the request is authenticated by a session cookie."""
        return self.registration is None

    @property
    def may_start(self) -> bool:
        """Whether the token is young enough to start a registration."""
        return timezone.now().timestamp() - self.issued_at < FORM_TOKEN_SECONDS


class RegistrationToken(AuthBase):
    """``Authorization: Bearer ...``. Cookies are ignored, and the holder's store lasts for the request only."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Holder | None:
        """Return the holder of the token; None without one.

        :raises Refusal: the token is not valid, or too old
        """
        header = request.headers.get("Authorization", "")
        if header[: len(SCHEME)].lower() != SCHEME:
            return None
        holder = _holder_of(header[len(SCHEME) :].strip(), settings_of(request))
        if holder is None:
            raise Refusal("token")
        return holder


class SessionCookie(AuthBase):
    """The site's session cookie. Requests that change something also need the header ``X-CSRFToken``."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = django_settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Holder:
        """Return the browser.

        :raises Refusal: the CSRF token is missing or wrong, another site's page loads this, or the visitor is logged in
        """
        if is_embedded(request) or check_csrf(request) is not None:
            raise Refusal("csrf")
        if request.user.is_authenticated:
            settings = settings_of(request)
            raise Refusal("signed-in", go=absolute(landing(request.GET.get("next", ""), settings), settings))
        return Holder(browser_of(request))


def holder_of(request: Any) -> Holder:
    """Return who sends a request to an operation. django-ninja stores the result of the authentication in ``auth``."""
    holder: Holder = request.auth
    return holder


def absolute(url: str, settings: Conf) -> str:
    """Return an absolute URL of this site; absolute URLs stay as they are."""
    return urljoin(settings.base_url, url)


def new_token(settings: Conf) -> str:
    """Return a token for one registration, which does not exist yet."""
    values = {"registration": uuid.uuid4().hex, "issued_at": timezone.now().timestamp()}
    return encryption.encrypt(values, PLACE, settings.encryption_keys)


def _holder_of(token: str, settings: Conf) -> Holder | None:
    """Decrypt a token; None if it is invalid, or older than its registration can be."""
    try:
        values = encryption.decrypt(token, PLACE, settings.encryption_keys)
    except encryption.Unreadable:
        return None
    lifetime = FORM_TOKEN_SECONDS + settings.abandoned_after_seconds
    if values["issued_at"] + lifetime < timezone.now().timestamp():
        return None
    registration = uuid.UUID(values["registration"])
    browser = Browser({}, settings, registration.hex)
    browser.store[browser.key(MINE)] = [str(registration)]
    return Holder(browser, registration, values["issued_at"])
