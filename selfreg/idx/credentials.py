"""How the app authenticates to interact and token: the methods of OpenID Connect Core, section 9, that Okta offers.

Each method gives the form fields and headers that one request needs. A public client authenticates by PKCE alone.
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
"""Form fields and headers."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who the app is, and what it authenticates with.

    :param method: a key of ``METHODS``
    :param secret: for ``secret_post`` and ``secret_basic``
    :param private_key: PEM of an RSA key, for ``private_key``
    :param key_id: which of the app's public keys belongs to it; "" leaves it to the org
    """

    client_id: str
    method: str = "none"
    secret: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    key_id: str = ""

    @property
    def confidential(self) -> bool:
        """Whether this is a confidential client (RFC 6749, section 2.1): one that can keep a secret."""
        return self.method != "none"

    def proof(self, url: str) -> Proof:
        """Form fields and headers for one request to ``url``.

        :raises ValueError: the private key is not a usable PEM
        """
        return METHODS[self.method](self, url)


def _none(credentials: Credentials, _url: str) -> Proof:
    return {"client_id": credentials.client_id}, {}


def _secret_post(credentials: Credentials, _url: str) -> Proof:
    return {"client_id": credentials.client_id, "client_secret": credentials.secret}, {}


def _secret_basic(credentials: Credentials, _url: str) -> Proof:
    """RFC 6749, section 2.3.1: both parts are form-encoded before they are joined. Interact wants the id in the body
    too.
    """
    pair = f"{quote(credentials.client_id, safe='')}:{quote(credentials.secret, safe='')}"
    return {"client_id": credentials.client_id}, {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _private_key(credentials: Credentials, url: str) -> Proof:
    """``private_key_jwt``: an assertion for this URL, usable once within ``ASSERTION_SECONDS``."""
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
