"""All I/O of this package: HTTP to one origin, within limits.

A ``Transport`` never follows redirects, never reads proxies or netrc from the environment, never stores cookies
(visitors share it), reads at most ``MAX_BODY`` decoded bytes, gives up at a total deadline, and stops calling an org
that is down. TLS certificates are always verified.
"""

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import MaxRetryError

from selfreg.idx.circuit_breaker import CircuitBreaker
from selfreg.idx.deadline import Call, DeadlineAdapter, time_left
from selfreg.idx.errors import AnswerLost, ForeignHref, MalformedAnswer, OrgUnreachable

# To connect to one address of the org; its TLS handshake may take as long.
CONNECT_SECONDS = 2.0
# The limit for a new connection, name lookup included, is this many times CONNECT_SECONDS, so that a second address can
# be tried when the first does not answer.
CONNECTION_ATTEMPTS = 2
# Between two pieces of an answer.
READ_SECONDS = 5.0
# A whole call, from the name lookup to the last byte of the answer.
TOTAL_SECONDS = 8.0
# A repeatable call is repeated only if it failed within this many seconds.
REPEAT_SECONDS = 2.0
# Decoded bytes of an answer.
MAX_BODY = 256 * 1024
# Nested objects and lists in an answer.
MAX_DEPTH = 40
DISCOVERY = "/.well-known/openid-configuration"
CALLABLE_PATH = re.compile(r"/(?:idp/idx|oauth2)/[A-Za-z0-9._~/-]*")
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole HTTP answer with JSON.

    :param body: the decoded JSON
    :param text: the same as text
    :param seconds: how long the call took
    """

    status: int
    body: object = field(repr=False)
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    seconds: float

    @property
    def request_id(self) -> str:
        """Okta's id of this call, for its System Log; "" if it sent none."""
        return self.headers.get("X-Okta-Request-Id", "")[:64]


