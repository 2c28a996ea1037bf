"""Removes secrets from error reports: they show where a request failed, but no values.

A report has the local variables of every function that an unexpected exception went through, and the request with its
URL, form and cookies. Django hides some of them by name, but not under ``DEBUG``; other reporters hide less. So all of
them are emptied before any reporter can read them, including those of libraries and threads.
"""

import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import reduce, wraps
from typing import Any, ParamSpec, TypeVar

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.management import CommandError
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, QueryDict
from django.urls import Resolver404, resolve
from django.views.generic import View

from selfreg.conf import SECRETS, orgs
from selfreg.secret import HIDDEN, Secret

P = ParamSpec("P")
R = TypeVar("R")
# Exceptions that are responses. Their pages need the request.
EXPECTED = (Http404, PermissionDenied, CommandError)
# What stays in ``request.META``. The path replaces the whole URL.
KEPT_META = frozenset(
    {
        "REQUEST_METHOD", "PATH_INFO", "SCRIPT_NAME", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR",
        "HTTP_HOST", "HTTP_USER_AGENT", "HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_X_FORWARDED_FOR",
        "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "CONTENT_TYPE", "wsgi.url_scheme",
    }
)  # fmt: skip
ADDRESSES = ("RAW_URI", "REQUEST_URI")
# Attributes of libraries' exceptions with the values that the library was given.
CARRIED = ("object", "doc", "request", "response", "__notes__")
# Shorter texts are not masked, because they occur in other words.
SHORTEST = 5
# Matches handles, codes, keys and tokens in a sentence.
TOKEN = re.compile(r"(?=[\w~+=-]*\d)(?=[\w~+=-]*[A-Za-z])[\w~+=-]{16,}")
UID = "selfreg.error_reports"


class HiddenError(Exception):
    """Takes the place of an exception whose text has secrets and can't be changed. Its message is the class of that."""


def without_values(function: Callable[P, R]) -> Callable[P, R]:
    """Empty the local variables and the request of an unexpected exception that leaves the function."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except EXPECTED as answer:
            _clear_frames(answer)
            raise
        except BaseException as error:
            shown = hide(error, next((value for value in args if isinstance(value, HttpRequest)), None))
            if shown is error:
                raise
        raise shown

    return guarded


class ViewWithoutValues(View):
    """A view whose unexpected exceptions have no values. It has to be the first base class."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view function."""
        return without_values(super().as_view(**initkwargs))


def log_exception(logger: logging.Logger, message: str, *args: object) -> None:
    """Log the current exception like ``logger.exception``, but without the values of variables."""
    error = sys.exc_info()[1]
    logger.error(message, *args, exc_info=hide(error) if error else None)


def hide(error: BaseException, request: HttpRequest | None = None) -> BaseException:
    """Empty an exception, its causes, and the request. Tracebacks stay, and messages without what they quote.

    :return: the exception to report, usually the same one
    """
    texts = _secret_texts(error, request)
    _clear_frames(error)
    shown = {id(one): _mask(one, texts) for one in _chain(error)}
    for one in shown.values():
        for link in ("__cause__", "__context__"):
            if linked := getattr(one, link):
                setattr(one, link, shown[id(linked)])
    if request is not None:
        _clear_request(request)
    return shown[id(error)]


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        if (one := waiting.pop()) is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, *(one.exceptions if isinstance(one, BaseExceptionGroup) else ())]


def _clear_frames(error: BaseException) -> None:
    for one in _chain(error):
        traceback.clear_frames(one.__traceback__)


def _secret_texts(error: BaseException | None, request: HttpRequest | None) -> set[str]:
    """Return the texts that no message may contain: secrets of settings and variables, and what was sent."""
    secrets: list[Any] = []
    for settings in orgs().values():
        secrets += [*(getattr(settings, name) for name in SECRETS), *settings.encryption_keys]
    for one in _chain(error) if error else ():
        frames = [frame for frame, _line in traceback.walk_tb(one.__traceback__)]
        secrets += [value for frame in frames for value in frame.f_locals.values() if isinstance(value, Secret)]
    texts = [secret.reveal() for secret in secrets]
    if request is not None:
        # Do not read a form that was not read yet.
        forms = [request.GET, request.__dict__.get("_post", QueryDict())]
        texts += [value for form in forms for _name, values in form.lists() for value in values]
        texts += request.COOKIES.values()
    return {text for text in texts if isinstance(text, str) and len(text) >= SHORTEST}


