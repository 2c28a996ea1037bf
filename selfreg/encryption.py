"""Bearer values at rest: AES-256-GCM with a key ring that is not ``SECRET_KEY``.

A sealed text is bound to where it belongs (``place``): moved to another row or column it does not open. Rotation is
adding a new first key; what older keys sealed still opens until they are removed.
"""

import base64
import binascii
import hashlib
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from selfreg.conf import conf

KEY_BYTES = 32
NONCE_BYTES = 12
ID_BYTES = 4


class Unreadable(Exception):
    """Sealed by a key that is gone, moved from elsewhere, or damaged. The flow it belonged to must start again."""


def encrypt(value: Any, place: str) -> str:
    """JSON-serializable ``value`` as url-safe text that only ``decrypt`` with the same ``place`` can read.

    :raises ValueError: no usable key in ``SELFREG["ENCRYPTION_KEYS"]``
    """
    ring = _ring()
    if not ring:
        raise ValueError("SELFREG['ENCRYPTION_KEYS'] is empty")
    key_id, key = next(iter(ring.items()))
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, json.dumps(value).encode(), place.encode())
    return base64.urlsafe_b64encode(key_id + nonce + sealed).decode("ascii")


def decrypt(text: str, place: str) -> Any:
    """What ``encrypt`` was given.

    :raises Unreadable: see there
    """
    try:
        raw = base64.urlsafe_b64decode(text)
        key = _ring()[raw[:ID_BYTES]]
        nonce, sealed = raw[ID_BYTES : ID_BYTES + NONCE_BYTES], raw[ID_BYTES + NONCE_BYTES :]
        return json.loads(AESGCM(key).decrypt(nonce, sealed, place.encode()))
    except (KeyError, ValueError, InvalidTag) as error:
        raise Unreadable("sealed elsewhere, or by a key that is not in the ring") from error


def decoded_key(text: str) -> bytes:
    """One key of the ring.

    :raises ValueError: not the url-safe base64 of 32 bytes
    """
    try:
        key = base64.urlsafe_b64decode(text)
    except binascii.Error as error:
        raise ValueError("not url-safe base64") from error
    if len(key) != KEY_BYTES:
        raise ValueError(f"{len(key)} bytes instead of {KEY_BYTES}")
    return key


def _ring() -> dict[bytes, bytes]:
    """Keys by a short id derived from each, so that sealed texts name their key without telling it."""
    keys = [decoded_key(k) for k in conf().encryption_keys]
    return {hashlib.sha256(b"selfreg key id" + k).digest()[:ID_BYTES]: k for k in keys}
