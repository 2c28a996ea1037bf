"""What error reports may show of a request with secrets: the places it went through, and no values.

A report shows the local variables of every function that an unexpected exception went through, and the request with
its address, form and cookies. Django hides some of it by name, and not under ``DEBUG``; other reporters hide less. So
all of it is gone before anybody can look: of our functions and of all that they called, libraries and threads too.
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
# Answers in the shape of an exception. Their pages need the request.
EXPECTED = (Http404, PermissionDenied, CommandError)
# What is left of ``request.META``; the path stands in for the whole address.
KEPT_META = frozenset(
    {
        "REQUEST_METHOD", "PATH_INFO", "SCRIPT_NAME", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR",
        "HTTP_HOST", "HTTP_USER_AGENT", "HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_X_FORWARDED_FOR",
        "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "CONTENT_TYPE", "wsgi.url_scheme",
    }
)  # fmt: skip
ADDRESSES = ("RAW_URI", "REQUEST_URI")
# Attributes of exceptions of libraries that hold what the library was given.
CARRIED = ("object", "doc", "request", "response")
# Shorter texts occur in other words.
SHORTEST = 5
# Handles, codes, keys and tokens, in a sentence.
TOKEN = re.compile(r"(?=[\w~+=-]*\d)(?=[\w~+=-]*[A-Za-z])[\w~+=-]{16,}")
UID = "selfreg.error_reports"


def without_values(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function: an unexpected exception leaves it without local variables, and without what was sent."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except EXPECTED as answer:
            _clear_frames(answer)
            raise
        except BaseException as error:
            hide(error, next((value for value in args if isinstance(value, HttpRequest)), None))
            raise

    return guarded


class ViewWithoutValues(View):
    """A view whose unexpected exceptions have no values. Put it first among the base classes."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view function."""
        return without_values(super().as_view(**initkwargs))


def log_exception(logger: logging.Logger, message: str, *args: object) -> None:
    """Log the exception that is being handled as ``logger.exception`` does, without the values of variables."""
    error = sys.exc_info()[1]
    if error is not None:
        hide(error)
    logger.error(message, *args, exc_info=error)


def hide(error: BaseException, request: HttpRequest | None = None) -> None:
    """Empty an exception, those that it came from, and the request that failed. Places and sentences stay."""
    texts = _secret_texts(error, request)
    for one in _chain(error):
        _mask(one, texts)
    _clear_frames(error)
    if request is not None:
        _clear_request(request)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, and those that it came from."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        if (one := waiting.pop()) is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


def _clear_frames(error: BaseException) -> None:
    for one in _chain(error):
        traceback.clear_frames(one.__traceback__)


def _secret_texts(error: BaseException | None, request: HttpRequest | None) -> set[str]:
    """Return what no sentence of an exception may quote: of the settings, of variables, and of what was sent."""
    secrets: list[Any] = []
    for settings in orgs().values():
        secrets += [*(getattr(settings, name) for name in SECRETS), *settings.encryption_keys]
    for one in _chain(error) if error else ():
        frames = [frame for frame, _line in traceback.walk_tb(one.__traceback__)]
        secrets += [value for frame in frames for value in frame.f_locals.values() if isinstance(value, Secret)]
    texts = [secret.reveal() for secret in secrets]
    if request is not None:
        # A form that was not read yet is not read now.
        forms = [request.GET, request.__dict__.get("_post", QueryDict())]
        texts += [value for form in forms for _name, values in form.lists() for value in values]
        texts += request.COOKIES.values()
    return {text for text in texts if isinstance(text, str) and len(text) >= SHORTEST}


def _mask(error: BaseException, texts: set[str]) -> None:
    """Take secrets out of the arguments and attributes of an exception."""
    for name in CARRIED:
        value = getattr(error, name, None)
        if value is not None:
            setattr(error, name, type(value)() if isinstance(value, str | bytes) else None)
    error.args = tuple(_masked(argument, texts) for argument in error.args)


def _masked(argument: object, texts: set[str]) -> object:
    """Return an argument of an exception without secrets, and without whatever looks like one."""
    if argument is None or isinstance(argument, int | float):
        return argument
    text = argument if isinstance(argument, str) else repr(argument)
    without = TOKEN.sub(HIDDEN, reduce(lambda left, secret: left.replace(secret, HIDDEN), texts, text))
    return without if isinstance(argument, str) else argument if without == text else HIDDEN


def _clear_request(request: HttpRequest) -> None:
    """Empty what reports quote of a request. The path stays."""
    with suppress(Exception):
        _ = request.FILES  # loads what was sent, which would otherwise be loaded by the report
    _clear_address(request)
    meta = request.META  # also the environ that a wrapper of the WSGI application holds
    for name, value in meta.items():
        if isinstance(value, str) and name not in KEPT_META and name not in ADDRESSES:
            meta[name] = ""
    # Without these the page of the error makes a token of its own, where it needs one.
    for name in ("CSRF_COOKIE", "CSRF_COOKIE_NEEDS_UPDATE"):
        meta.pop(name, None)
    if scope := getattr(request, "scope", None):
        scope.update(query_string=b"", headers=[])
    request.__dict__.pop("headers", None)
    request.POST = QueryDict()
    request.COOKIES = {}
    request._body = b""  # noqa: SLF001  (``body`` cannot be set)


def _clear_address(request: HttpRequest) -> None:
    """Leave the path of the address. A request shows the rest in its ``repr``."""
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
    """Hide what failed outside a view, in middleware for example."""
    error = sys.exc_info()[1]
    if error is not None and request is not None and _is_ours(request):
        hide(error, request)


class _BareRequests(logging.Filter):
    """Leaves method and path of the requests in Django's log records, which handlers send away, and no values."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest) and _is_ours(request):
            error = record.exc_info[1] if record.exc_info else None
            texts = _secret_texts(error, request)
            if error and not isinstance(error, EXPECTED):
                hide(error, request)
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
    """Comes before every other reporter: those that were there before this app, and those that read Django's log."""
    got_request_exception.connect(_hide_first, dispatch_uid=UID)
    with got_request_exception.lock:
        got_request_exception.receivers.sort(key=lambda known: known[0][0] != UID)
        got_request_exception.sender_receivers_cache.clear()
    kinds = [SuspiciousOperation]
    for kind in kinds:
        kinds += kind.__subclasses__()
    for name in ("django.request", "django.security.csrf", *(f"django.security.{kind.__name__}" for kind in kinds)):
        logging.getLogger(name).addFilter(_BareRequests())