@dataclass(frozen=True, slots=True)
class RawReply:
    """One whole HTTP answer of any kind; the body without its content encoding."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class Transport:
    """Calls one origin over a pool of connections. Safe to share between threads.

    :param origin: ``https://dev-1.okta.com``; calls to anywhere else raise ``ForeignHref``
    :param at_once: how many calls may run at the same time in this process
    :param paths: the paths that may be called, beside the discovery documents
    :param may_be_empty: an empty body is an empty object instead of a ``MalformedAnswer``
    :param on_reply: called with every whole answer, for its headers
    """

    def __init__(
        self,
        origin: str,
        at_once: int = 32,
        *,
        paths: re.Pattern[str] = CALLABLE_PATH,
        may_be_empty: bool = False,
        on_reply: Callable[[Reply], None] | None = None,
    ) -> None:
        self.origin = origin
        self.paths, self.may_be_empty, self.on_reply = paths, may_be_empty, on_reply
        self.circuit = CircuitBreaker(at_once)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.session.mount(origin, DeadlineAdapter(pool_connections=1, pool_maxsize=at_once))

    def get(self, url: str, headers: Mapping[str, str]) -> Reply:
        """A GET. Raises what ``request`` raises."""
        return self.request("GET", url, headers, repeatable=True)

    def post(self, url: str, headers: Mapping[str, str], body: bytes | str, *, repeatable: bool = False) -> Reply:
        """A POST of an encoded body; ``request`` tells what it raises."""
        return self.request("POST", url, headers, body, repeatable=repeatable)

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | str | None = None, *, repeatable: bool
    ) -> Reply:
        """One call.

        :param repeatable: the call changes nothing, so it is repeated once after a lost answer
        :raises OrgUnreachable: nothing was sent
        :raises AnswerLost: sent, and no whole answer came back in time
        :raises MalformedAnswer: a redirect, too large, or not JSON
        :raises ForeignHref: ``url`` is not of this origin
        """
        self._check(url)  # before the circuit breaker: a call that is never made tells nothing about the org
        started = time.monotonic()
        try:
            return self._guarded(method, url, headers, body)
        except AnswerLost:
            if not repeatable or time.monotonic() - started > REPEAT_SECONDS:
                raise
            return self._guarded(method, url, headers, body)

    def _guarded(self, method: str, url: str, headers: Mapping[str, str], body: bytes | str | None) -> Reply:
        self.circuit.enter()
        succeeded = False
        try:
            reply = self._exchange(method, url, headers, body)
            succeeded = reply.status < 500
        finally:
            self.circuit.leave(succeeded=succeeded)
        if self.on_reply:
            self.on_reply(reply)
        return reply

    def fetch(self, method: str, url: str, headers: Mapping[str, str], body: bytes | str | None = None) -> RawReply:
        """One exchange within the deadlines, whatever the answer is: a redirect or no JSON is no error here.

        The circuit breaker neither stops it nor learns how it ended.

        :raises OrgUnreachable: nothing was sent
        :raises AnswerLost: sent, and no whole answer came back in time
        :raises MalformedAnswer: the answer is too large
        :raises ForeignHref: ``url`` is not of this origin
        """
        self._check(url)
        seconds = time_left(TOTAL_SECONDS)
        if seconds <= 0:
            raise AnswerLost(f"{self.origin}: the calls before this one took too long")
        ends_at = time.monotonic() + seconds
        call = Call(lambda: self._send(method, url, headers, body, ends_at))
        try:
            return call.run(CONNECTION_ATTEMPTS * CONNECT_SECONDS, seconds)
        except requests.exceptions.InvalidHeader:
            # Its message quotes the header, which may hold a token.
            raise OrgUnreachable(f"{self.origin}: not sent, a header has a character that is not allowed") from None
        except (requests.exceptions.RequestException, OSError, ValueError) as error:
            raise _failure_of(call, error, self.origin) from error

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | str | None) -> Reply:
        started = time.monotonic()
        raw = self.fetch(method, url, headers, body)
        if 300 <= raw.status < 400:
            raise MalformedAnswer(f"{self.origin} answered with a redirect")
        text, decoded = _strict_json(raw.body or (b"{}" if self.may_be_empty else b""), raw.status)
        return Reply(raw.status, decoded, text, raw.headers, time.monotonic() - started)

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | str | None, ends_at: float
    ) -> RawReply:
        """The work of a ``Call``: runs in its thread."""
        with self.session.request(
            method,
            url,
            data=body,
            headers=dict(headers),
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as answer:
            return RawReply(answer.status_code, self._read(answer, ends_at), answer.headers)

    def _check(self, url: str) -> None:
        """Only this origin and the protocol's paths, without ``..`` or ``//``, which servers read in different ways."""
        parts = urlsplit(url)
        path = parts.path
        is_callable = path.endswith(DISCOVERY) or self.paths.fullmatch(path)
        if f"{parts.scheme}://{parts.netloc}" != self.origin or not is_callable or ".." in path or "//" in path:
            raise ForeignHref("the org's answer leads outside its own address")

    def _read(self, answer: requests.Response, until: float) -> bytes:
        """The whole body, decoded as ``Content-Encoding`` says, if it is small enough and comes in time."""
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
    """Seconds to wait after a 429: ``X-Rate-Limit-Reset`` (UTC epoch seconds), kept between 1 and 120.

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
    """What a failed call means: nothing was sent, or the org may have received the request and done its work."""
    is_tls = isinstance(error, requests.exceptions.SSLError)
    is_connect_timeout = isinstance(error, requests.exceptions.ConnectTimeout)
    if call.is_sending or not (call.is_connecting or is_tls or is_connect_timeout):
        broke = isinstance(error, requests.exceptions.ConnectionError)
        return AnswerLost(f"{origin}: {'the connection broke' if broke else type(error).__name__}")
    if is_tls:
        return OrgUnreachable(f"{origin}: TLS refused")
    return OrgUnreachable(f"{origin}: no connection, {type(_reason(error)).__name__}")


def _reason(error: Exception) -> Exception:
    """The error of urllib3 inside one of requests, where there is one: it tells an unknown host from a refusal."""
    cause = error.args[0] if error.args else None
    return cause.reason if isinstance(cause, MaxRetryError) and cause.reason else error


def _strict_json(raw: bytes, status: int) -> tuple[str, object]:
    """The body as text and as JSON. Refused are NaN, NUL, lone surrogates and great depth, which databases or readers
    cannot handle, and a name twice in one object, because readers differ about which one counts.

    :raises MalformedAnswer: the body is not such JSON
    """
    try:
        text = raw.decode("utf-8")
        decoded = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unambiguous)
        is_storable = "\\u0000" not in text and not SURROGATE.search(json.dumps(decoded, ensure_ascii=False))
    except (ValueError, RecursionError) as error:
        raise MalformedAnswer(f"HTTP {status}, not JSON") from error
    if not is_storable or _depth(decoded) > MAX_DEPTH:
        raise MalformedAnswer(f"HTTP {status}, unsafe JSON")
    return text, decoded


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _unambiguous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name twice in one object")
    return members


def _depth(node: object, level: int = 0) -> int:
    if level > MAX_DEPTH or not isinstance(node, dict | list):
        return level
    return max((_depth(n, level + 1) for n in (node.values() if isinstance(node, dict) else node)), default=level)
