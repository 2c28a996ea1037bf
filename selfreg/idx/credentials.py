"""How the app proves itself to interact and token: OpenID Connect Core section 9, the methods that Okta offers.

Each method gives the form fields and headers that one request needs. A public client has no proof but PKCE.
"""

import secrets
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import jwt

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 300

Proof = tuple[dict[str, str], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Credentials:
    """``method`` is a key of ``METHODS``; which of the others is needed follows from it."""

    client_id: str
    method: str = "none"
    secret: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    key_id: str = ""

    @property
    def confidential(self) -> bool:
        """Whether the org can be sure that it is us."""
        return self.method != "none"

    def proof(self, url: str) -> Proof:
        """(form fields, headers) for a request to ``url``.

        :raises ValueError: the private key is no usable PEM
        """
        return METHODS[self.method](self, url)


def _none(credentials: Credentials, _url: str) -> Proof:
    return {"client_id": credentials.client_id}, {}


def _secret_post(credentials: Credentials, _url: str) -> Proof:
    return {"client_id": credentials.client_id, "client_secret": credentials.secret}, {}


def _secret_basic(credentials: Credentials, _url: str) -> Proof:
    """RFC 6749 2.3.1: both parts are form-encoded before they are joined. Interact wants the id in the body all
    the same.
    """
    pair = f"{quote(credentials.client_id, safe='')}:{quote(credentials.secret, safe='')}"
    return {"client_id": credentials.client_id}, {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _private_key(credentials: Credentials, url: str) -> Proof:
    """``private_key_jwt``: signed for this very URL, once, for five minutes."""
    now = int(time.time())
    claims = {
        "iss": credentials.client_id,
        "sub": credentials.client_id,
        "aud": url,
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
        "jti": secrets.token_urlsafe(16),
    }
    try:
        key_id = {"kid": credentials.key_id} if credentials.key_id else {}
        assertion = jwt.encode(claims, credentials.private_key, algorithm="RS256", headers=key_id)
    except (jwt.PyJWTError, TypeError) as error:
        raise ValueError("the private key is no usable PEM") from error
    return {
        "client_id": credentials.client_id,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }, {}


METHODS: dict[str, Callable[[Credentials, str], Proof]] = {
    "none": _none,
    "secret_post": _secret_post,
    "secret_basic": _secret_basic,
    "private_key": _private_key,
}
