"""The org's RSA key for tokens."""

import base64
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from okta_devorg.wire.identifiers import new_token


class SigningKey:
    """An RSA key with its id. It is made at first use: nothing else is slow when an org starts."""

    def __init__(self) -> None:
        self.kid = new_token(size=24)

    @cached_property
    def private_key(self) -> rsa.RSAPrivateKey:
        """The key itself."""
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def sign(self, claims: dict[str, Any]) -> str:
        """Return a signed JWT of the claims (RS256). As recorded, its header has no `typ`."""
        return jwt.encode(claims, self.private_key, algorithm="RS256", headers={"kid": self.kid, "typ": None})

    def jwks(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key Set (RFC 7517)."""
        numbers = self.private_key.public_key().public_numbers()
        key = {"kty": "RSA", "alg": "RS256", "kid": self.kid, "use": "sig"}
        return {"keys": [{**key, "e": _base64_number(numbers.e), "n": _base64_number(numbers.n)}]}


def _base64_number(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()
