"""Middleware for the site's ``MIDDLEWARE``."""

import codecs
import re
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import BadRequest
from django.core.signals import got_request_exception
from django.db import Error, ProgrammingError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, ResolverMatch, get_resolver, get_urlconf, resolve, reverse
from django.utils import timezone

from selfreg.accounts.identities import has_lost_identity
from selfreg.conf import conf
from selfreg.database_connections import is_outage, let_go
from selfreg.flows.session import CLAIMS, SEEN, save_new_session
from selfreg.monitoring import context, events, metrics
from selfreg.views.health import is_migrated
from selfreg.web.orgs import APP, page_url, settings_of_page, settings_of_session, sign_in_url

__all__ = ["FormEncodingMiddleware", "IdleSessionMiddleware", "OperationsMiddleware"]

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
PROBES = ("selfreg:live", "selfreg:ready", "selfreg:metrics")
# The end of the paths of probes, so that other requests are not resolved twice.
PROBE_PATH = re.compile(r"/(health/live|health/ready|metrics)/?$")
# The pages of a sign-up, whose response times are measured.
COUNTED = {f"selfreg:{name}" for name in ("start", "step", "verify", "email", "link", "done", "cancel")}
COUNTED |= {"oidc_authentication_callback", "selfreg:callback"}
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
RETRY_SECONDS = 2
# How exactly the last use of a session is stored, since each time is a write.
SEEN_EVERY_SECONDS = 60
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})


class FormEncodingMiddleware:
    """Answers forms that are not UTF-8 with the site's page for 400. Put it before ``CsrfViewMiddleware``.

    Django refuses such a form when it reads it for the CSRF check. Its error pages for 400 and 500 make the same check,
    so the request fails three times, and the server answers 500. Other requests may name any encoding, which applies to
    their body only: URLs are always UTF-8.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response."""
        if not request.encoding:
            return self.get_response(request)
        is_foreign = codecs.lookup(request.encoding).name != "utf-8"
        request.encoding = None  # type: ignore[assignment]  # that of the site, for the URL
        if is_foreign and request.content_type in FORMS:
            refuse: Callable[..., HttpResponse] = get_resolver(get_urlconf()).resolve_error_handler(400)
            return refuse(request, exception=BadRequest("a form that is not UTF-8"))
        return self.get_response(request)


class IdleSessionMiddleware:
    """Logs out users who came through Okta and sent no request for ``SESSION_IDLE_SECONDS``, or whose Okta identity was
    erased. Put it after ``AuthenticationMiddleware``.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response."""
        # Without a cookie, do not load the session, so that the page does not vary by it.
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            try:
                self.end_if_over(request)
            except Error as error:
                if not is_outage(error):
                    raise
                # The view will fail, too, and OperationsMiddleware handles it.
        return self.get_response(request)

    def end_if_over(self, request: HttpRequest) -> None:
        """Log the user out, or note that the session is in use.

        :raises Error: the session or the user could not be loaded
        """
        if CLAIMS not in request.session:
            return
        seconds, now = settings_of_session(request).session_idle_seconds, timezone.now().timestamp()
        idle = now - request.session.get(SEEN, now)
        if (seconds and idle > seconds) or has_lost_identity(request.user):
            logout(request)
        elif seconds and (SEEN not in request.session or idle > SEEN_EVERY_SECONDS):
            request.session[SEEN] = now


class OperationsMiddleware:
    """Answers probes before anything can redirect or refuse them, shows a page if the database is down, and gives each
    request an id for the log.

    Load balancers use plain HTTP and an IP address as the host. ``SecurityMiddleware`` would redirect that, and
    ``ALLOWED_HOSTS`` refuse it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        with suppress(NoReverseMatch):  # the site did not include this app, which a system check reports
            reverse("selfreg:live")  # imports every view now, so that the first visitor of a worker does not wait

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a probe, or pass the request on."""
        started, request_id = time.monotonic(), _request_id(request)
        context.begin(request_id)
        if response := self.probe(request):
            return response
        _outage.set("")
        response = self.get_response(request)
        if response.status_code == 500 and _outage.get():
            # Outside views, ``process_exception`` is not called, for example if the session could not be saved.
            response = _database_away(request, _outage.get())
        match = request.resolver_match
        if match is not None and (name := name_of(match)) in COUNTED and context.is_a_visit():
            method = request.method if request.method in METHODS else "other"  # anybody can invent methods
            metrics.request_seconds.labels(name, method, str(response.status_code)).observe(time.monotonic() - started)
        response["X-Request-ID"] = request_id
        return response

    def probe(self, request: HttpRequest) -> HttpResponse | None:
        """Answer a probe or Prometheus; None for every other request."""
        if PROBE_PATH.search(request.path_info):
            with suppress(Http404):
                view, args, kwargs = match = resolve(request.path_info)
                return view(request, *args, **kwargs) if name_of(match) in PROBES else None
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the page for a view that failed because the database is down."""
        return _database_away(request, type(exception).__name__) if _is_away(exception) else None


# The class of the exception of this request, if the database is down.
_outage: ContextVar[str] = ContextVar("outage", default="")


def _is_away(error: BaseException | None) -> bool:
    """Return whether the database cannot serve this version: it is down, or a migration is still to come."""
    return is_outage(error) or (isinstance(error, ProgrammingError) and not is_migrated())


def _note_outage(**_: Any) -> None:
    if _is_away(error := sys.exc_info()[1]):
        _outage.set(type(error).__name__)


got_request_exception.connect(_note_outage, dispatch_uid="selfreg.middleware")


def name_of(match: ResolverMatch) -> str:
    """Return the name of a view. Views of this app have the same name for every org."""
    return f"{APP}:{match.url_name}" if match.app_names[-1:] == [APP] else match.view_name


def _request_id(request: HttpRequest) -> str:
    """Return the id that a trusted proxy gave the request, else a new one."""
    given = request.headers.get("X-Request-ID", "") if conf().trusted_proxies else ""
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _database_away(request: HttpRequest, error: str) -> HttpResponse:
    """Return a page that needs no database and links back to where the visitor was."""
    let_go()
    events.database_away(error)
    match = request.resolver_match
    if match is None:  # it failed in middleware
        with suppress(Http404):
            match = resolve(request.path_info)
    apps = match.app_names if match else []
    if match and name_of(match) in ("oidc_authentication_callback", "selfreg:callback"):
        back = sign_in_url(settings_of_page(request).org)
    elif APP in apps:
        back = page_url(settings_of_page(request).org, "step")
    else:  # without the query, which may have a code in it; the URL of an admin action has no page
        back = reverse("admin:index") if "admin" in apps and request.method != "GET" else request.path
    page = render_to_string("selfreg/database_away.html", {"back": back, "is_sign_up": APP in apps})
    headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
    response = HttpResponse(page, status=503, headers=headers)
    if APP in apps:
        save_new_session(request, response)
    return response
