"""The client of the Management API, with one transport, one way to authenticate, and one mapping of errors."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from django.utils import timezone

from selfreg import __version__
from selfreg.conf import Conf
from selfreg.database_connections import release_pooled_connections
from selfreg.idx.client import origin_of
from selfreg.idx.credentials import Credentials
from selfreg.idx.errors import OrgRefused
from selfreg.idx.failures import failure_of
from selfreg.idx.transport import Headers, Reply, Route, Transport
from selfreg.monitoring import okta
from selfreg.okta_api.authorization import ApiToken, ServiceApp
from selfreg.secret import Secret, reveal

Json = dict[str, Any]
PATHS = re.compile(r"/api/v1/[A-Za-z0-9/_%.-]+|/oauth2/v1/token")
NEXT_PAGE = re.compile(r'<([^>]+)>;\s*rel="next"')
MAX_PAGES = 50
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
# Errors of the token endpoint for scopes that were not granted to the service app.
UNGRANTED = ("consent_required", "invalid_scope")


def value_at(document: Any, *path: str) -> Any:
    """Return the value at a path of keys in nested JSON objects, or None."""
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def is_configured(settings: Conf) -> bool:
    """Return whether this site can use the Management API: it has an API token, or a service app with a private key."""
    return bool(settings.api_token or (settings.api_client_id and settings.api_private_key))


def lacks_rights(refusal: OrgRefused) -> bool:
    """Return whether the org accepts the token or the service app, but not for this call."""
    return refusal.status == FORBIDDEN or refusal.code in UNGRANTED


def reset_connections() -> None:
    """Forget all connections and access tokens of this process: for tests."""
    _transport.cache_clear()
    _service_app.cache_clear()


class ManagementClient:
    """Reads and changes resources of the org, by their path below ``/api/v1/``, such as ``apps/0oa1/groups``.

    :param scopes: for a service app, see ``okta_api.scopes``; an API token has the rights of its administrator
    :raises IdxError: (every method) see ``idx.errors``; ``OrgRefused`` if the token is wrong or lacks rights
    """

    def __init__(self, settings: Conf, scopes: Sequence[str]) -> None:
        self.origin = origin_of(settings.issuer)
        self._transport = _transport(self.origin, Route(settings.proxy, settings.ca_bundle))
        self._authorization = _authorization(settings, self.origin, " ".join(scopes))

    def get(self, path: str) -> Json:
        """Return a resource."""
        return _object(self._call("GET", path))

    def get_or_none(self, path: str) -> Json | None:
        """Return a resource; None if there is no such resource."""
        try:
            return self.get(path)
        except OrgRefused as refusal:
            if refusal.status == NOT_FOUND:
                return None
            raise

    def items(self, path: str, **query: str) -> Iterator[Json]:
        """Yield the items of a list, page by page, up to ``MAX_PAGES`` pages."""
        for _ in range(MAX_PAGES):
            reply = self._call("GET", path, query=query)
            yield from (item for item in reply.body if isinstance(item, dict)) if isinstance(reply.body, list) else ()
            next_page = NEXT_PAGE.search(reply.headers.get("Link", ""))
            if not next_page:
                return
            query = dict(parse_qsl(next_page[1].partition("?")[2]))

    def send(self, method: str, path: str, body: Json | None = None, **query: str) -> Json:
        """Send a POST, PUT or DELETE. Return the JSON object of the answer, or {}."""
        return _object(self._call(method, path, body, query))

    def delete(self, path: str) -> bool:
        """Send a DELETE. Return False if there was nothing to delete."""
        reply = self._reply("DELETE", path)
        if reply.status == NOT_FOUND:
            return False
        _checked(reply, path)
        return True

    def _call(self, method: str, path: str, body: Json | None = None, query: Mapping[str, str] | None = None) -> Reply:
        return _checked(self._reply(method, path, body, query), path)

    def _reply(self, method: str, path: str, body: Json | None = None, query: Mapping[str, str] | None = None) -> Reply:
        """Make a call. After a 401, repeat it once with a new access token, because it had no effect.

        After a 403, the next call uses a new token, because the missing scope may have been granted by then.
        """
        url = f"{self.origin}/api/v1/{quote(path, safe='/')}" + (f"?{urlencode(query)}" if query else "")
        text = None if method in ("GET", "DELETE") else Secret(json.dumps(body or {}, default=reveal))
        authorization = self._authorization.header()
        reply = self._transport.request(method, url, _headers(authorization), text, repeatable=method == "GET")
        if reply.status in (UNAUTHORIZED, FORBIDDEN):
            replaceable = self._authorization.forget(authorization)
            if replaceable and reply.status == UNAUTHORIZED:
                headers = _headers(self._authorization.header())
                reply = self._transport.request(method, url, headers, text, repeatable=method == "GET")
        return reply


def _checked(reply: Reply, path: str) -> Reply:
    """Return a successful reply; else raise an error that names the resource, whose scope may be missing."""
    if reply.status < 400:
        return reply
    error = failure_of(reply, timezone.now().timestamp())
    if isinstance(error, OrgRefused):
        error.description = f"{path}: {error.description}"
    raise error


def _object(reply: Reply) -> Json:
    return dict(reply.body) if isinstance(reply.body, Mapping) else {}


def _headers(authorization: Secret[str]) -> Headers:
    return {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Authorization": authorization,
        "User-Agent": f"django-selfreg/{__version__}",
    }


def _authorization(settings: Conf, origin: str, scopes: str) -> ApiToken | ServiceApp:
    if settings.api_token:
        return ApiToken(settings.api_token)
    credentials = Credentials(
        settings.api_client_id, "private_key", private_key=settings.api_private_key, key_id=settings.api_key_id
    )
    return _service_app(origin, Route(settings.proxy, settings.ca_bundle), credentials, scopes)


@lru_cache(maxsize=8)
def _service_app(origin: str, route: Route, credentials: Credentials, scopes: str) -> ServiceApp:
    """Return a service app. Clients with the same credentials and scopes share it, and so its access token."""
    return ServiceApp(_transport(origin, route), credentials, scopes)


@lru_cache(maxsize=8)
def _transport(origin: str, route: Route) -> Transport:
    """Return a transport of its own: failures here must not open the circuit breaker of sign-ups."""
    observer = replace(okta.OBSERVER, before_call=release_pooled_connections)
    return Transport(origin, paths=PATHS, may_be_empty=True, observer=observer, route=route)
