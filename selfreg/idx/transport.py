"""All I/O of this package: HTTP to one origin, within limits.

A ``Transport`` never follows redirects, never reads proxies, authorities or netrc from the environment, never stores
cookies (visitors share it), reads at most ``MAX_BODY`` decoded bytes, gives up at a total deadline, and stops calling
an org that is down. TLS certificates are always verified.
"""

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, MaxRetryError

from selfreg.idx.circuit_breaker import CircuitBreaker
from selfreg.idx.deadline import Call, DeadlineAdapter
from selfreg.idx.errors import AnswerLost, ForeignHref, MalformedAnswer, OrgUnreachable
from selfreg.secret import NOTHING, Secret

__all__ = ["Transport"]

# Limit for connecting to one address of the org, and again for its TLS handshake.
CONNECT_SECONDS = 2.0
# The limit for a new connection, name lookup included, is this many times CONNECT_SECONDS, so that a second address can
# be tried when the first does not answer.
CONNECTION_ATTEMPTS = 2
# Limit between two pieces of an answer.
READ_SECONDS = 5.0
# Limit for a whole call, from the name lookup to the last byte of the answer.
TOTAL_SECONDS = 8.0
# A repeatable call is repeated only if it failed within this time.
REPEAT_SECONDS = 2.0
# Decoded bytes of an answer.
MAX_BODY = 256 * 1024
# Nested objects and lists in an answer.
MAX_DEPTH = 40
CONTAINERS = (dict, list)
DISCOVERY = "/.well-known/openid-configuration"
CALLABLE_PATH = re.compile(r"/(?:(?:idp/idx|oauth2)/[A-Za-z0-9._~/-]*|api/v1/altcha[A-Za-z0-9/-]*)")
ESCAPED = re.compile(r"\\u[dD]")
SURROGATE = re.compile("[\ud800-\udfff]")
# What an empty body counts as, by whether a body may be empty.
EMPTY = {False: Secret(b""), True: Secret(b"{}")}

