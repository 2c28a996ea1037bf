"""The authenticator app: codes of RFC 6238 with six digits, 30 seconds and SHA-1."""

import base64
import hashlib
import hmac
import secrets
import struct
from urllib.parse import quote

from okta_devorg.factors.qr_code import qr_code
from okta_devorg.wire.ion import Json

# Characters of any script, three times in a QR code.
LONGEST_NAME = 60


def new_secret() -> str:
    """Return a random secret in base32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, at: float) -> str:
    """Return the code that the app shows at a real time, in seconds since 1970."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(at) // 30), hashlib.sha1)
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4]) & 0x7FFFFFFF) % 1_000_000:06d}"


def is_valid_code(secret: str, code: str, at: float) -> bool:
    """Return whether the code is valid at a real time. The code before and after it is accepted, as clocks differ."""
    return any(
        hmac.compare_digest(code_at(secret, at + drift).encode(), code.encode("utf-8", "replace"))
        for drift in (-30, 0, 30)
    )


def contextual_data(secret: str, login: str, issuer_name: str) -> Json:
    """Return the QR code and the secret to set up the app with, for `contextualData`."""
    account, issuer = (quote(name[:LONGEST_NAME]) for name in (login, issuer_name))
    uri = f"otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}"
    return {"qrcode": qr_code(uri), "sharedSecret": secret}
