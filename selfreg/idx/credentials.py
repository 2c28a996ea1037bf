"""How the app authenticates to interact and token: the methods of OpenID Connect Core, section 9, that Okta offers.

Each method gives the form fields and headers that one request needs. A public client authenticates by PKCE alone.
"""

import secrets
import time
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import quote

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import RSAAlgorithm

from selfreg.secret import Secret

__all__ = ["Credentials"]

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 300
METHODS = ("none", "secret_post", "secret_basic", "private_key")

Proof = tuple[dict[str, str | Secret[str]], dict[str, str | Secret[str]]]
"""Form fields and headers."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The app's client id and how it authenticates.

    :param method: one of ``METHODS``; "none" for a public client (RFC 6749, section 2.1)
    :param secret: for ``secret_post`` and ``secret_basic``
    :param private_key: PEM of an RSA key, for ``private_key``
    :param key_id: which of the app's public keys belongs to it; "" leaves it to the org
    """

    client_id: str
    method: str = "none"
    secret: Secret[str] | str = field(default="", repr=False)
    private_key: Secret[str] | str = field(default="", repr=False)
    key_id: str = ""

    @property
    def public_key(self) -> dict[str, str] | None:
        """Return the public half of the private key (RFC 7517), for the app at the org; None for another method.

        :raises ValueError: the private key is not a usable PEM
        :raises TypeError: it is no RSA key
        """
        if self.method != "private_key":
            return None
        private_key = load_pem_private_key(Secret(self.private_key).reveal().encode(), None)
        if not isinstance(private_key, RSAPrivateKey):
            raise TypeError("not an RSA key")
        key: dict[str, str] = RSAAlgorithm.to_jwk(private_key.public_key(), as_dict=True)
        return {**key, "use": "sig", "alg": "RS256"} | ({"kid": self.key_id} if self.key_id else {})

    def proof(self, url: str) -> Proof:
        """Return the form fields and headers for one request to ``url``.

        :raises ValueError: the private key is not a usable PEM
        """
        fields: dict[str, str | Secret[str]] = {"client_id": self.client_id}
        headers: dict[str, str | Secret[str]] = {}
        if self.method == "secret_post":
            fields["client_secret"] = Secret(self.secret)
        elif self.method == "secret_basic":
            # RFC 6749, section 2.3.1: both parts are form-encoded before they are joined. Interact wants the id in the
            # body, too.
            parts = (self.client_id, Secret(self.secret).reveal())
            pair = Secret(":".join(quote(part, safe="") for part in parts).encode())
            headers["Authorization"] = Secret(f"Basic {b64encode(pair.reveal()).decode()}")
        elif self.method == "private_key":
            fields |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self._assertion(url)}
        return fields, headers

    def _assertion(self, url: str) -> Secret[str]:
        """``private_key_jwt``: for this URL, usable once within ``ASSERTION_SECONDS``."""
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": url,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(16),
        }
        key, key_id = Secret(self.private_key), {"kid": self.key_id} if self.key_id else {}
        try:
            return Secret(jwt.encode(claims, key.reveal(), algorithm="RS256", headers=key_id))
        except (jwt.PyJWTError, TypeError) as error:
            raise ValueError("the private key isn't a usable PEM") from error