Headers = Mapping[str, str | Secret[str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole HTTP answer with JSON.

    :param body: the decoded JSON
    :param text: the same as text
    :param seconds: how long the call took
    :param request_id: Okta's id of the call, for its System Log; "" if it sent none
    """

    status: int
    body: object = field(repr=False)
    text: Secret[str]
    headers: Mapping[str, str] = field(repr=False)
    seconds: float
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class RawReply:
    """One whole HTTP answer of any kind; the body without its content encoding."""

    status: int
    body: Secret[bytes]
    headers: Mapping[str, str] = field(repr=False)


@dataclass(slots=True)
class Seen:
    """The result of a call, for observers. ``status`` is 0 if no answer came."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def request_id(self) -> str:
        """Okta's id of this call, "" if it sent none."""
        return self.headers.get("X-Okta-Request-Id", "")[:64]


@dataclass(frozen=True, slots=True)
class Observer:
    """Callbacks around calls, in the caller's thread.

    :param before_call: called before each call
    :param watched: a context manager around each call that is made; takes its method and path
    :param circuit_changed: called with whether the circuit breaker is open, when that changes
    :param on_reply: called with every complete answer
    """

    before_call: Callable[[], None] = lambda: None
    watched: Callable[[str, str], AbstractContextManager[Seen]] = lambda method, path: nullcontext(Seen())
    circuit_changed: Callable[[bool], None] = lambda is_open: None
    on_reply: Callable[[Reply], None] = lambda reply: None


@dataclass(frozen=True, slots=True)
class Route:
    """How calls leave this machine.

    :param proxy: URL of an HTTP proxy, with user name and password if it needs them; "" for none
    :param ca_bundle: a PEM file with the trusted certificate authorities; "" for those of ``certifi``
    """

    proxy: Secret[str] = NOTHING
    ca_bundle: str = ""


NOBODY, DIRECT = Observer(), Route()


class Transport:
    """Calls one origin over a pool of connections. Safe to share between threads.

    :param origin: ``https://dev-1.okta.com``; calls to anywhere else raise ``ForeignHref``
    :param at_once: how many calls may run at the same time in this process
    :param paths: the paths that may be called, besides the discovery documents
    :param may_be_empty: an empty body is an empty object instead of a ``MalformedAnswer``
    :param observer: watches every call
    :param route: how all calls leave this machine
    """

    def __init__(
        self,
        origin: str,
        at_once: int = 32,
        *,
        paths: re.Pattern[str] = CALLABLE_PATH,
        may_be_empty: bool = False,
        observer: Observer = NOBODY,
        route: Route = DIRECT,
    ) -> None:
        self.origin = origin
        self.paths, self.may_be_empty, self.observer = paths, may_be_empty, observer
        self.circuit = CircuitBreaker(at_once, observer.circuit_changed)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.session.mount(origin, DeadlineAdapter(pool_connections=1, pool_maxsize=at_once))
        self.session.verify = route.ca_bundle or True
        if route.proxy:
            self.session.proxies = dict.fromkeys(("http", "https"), route.proxy.reveal())

    def get(self, url: str, headers: Headers) -> Reply:
        """Send a GET. Raises what ``request`` raises."""
        return self.request("GET", url, headers, repeatable=True)

    def post(self, url: str, headers: Headers, body: Secret[str], *, repeatable: bool = False) -> Reply:
        """Send a POST of an encoded body. Raises what ``request`` raises."""
        return self.request("POST", url, headers, body, repeatable=repeatable)

    def request(
        self, method: str, url: str, headers: Headers, body: Secret[str] | None = None, *, repeatable: bool
    ) -> Reply:
        """One call.

        :param repeatable: the call changes nothing, so it is repeated once after a lost answer
        :raises OrgUnreachable: nothing was sent
        :raises AnswerLost: sent, and no whole answer came back in time
        :raises MalformedAnswer: a redirect, too large, or not JSON
        :raises ForeignHref: ``url`` is not of this origin
        """
        self._check(url)  # before the circuit breaker, because a refused URL says nothing about the org
        self.observer.before_call()
        started = time.monotonic()
        try:
            return self._guarded(method, url, headers, body)
        except AnswerLost:
            if not repeatable or time.monotonic() - started > REPEAT_SECONDS:
                raise
            return self._guarded(method, url, headers, body)

    def _guarded(self, method: str, url: str, headers: Headers, body: Secret[str] | None) -> Reply:
        self.circuit.enter()
        succeeded = False
        try:
            reply = self._exchange(method, url, headers, body)
            succeeded = reply.status < 500
        finally:
            self.circuit.leave(succeeded=succeeded)
        self.observer.on_reply(reply)
        return reply

    def fetch(self, method: str, url: str, headers: Headers, body: Secret[str] | None = None) -> RawReply:
        """Make one call within the deadlines, and return any answer: redirects and answers without JSON are no errors.

        The circuit breaker is not involved.

        :raises OrgUnreachable: nothing was sent
        :raises AnswerLost: sent, and no whole answer came back in time
        :raises MalformedAnswer: the answer is too large
        :raises ForeignHref: ``url`` is not of this origin
        """
        self._check(url)
        call: Call[RawReply] = Call(lambda: self._send(method, url, headers, body, call.ends_at))
        try:
            return call.run(CONNECTION_ATTEMPTS * CONNECT_SECONDS, TOTAL_SECONDS)
        except requests.exceptions.InvalidHeader:
            # Its message quotes the header, which may hold a token.
            raise OrgUnreachable(f"{self.origin}: not sent, a header has a character that is not allowed") from None
        except (requests.exceptions.RequestException, HTTPError, OSError, ValueError) as error:
            raise _failure_of(call, error, self.origin) from error

    def _exchange(self, method: str, url: str, headers: Headers, body: Secret[str] | None) -> Reply:
        started = time.monotonic()
        with self.observer.watched(method, urlsplit(url).path) as seen:
            raw = self.fetch(method, url, headers, body)
            seen.status, seen.headers = raw.status, raw.headers
            if 300 <= raw.status < 400:
                raise MalformedAnswer(f"{self.origin} answered with a redirect")
            text, decoded = _strict_json(raw.body or EMPTY[self.may_be_empty], raw.status)
        return Reply(raw.status, decoded, text, raw.headers, time.monotonic() - started, seen.request_id)

    def _send(self, method: str, url: str, headers: Headers, body: Secret[str] | None, ends_at: float) -> RawReply:
        """Send a request: the work of a ``Call``.

        It bypasses ``Session.send``, which costs time and is of no use without cookies, redirects and hooks.
        Certificates are always verified.
        """
        session, request = self.session, requests.PreparedRequest()
        plain = Secret({n: v.reveal() if isinstance(v, Secret) else v for n, v in headers.items()})
        request.prepare(method, url, plain.reveal(), data=body.reveal() if body else None)
        limits = (CONNECT_SECONDS, READ_SECONDS)
        with session.get_adapter(self.origin).send(
            request, stream=True, timeout=limits, verify=session.verify or True, proxies=session.proxies
        ) as answer:
            return RawReply(answer.status_code, Secret(self._read(answer, ends_at)), answer.headers)

    def _check(self, url: str) -> None:
        """Allow this origin and the protocol's paths only, without ``..`` or ``//``, which servers read differently."""
        parts = urlsplit(url)
        path = parts.path
        is_callable = path.endswith(DISCOVERY) or self.paths.fullmatch(path)
        if f"{parts.scheme}://{parts.netloc}" != self.origin or not is_callable or ".." in path or "//" in path:
            raise ForeignHref("the org's answer leads outside its own address")

    def _read(self, answer: requests.Response, until: float) -> bytes:
        """Return the whole body, decoded by its ``Content-Encoding``, if it is small enough and arrives in time."""
        pieces, size = [], 0
        for piece in answer.iter_content(16 * 1024):
            size += len(piece)
            if size > MAX_BODY:
                raise MalformedAnswer(f"{self.origin}: an answer of more than {MAX_BODY} bytes")
            if time.monotonic() > until:
                raise AnswerLost(f"{self.origin}: no whole answer in {TOTAL_SECONDS} s")
            pieces.append(piece)
        return b"".join(pieces)


def retry_after(headers: Mapping[str, str], now: float, default: int = 30) -> int:
    """Return the seconds to wait after a 429: until ``X-Rate-Limit-Reset`` (UTC epoch seconds), from 1 to 120.

    ``default`` if the header is absent, unusable or in the past; also for a concurrency limit, whose reset is only a
    hint.

    :param now: seconds since the epoch
    """
    try:
        reset, limit = float(headers["X-Rate-Limit-Reset"]), float(headers.get("X-Rate-Limit-Limit", 1))
    except (KeyError, ValueError):
        return default
    wait = reset - now
    return min(math.ceil(wait), 120) if limit > 0 and 0 < wait < 86_400 else default


def _failure_of(call: Call[RawReply], error: Exception, origin: str) -> OrgUnreachable | AnswerLost:
    """Return the error for a failed call: nothing was sent, or the org may have received and processed the request."""
    is_tls = isinstance(error, requests.exceptions.SSLError)
    is_connect_timeout = isinstance(error, requests.exceptions.ConnectTimeout)
    if call.is_sending or not (call.is_connecting or is_tls or is_connect_timeout):
        broke = isinstance(error, requests.exceptions.ConnectionError)
        return AnswerLost(f"{origin}: {'the connection broke' if broke else type(error).__name__}")
    if is_tls:
        return OrgUnreachable(f"{origin}: TLS refused")
    return OrgUnreachable(f"{origin}: no connection, {type(_reason(error)).__name__}")


def _reason(error: Exception) -> Exception:
    """Return the urllib3 error inside an error of requests, which is more precise (unknown host, refused)."""
    cause = error.args[0] if error.args else None
    return cause.reason if isinstance(cause, MaxRetryError) and cause.reason else error


def _strict_json(raw: Secret[bytes], status: int) -> tuple[Secret[str], object]:
    """Return the body as text and as JSON.

    NaN, NUL, lone surrogates and deep nesting are refused, because databases or readers can't handle them. So is a name
    that occurs twice in one object, because readers differ on which one counts.

    :raises MalformedAnswer: the body isn't such JSON
    """
    try:
        text = raw.reveal().decode("utf-8")
        decoded = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unambiguous)
        # UTF-8 has no surrogates, so they can only be escaped.
        has_surrogates = ESCAPED.search(text) and SURROGATE.search(json.dumps(decoded, ensure_ascii=False))
        is_storable = "\\u0000" not in text and not has_surrogates
    except (ValueError, RecursionError):
        # A decoder's error quotes its input.
        raise MalformedAnswer(f"HTTP {status}, not JSON") from None
    if not is_storable or _is_deep(decoded):
        raise MalformedAnswer(f"HTTP {status}, unsafe JSON")
    return Secret(text), decoded


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _unambiguous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name twice in one object")
    return members


def _is_deep(decoded: Any) -> bool:
    """Return whether objects and lists are nested more than ``MAX_DEPTH`` times."""
    level = [decoded] if type(decoded) in CONTAINERS else []
    for _ in range(MAX_DEPTH):
        members = [node.values() if type(node) is dict else node for node in level]
        level = [inner for inside in members for inner in inside if type(inner) in CONTAINERS]
    return bool(level)
