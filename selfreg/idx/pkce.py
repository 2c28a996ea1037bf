"""Proof Key for Code Exchange (RFC 7636), method S256 only."""

import base64
import hashlib
import secrets


def new_verifier() -> str:
    """Return a new code verifier: 86 URL-safe characters with 512 random bits."""
    return secrets.token_urlsafe(64)


def challenge(verifier: str) -> str:
    """``BASE64URL(SHA256(verifier))`` without padding."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
