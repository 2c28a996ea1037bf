"""The few calls of Okta's Management API that repairs and "send again" need. No step of a sign-up comes here.

Source: Okta Management API, Users, User Lifecycle and User Factors. Authorization is ``SSWS`` with
``SELFREG["API_TOKEN"]``. Changed are only accounts that never became active, ``STAGED`` and ``PROVISIONED``; of active
ones the e-mail factor is asked to send a code, and told the code.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from selfreg import __version__
from selfreg.addresses import canonical
from selfreg.conf import conf
from selfreg.idx.errors import AnswerLost, ForeignHref, IdxError, MalformedAnswer, OrgRefused, RateLimited
from selfreg.idx.transport import Reply, Transport

HALF_MADE = ("STAGED", "PROVISIONED")
PATH = re.compile(
    r"/api/v1/users/[A-Za-z0-9]+"
    r"(?:/lifecycle/(?:activate|reactivate|deactivate)|/factors(?:/[A-Za-z0-9]+/(?:resend|verify|lifecycle/activate))?)?"
)
ACTIVE = "ACTIVE"
WRONG_CODE = "E0000068"
FACTOR_ID = re.compile(r"[A-Za-z0-9]{1,60}")
# Deleting an account that was never deactivated deactivates it; the second call deletes.
DELETIONS = 2
GONE = 404


@dataclass(frozen=True, slots=True)
class EmailFactor:
    """What a mailed code is for: ``verb`` is the call below the factor that takes it."""

    id: str
    verb: str


class NotHalfMade(Exception):
    """The account is in a state that is not ours to change; ``status`` is Okta's word, "" when there is none."""

    def __init__(self, status: str) -> None:
        super().__init__(status or "no such account")
        self.status = status


class AnotherAddress(Exception):
    """The account's address at Okta is no longer the one that is known here."""


class ManagementTransport(Transport):
    """The same bounds, other paths. Some of these answers have no body at all."""

    def delete(self, url: str, headers: Mapping[str, str]) -> Reply:
        """A DELETE. Raises what ``post`` raises."""
        return self.request("DELETE", url, headers, repeatable=False)

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
        return str(self._account(user_id).get("status", ""))[:30]

    def send_activation(self, user_id: str) -> None:
        """Has Okta mail a (new) activation link; the ones before it are dead.

        An account that has a password would be active at once, with nothing proven. Deactivating deletes the password,
        so only the link leads on.
        """
        account = self._half_made(user_id)
        if account["status"] == "PROVISIONED":
            return self._lifecycle(user_id, "reactivate")
        if _has_password(account):
            self._lifecycle(user_id, "deactivate")
        return self._lifecycle(user_id, "activate")

    def send_code(self, user_id: str, email: str) -> EmailFactor:
        """Has Okta mail a code to the address of an active account. Only the newest code counts.

        :raises AnotherAddress: Okta would mail it to another one, which the code would prove instead
        """
        factors = f"{self._url(user_id)}/factors"
        reply = self.transport.get(factors, self._headers())
        self._body(reply)
        listed = [f for f in reply.body if isinstance(f, Mapping)] if isinstance(reply.body, list) else []
        known = next((f for f in listed if f.get("factorType") == "email"), None)
        about = {"factorType": "email", "provider": "OKTA", "profile": {"email": email}}
        if known is None:
            return EmailFactor(_factor_id(self._post(factors, about)), "lifecycle/activate")
        factor_id, profile = _factor_id(known), known.get("profile")
        if not isinstance(profile, Mapping) or canonical(str(profile.get("email", ""))) != canonical(email):
            raise AnotherAddress
        if known.get("status") == ACTIVE:
            self._post(f"{factors}/{factor_id}/verify", {})
            return EmailFactor(factor_id, "verify")
        self._post(f"{factors}/{factor_id}/resend", about)
        return EmailFactor(factor_id, "lifecycle/activate")

    def is_right(self, user_id: str, factor: EmailFactor, code: str) -> bool:
        """Tells Okta the code that somebody typed; whether it is the one from the mail."""
        try:
            self._post(f"{self._url(user_id)}/factors/{factor.id}/{factor.verb}", {"passCode": code})
        except OrgRefused as refusal:
            if refusal.code == WRONG_CODE:
                return False
            raise
        return True

    def remove(self, user_id: str) -> None:
        """Deletes the account for good."""
        self._half_made(user_id)
        for _ in range(DELETIONS):
            reply = self.transport.delete(self._url(user_id), self._headers())
            if reply.status == GONE:
                return
            self._body(reply)

    def _half_made(self, user_id: str) -> Mapping[str, Any]:
        account = self._account(user_id)
        status = str(account.get("status", ""))[:30]
        if status not in HALF_MADE:
            raise NotHalfMade(status)
        return account

    def _account(self, user_id: str) -> Mapping[str, Any]:
        """What Okta has; nothing when there is no such account."""
        try:
            return self._body(self.transport.get(self._url(user_id), self._headers()))
        except OrgRefused as refusal:
            if refusal.status == GONE:
                return {}
            raise

    def _lifecycle(self, user_id: str, verb: str) -> None:
        self._post(f"{self._url(user_id)}/lifecycle/{verb}?sendEmail={str(verb != 'deactivate').lower()}", {})

    def _post(self, url: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._body(self.transport.post(url, self._headers(), json.dumps(body)))

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


def _has_password(account: Mapping[str, Any]) -> bool:
    credentials = account.get("credentials")
    return isinstance(credentials, Mapping) and credentials.get("password") is not None


def _factor_id(factor: Mapping[str, Any]) -> str:
    found = str(factor.get("id", ""))
    if not FACTOR_ID.fullmatch(found):
        raise MalformedAnswer("a factor without an id")
    return found


@lru_cache(maxsize=2)
def _transport(origin: str) -> ManagementTransport:
    return ManagementTransport(origin)
