"""Encrypts secrets that are stored: AES-256-GCM with the keys of ``SELFREG["ENCRYPTION_KEYS"]``.

An encrypted text is bound to the place it is stored at (the associated data of GCM), so a copy in another row or column
cannot be decrypted. To rotate keys, add a new one in front; texts of older keys stay readable until those are removed.
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
    """The text was encrypted with a key that was removed or for another place, or it is damaged. Whatever it held is
    lost: the sign-up it belongs to has to start again. ``registration.exchange.open_row`` marks such a registration,
    ``flows.session`` ends it.
    """


def encrypt(value: Any, place: str) -> str:
    """Returns a JSON-serializable value as url-safe text that only ``decrypt`` with the same ``place`` can read.

    :raises ValueError: no usable key in ``SELFREG["ENCRYPTION_KEYS"]``
    """
    keys = _keys_by_id()
    if not keys:
        raise ValueError("SELFREG['ENCRYPTION_KEYS'] is empty")
    key_id, key = next(iter(keys.items()))
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = AESGCM(key).encrypt(nonce, json.dumps(value).encode(), place.encode())
    return base64.urlsafe_b64encode(key_id + nonce + ciphertext).decode("ascii")


def decrypt(text: str, place: str) -> Any:
    """Returns the value that ``encrypt`` got.

    :raises Unreadable: the key was removed, the place is another one, or the text is damaged
    """
    try:
        raw = base64.urlsafe_b64decode(text)
        key = _keys_by_id()[raw[:ID_BYTES]]
        nonce, ciphertext = raw[ID_BYTES : ID_BYTES + NONCE_BYTES], raw[ID_BYTES + NONCE_BYTES :]
        return json.loads(AESGCM(key).decrypt(nonce, ciphertext, place.encode()))
    except (KeyError, ValueError, InvalidTag) as error:
        raise Unreadable("encrypted for another place, with a key that was removed, or damaged") from error


def decoded_key(text: str) -> bytes:
    """Returns the 32 bytes of a configured key.

    :raises ValueError: ``text`` is not base64 of 32 bytes
    """
    try:
        key = base64.urlsafe_b64decode(text)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if len(key) != KEY_BYTES:
        raise ValueError(f"{len(key)} bytes instead of {KEY_BYTES}")
    return key


def _keys_by_id() -> dict[bytes, bytes]:
    """Returns the configured keys by their id, a short digest. Each encrypted text begins with the id of its key."""
    keys = [decoded_key(k) for k in conf().encryption_keys]
    return {hashlib.sha256(b"selfreg key id" + k).digest()[:ID_BYTES]: k for k in keys}
