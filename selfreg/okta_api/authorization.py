"""The Authorization header of a call to the Management API: an API token, or the access token of a service app.

Source: Okta Management API, "SSWS" tokens; RFC 6749 4.4 (client credentials) with RFC 7523 (private key) for service
apps.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils import timezone

from selfreg.idx.client import FORM, form_body
from selfreg.idx.credentials import Credentials
from selfreg.idx.errors import MalformedAnswer, OrgRefused
from selfreg.idx.failures import failure_of
from selfreg.idx.transport import Transport
from selfreg.secret import Secret

# An access token this close to its end is not used again.
MARGIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token that an administrator created in the Admin Console."""

    token: Secret[str]

    def header(self) -> Secret[str]:
        """Return the value of the header."""
        return Secret(f"SSWS {self.token.reveal()}")

    def forget(self, header: Secret[str]) -> bool:
        """Return False, because there is no other token to try."""
        return False


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token. ``usable_until`` is a time of ``time.monotonic``."""

    value: Secret[str]
    usable_until: float


class ServiceApp:
    """An OAuth service app of the org. Safe to share between threads, which at worst fetch two tokens at once.

    Its access token is only stored in this object.
    """

    def __init__(self, transport: Transport, credentials: Credentials, scopes: str) -> None:
        self._transport, self._credentials, self._scopes = transport, credentials, scopes
        self._token: AccessToken | None = None

    def header(self) -> Secret[str]:
        """Return the value of the header. If necessary, fetch an access token.

        :raises IdxError: see ``idx.errors``; ``OrgRefused`` if the org refuses the app, its key or its scopes, or if
            the private key is not a usable PEM
        """
        token = self._token
        if token is None or time.monotonic() >= token.usable_until:
            token = self._token = self._fetch()
        return _bearer(token)

    def forget(self, header: Secret[str]) -> bool:
        """Drop a refused access token, unless it was replaced already. Return True, because a new one may work."""
        if self._token is not None and header == _bearer(self._token):
            self._token = None
        return True

    def _fetch(self) -> AccessToken:
        url = f"{self._transport.origin}/oauth2/v1/token"
        try:
            client_proof, _headers = self._credentials.proof(url)
        except ValueError as error:
            raise OrgRefused("invalid_client", f"SELFREG['API_PRIVATE_KEY']: {error}", 401) from error
        form = {"grant_type": "client_credentials", "scope": self._scopes, **client_proof}
        sent_at = time.monotonic()
        reply = self._transport.post(url, {"Accept": "application/json", "Content-Type": FORM}, form_body(form))
        if reply.status != 200:
            raise failure_of(reply, timezone.now().timestamp())
        body = reply.body if isinstance(reply.body, Mapping) else {}
        value, lifetime = body.get("access_token"), body.get("expires_in")
        if not isinstance(value, str) or not value:
            raise MalformedAnswer("the token endpoint answered without an access token")
        seconds = lifetime if isinstance(lifetime, int) else 0
        return AccessToken(Secret(value), sent_at + seconds - MARGIN_SECONDS)


def _bearer(token: AccessToken) -> Secret[str]:
    return Secret(f"Bearer {token.value.reveal()}")
