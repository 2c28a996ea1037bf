"""RFC 6238 codes for the google_otp authenticator: six digits, 30 seconds, SHA-1, one step of drift either way."""

import base64
import hashlib
import hmac
import secrets
import struct
from urllib.parse import quote

import segno

from okta_devorg.wire.ion import Json


def new_secret() -> str:
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, at: float) -> str:
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(at) // 30), hashlib.sha1)
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4]) & 0x7FFFFFFF) % 1_000_000:06d}"


def is_code(secret: str, code: str, at: float) -> bool:
    return any(
        hmac.compare_digest(code_at(secret, at + drift).encode(), code.encode("utf-8", "replace"))
        for drift in (-30, 0, 30)
    )


def contextual_data(secret: str, login: str, issuer_name: str) -> Json:
    uri = f"otpauth://totp/{quote(issuer_name)}:{quote(login)}?secret={secret}&issuer={quote(issuer_name)}"
    picture = segno.make(uri, micro=False).png_data_uri(scale=4)
    return {"qrcode": {"method": "embedded", "href": picture, "type": "image/png"}, "sharedSecret": secret}