def _mask(error: BaseException, texts: set[str]) -> BaseException:
    """Remove secrets from the arguments and attributes of an exception. Return it, or what takes its place."""
    try:
        for name in CARRIED:
            if (value := getattr(error, name, None)) is not None:
                setattr(error, name, type(value)() if isinstance(value, str | bytes) else None)
        error.args = tuple(_masked(argument, texts) for argument in error.args)
        text = f"{error} {error!r}"
        is_clean = _masked(text, texts) == text
    except Exception:  # noqa: BLE001  (it can't be read, or not be changed)
        is_clean = False
    if is_clean:
        return error
    shown = HiddenError(type(error).__name__).with_traceback(error.__traceback__)
    for link in ("__cause__", "__context__", "__suppress_context__"):
        setattr(shown, link, getattr(error, link))
    return shown


def _masked(argument: object, texts: set[str]) -> object:
    """Return an argument of an exception without secrets, and without texts that look like one."""
    if argument is None or isinstance(argument, int | float):
        return argument
    text = argument if isinstance(argument, str) else repr(argument)
    without = TOKEN.sub(HIDDEN, reduce(lambda left, secret: left.replace(secret, HIDDEN), texts, text))
    return without if isinstance(argument, str) else argument if without == text else HIDDEN


def _clear_request(request: HttpRequest) -> None:
    """Empty everything of a request that reports show, except the path."""
    with suppress(Exception):
        _ = request.FILES  # load the form now, because the report would load it later
    _clear_address(request)
    meta = request.META  # this is also the environ of the WSGI application
    for name, value in meta.items():
        if isinstance(value, str) and name not in KEPT_META and name not in ADDRESSES:
            meta[name] = ""
    # If the error page needs a token, it creates a new one.
    for name in ("CSRF_COOKIE", "CSRF_COOKIE_NEEDS_UPDATE"):
        meta.pop(name, None)
    if scope := getattr(request, "scope", None):
        scope.update(query_string=b"", headers=[])
    request.__dict__.pop("headers", None)
    request.POST = QueryDict()
    request.COOKIES = {}
    request._body = b""  # noqa: SLF001  (``body`` cannot be set)


def _clear_address(request: HttpRequest) -> None:
    """Remove everything but the path from the URL, which the request's ``repr`` shows."""
    request.META["QUERY_STRING"] = ""
    request.META.update({name: request.path for name in ADDRESSES if name in request.META})
    request.GET = QueryDict()


def _is_ours(request: HttpRequest) -> bool:
    """Return whether a request is for this app, the sign-in, or this app's pages in the admin."""
    try:
        match = request.resolver_match or resolve(request.path_info)
    except Resolver404:
        return False
    view = getattr(match.func, "view_class", None)
    is_view = isinstance(view, type) and issubclass(view, ViewWithoutValues)
    name = match.url_name or ""
    in_admin = "admin" in match.app_names and (name == "login" or name.startswith("selfreg_"))
    return is_view or in_admin or bool({"selfreg", "selfreg_api"} & {*match.app_names, *match.namespaces})


def _hide_first(request: HttpRequest | None = None, **_: Any) -> None:
    """Hide the values of an exception outside views, for example in middleware."""
    error = sys.exc_info()[1]
    if error is not None and request is not None and _is_ours(request):
        hide(error, request)


class _BareRequests(logging.Filter):
    """Removes all but method and path from the requests in Django's log records, which handlers may send away."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest) and _is_ours(request):
            error = record.exc_info[1] if record.exc_info else None
            texts = _secret_texts(error, request)
            if error and not isinstance(error, EXPECTED):
                shown = hide(error, request)
                record.exc_info = type(shown), shown, shown.__traceback__
            elif error:
                _clear_frames(error)
            _clear_address(request)
            record.msg = _masked(record.msg, texts)
            record.args = tuple(_masked(argument, texts) for argument in record.args or ())
            record.request = _bare(request)
        return True


def _bare(request: HttpRequest) -> HttpRequest:
    bare = HttpRequest()
    bare.method, bare.path, bare.path_info = request.method, request.path, request.path_info
    bare.META = {name: value for name, value in request.META.items() if name in KEPT_META}
    bare._body = b""  # noqa: SLF001  (``body`` cannot be set)
    return bare


def install() -> None:
    """Run before every other reporter, whether it uses the signal or Django's log."""
    got_request_exception.connect(_hide_first, dispatch_uid=UID)
    with got_request_exception.lock:
        got_request_exception.receivers.sort(key=lambda known: known[0][0] != UID)
        got_request_exception.sender_receivers_cache.clear()
    kinds = [SuspiciousOperation]
    for kind in kinds:
        kinds += kind.__subclasses__()
    for name in ("django.request", "django.security.csrf", *(f"django.security.{kind.__name__}" for kind in kinds)):
        logging.getLogger(name).addFilter(_BareRequests())
