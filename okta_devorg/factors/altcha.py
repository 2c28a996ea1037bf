"""The captcha ALTCHA: a task that a browser works out, without any provider (docs/protocol.md, section 4.2)."""

import base64
import hashlib
import hmac
import json
import secrets

from okta_devorg.wire.ion import Json

ALGORITHM = "SHA-256"
MAX_NUMBER = 5_000
# Without it the first digits of the number could pass for the last ones of the expiry.
END_OF_SALT = "&"


def new_task(key: bytes, now: float, lifetime: float) -> Json:
    """Return a task that is valid for so many seconds of org time."""
    salt = f"{secrets.token_hex(12)}?expires={int(now + lifetime)}{END_OF_SALT}"
    challenge = _digest(salt, secrets.randbelow(MAX_NUMBER))
    return {
        "algorithm": ALGORITHM,
        "challenge": challenge,
        "maxnumber": MAX_NUMBER,
        "salt": salt,
        "signature": _signature(key, challenge),
    }


def is_solved(key: bytes, token: object, now: float) -> bool:
    """Return whether a token answers one of the org's tasks in time."""
    try:
        answer = json.loads(base64.b64decode(str(token), validate=True))
        salt, number, signature = (str(answer[name]) for name in ("salt", "number", "signature"))
        own_signature = _signature(key, _digest(salt, number))
        expires = float(salt.removesuffix(END_OF_SALT).rpartition("=")[2])
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
    is_own = salt.endswith(END_OF_SALT) and hmac.compare_digest(
        own_signature.encode(), signature.encode("utf-8", "replace")
    )
    return is_own and expires > now


def _digest(salt: str, number: object) -> str:
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()


def _signature(key: bytes, challenge: str) -> str:
    return hmac.new(key, challenge.encode(), hashlib.sha256).hexdigest()
