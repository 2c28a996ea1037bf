"""A security key in software, with one P-256 credential and "packed" self-attestation."""

import base64
import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class SecurityKey:
    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = secrets.token_bytes(32)
        self.count = 0

    def create(self, activation: dict[str, Any]) -> dict[str, str]:
        """The `credentials` for PublicKeyCredentialCreationOptions."""
        client_data = self.client_data("webauthn.create", activation["challenge"])
        numbers = self.private.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        attested = bytes(16) + len(self.credential_id).to_bytes(2) + self.credential_id + cbor2.dumps(cose)
        data = self.authenticator_data(activation["rp"]["id"], PRESENT | VERIFIED | ATTESTED) + attested
        statement = {"alg": -7, "sig": self.sign(data, client_data)}
        attestation = cbor2.dumps({"fmt": "packed", "attStmt": statement, "authData": data})
        return {"clientData": encoded(client_data), "attestation": encoded(attestation)}

    def get(self, request: dict[str, Any]) -> dict[str, str]:
        """The fields of the sign-in page for PublicKeyCredentialRequestOptions."""
        assert encoded(self.credential_id) in [item["id"] for item in request["allowCredentials"]]
        client_data = self.client_data("webauthn.get", request["challenge"])
        self.count += 1
        data = self.authenticator_data(request["rpId"], PRESENT | VERIFIED)
        return {
            "clientData": encoded(client_data),
            "authenticatorData": encoded(data),
            "signatureData": encoded(self.sign(data, client_data)),
        }

    def client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def authenticator_data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def sign(self, data: bytes, client_data: bytes) -> bytes:
        return self.private.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
