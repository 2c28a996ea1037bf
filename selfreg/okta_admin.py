"""The few calls of Okta's Management API that an administrator's repair needs. The sign-up itself never comes here.

Source: Okta Management API, Users and User Lifecycle. Authorization is ``SSWS`` with ``SELFREG["API_TOKEN"]``.
Only accounts that never became active are touched: ``STAGED`` and ``PROVISIONED``.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from selfreg import __version__
from selfreg.conf import conf
from selfreg.idx.errors import AnswerLost, ForeignHref, IdxError, MalformedAnswer, OrgRefused, RateLimited
from selfreg.idx.transport import Reply, Transport

HALF_MADE = ("STAGED", "PROVISIONED")
PATH = re.compile(r"/api/v1/users/[A-Za-z0-9]+(?:/lifecycle/(?:activate|reactivate))?")
# Deleting an account that was never deactivated deactivates it; the second call deletes.
DELETIONS = 2
GONE = 404


class NotHalfMade(Exception):
    """The account is in a state that is not ours to change; ``status`` is Okta's word, "" when there is none."""

    def __init__(self, status: str) -> None:
        super().__init__(status or "no such account")
        self.status = status


class ManagementTransport(Transport):
    """The same bounds, other paths. Some of these answers have no body at all."""

    def delete(self, url: str, headers: Mapping[str, str]) -> Reply:
        """A DELETE. Raises what ``post`` raises."""
        return self._call("DELETE", url, headers, None, repeatable=False)

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != self.origin or not PATH.fullmatch(parts.path):
            raise ForeignHref("not a call of ours")

    def _read(self, answer: requests.Response, until: float) -> bytes:
        return super()._read(answer, until) or b"{}"


class OktaAccounts:
    """Half-made accounts of the configured org.

    :raises IdxError: (every method) see ``idx.errors``; ``OrgRefused`` with ``code`` for a token that may not do this
    :raises NotHalfMade: (every method) the account is active, locked, or gone
    """

    def __init__(self) -> None:
        parts = urlsplit(conf().issuer)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.transport = _transport(self.origin)

    def status(self, user_id: str) -> str:
        """Okta's word for where the account stands (``STAGED``, ``ACTIVE`` ...); "" when there is none."""
        try:
            body = self._body(self.transport.get(self._url(user_id), self._headers()))
        except OrgRefused as refusal:
            if refusal.status == GONE:
                return ""
            raise
        return str(body.get("status", ""))[:30]

    def send_activation(self, user_id: str) -> None:
        """Has Okta mail a (new) activation link."""
        verb = "activate" if self._half_made(user_id) == "STAGED" else "reactivate"
        url = f"{self._url(user_id)}/lifecycle/{verb}?sendEmail=true"
        self._body(self.transport.post(url, self._headers(), "{}"))

    def remove(self, user_id: str) -> None:
        """Deletes the account for good."""
        self._half_made(user_id)
        for _ in range(DELETIONS):
            reply = self.transport.delete(self._url(user_id), self._headers())
            if reply.status == GONE:
                return
            self._body(reply)

    def _half_made(self, user_id: str) -> str:
        status = self.status(user_id)
        if status not in HALF_MADE:
            raise NotHalfMade(status)
        return status

    def _url(self, user_id: str) -> str:
        return f"{self.origin}/api/v1/users/{quote(user_id, safe='')}"

    def _headers(self) -> dict[str, str]:
        return {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Authorization": f"SSWS {conf().api_token}",
            "User-Agent": f"django-selfreg/{__version__}",
        }

    def _body(self, reply: Reply) -> Mapping[str, Any]:
        body = reply.body if isinstance(reply.body, Mapping) else {}
        if reply.status < 400:
            return body
        error: IdxError
        if reply.status == 429:
            error = RateLimited(60)
        elif reply.status < 500 and isinstance(body.get("errorCode"), str):
            error = OrgRefused(body["errorCode"][:20], str(body.get("errorSummary", ""))[:200], reply.status)
        elif reply.status >= 500:
            error = AnswerLost(f"HTTP {reply.status}")
        else:
            error = MalformedAnswer(f"HTTP {reply.status}, not the Management API")
        error.request_id = reply.request_id
        raise error


@lru_cache(maxsize=2)
def _transport(origin: str) -> ManagementTransport:
    return ManagementTransport(origin)
