"""The org's RSA key. Made on first use: it is the only slow thing at start-up."""

import base64
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from okta_devorg.wire.identifiers import new_bearer


class SigningKey:
    def __init__(self) -> None:
        self.kid = new_bearer(size=24)

    @cached_property
    def private(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.private, algorithm="RS256", headers={"kid": self.kid})

    def jwks(self) -> dict[str, Any]:
        numbers = self.private.public_key().public_numbers()
        key = {"kty": "RSA", "alg": "RS256", "kid": self.kid, "use": "sig"}
        return {"keys": [{**key, "e": base64_int(numbers.e), "n": base64_int(numbers.n)}]}


def base64_int(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()
