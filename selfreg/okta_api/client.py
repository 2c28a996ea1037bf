"""Okta's Management API as an administrator of this site may use it: SSWS token, or an OAuth service app by its key.

Source: Okta Management API; RFC 6749 4.4 with RFC 7523 for service apps. The sign-up itself never comes here.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from selfreg import __version__
from selfreg.conf import conf
from selfreg.idx.client import FORM, App
from selfreg.idx.credentials import Credentials
from selfreg.idx.errors import AnswerLost, ForeignHref, IdxError, MalformedAnswer, OrgRefused, RateLimited
from selfreg.idx.transport import Reply, Transport
from selfreg.okta_api.accounts import ManagementTransport

Json = dict[str, Any]
PATH = re.compile(r"/api/v1/[A-Za-z0-9/_%.-]+")
NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
FORBIDDEN, NOT_FOUND = 403, 404
# What the org's token endpoint says of scopes that nobody granted to a service app.
UNGRANTED = ("consent_required", "invalid_scope")
MOST_PAGES = 50
CHANGED = ("apps", "policies", "authenticators", "authorizationServers", "inlineHooks", "eventHooks")
ONLY_READ = ("groups", "schemas", "logs")


def lacks_rights(refusal: OrgRefused) -> bool:
    """Whether the token, or the service app, is known but may not do this."""
    return refusal.status == FORBIDDEN or refusal.code in UNGRANTED


def is_configured() -> bool:
    """Whether there is anything to prove oneself with."""
    return bool(conf().api_token or (conf().api_client_id and conf().api_private_key))


class AnyResource(ManagementTransport):
    """The same bounds, every resource."""

    def put(self, url: str, headers: Mapping[str, str], body: str) -> Reply:
        """A PUT. Raises what ``post`` raises."""
        return self.request("PUT", url, headers, body, repeatable=False)

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != self.origin or not PATH.fullmatch(parts.path) or ".." in parts.path:
            raise ForeignHref("not a call of ours")


class Management:
    """Resources by their path below ``/api/v1/``.

    :raises IdxError: (every method) see ``idx.errors``; ``OrgRefused`` for a wrong token and for one without rights
    """

    def __init__(self, *, may_change: bool = False) -> None:
        """``may_change``: a service app asks for the rights to do so too."""
        parts = urlsplit(conf().issuer)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.scopes = _scopes(may_change)
        self.transport = AnyResource(self.origin)
        self._authorization = ""

    def get(self, path: str) -> Json:
        """One resource."""
        return _object(self.transport.get(self._url(path), self._headers()), path)

    def find(self, path: str) -> Json | None:
        """One resource, None when there is none."""
        try:
            return self.get(path)
        except OrgRefused as refusal:
            if refusal.status == NOT_FOUND:
                return None
            raise

    def all(self, path: str, **query: str) -> Iterator[Json]:
        """Every item of a list, over its pages."""
        url = self._url(path) + (f"?{urlencode(query)}" if query else "")
        for _ in range(MOST_PAGES):
            reply = self.transport.get(url, self._headers())
            yield from _items(reply, path)
            following = NEXT.search(reply.headers.get("Link", ""))
            if not following:
                return
            after = dict(parse_qsl(urlsplit(following[1]).query))
            url = f"{self._url(path)}?{urlencode(after)}"

    def send(self, method: str, path: str, body: Json | None = None) -> Json:
        """A change: POST, PUT or DELETE."""
        url, headers = self._url(path), self._headers()
        if method == "DELETE":
            return _object(self.transport.delete(url, headers), path)
        call = {"POST": self.transport.post, "PUT": self.transport.put}[method]
        return _object(call(url, headers, json.dumps(body or {})), path)

    def _url(self, path: str) -> str:
        return f"{self.origin}/api/v1/{quote(path, safe='/')}"

    def _headers(self) -> dict[str, str]:
        self._authorization = self._authorization or self._prove()
        return {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Authorization": self._authorization,
            "User-Agent": f"django-selfreg/{__version__}",
        }

    def _prove(self) -> str:
        if conf().api_token:
            return f"SSWS {conf().api_token}"
        credentials = Credentials(
            conf().api_client_id, "private_key", private_key=conf().api_private_key, key_id=conf().api_key_id
        )
        grant = {"grant_type": "client_credentials", "scope": self.scopes}
        url = App(self.origin, credentials).endpoint("token")
        try:
            identity, _headers = credentials.proof(url)
        except ValueError as error:
            raise OrgRefused("invalid_client", f"SELFREG['API_PRIVATE_KEY']: {error}", 401) from error
        headers = {"Accept": "application/json", "Content-Type": FORM}
        answer = _object(Transport(self.origin).post(url, headers, urlencode({**grant, **identity})), "token")
        return f"Bearer {answer.get('access_token', '')}"


def _scopes(may_change: bool) -> str:
    """Those of hooks only where the site has a secret for them: a right that is not needed need not be granted."""
    needed = [name for name in CHANGED if conf().hook_secret or not name.endswith("Hooks")]
    read = [f"okta.{name}.read" for name in (*needed, *ONLY_READ)]
    return " ".join([*read, *(f"okta.{name}.manage" for name in needed if may_change)])


def _object(reply: Reply, path: str) -> Json:
    _refuse(reply, path)
    return dict(reply.body) if isinstance(reply.body, Mapping) else {}


def _items(reply: Reply, path: str) -> list[Json]:
    _refuse(reply, path)
    return [item for item in reply.body if isinstance(item, dict)] if isinstance(reply.body, list) else []


def _refuse(reply: Reply, path: str) -> None:
    """Raises for an answer that is none. A refusal names the resource, so that the missing right can be told."""
    if reply.status < 400:
        return
    body = reply.body if isinstance(reply.body, Mapping) else {}
    error: IdxError
    if reply.status == 429:
        error = RateLimited(60)
    elif reply.status >= 500:
        error = AnswerLost(f"HTTP {reply.status}")
    elif isinstance(body.get("error"), str):
        error = OrgRefused(body["error"][:100], str(body.get("error_description", ""))[:500], reply.status)
    elif isinstance(body.get("errorCode"), str):
        causes = [str(c.get("errorSummary", "")) for c in body.get("errorCauses") or [] if isinstance(c, Mapping)]
        said = "; ".join([f"{path}: {body.get('errorSummary', '')}", *causes])
        error = OrgRefused(body["errorCode"][:20], said[:500], reply.status)
    else:
        error = MalformedAnswer(f"HTTP {reply.status}, not the Management API")
    error.request_id = reply.request_id
    raise error
