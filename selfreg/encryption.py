"""Encrypts secrets that are stored: AES-256-GCM with the keys of an org's ``ENCRYPTION_KEYS``.

An encrypted text is bound to the place it is stored at (the associated data of GCM), so a copy in another row or column
cannot be decrypted. To rotate keys, add a new one in front; texts of older keys stay readable until those are removed.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from selfreg.secret import Secret, reveal

KEY_BYTES = 32
NONCE_BYTES = 12
ID_BYTES = 4
# The demo's and the local org's, for DEBUG only.
DEMO_KEY = "aW5zZWN1cmUtZGVtby1lbmNyeXB0aW9uLWtleS0zMmI="  # "insecure-demo-encryption-key-32b"
DEMO_SECRET_KEY = "insecure-demo-secret-key-used-only-under-debug-never-in-production"
DEMO_CLIENT_SECRET, DEMO_API_TOKEN = "local-demo-secret-not-for-production", "local-api-token-not-for-production"
PUBLISHED = frozenset({DEMO_KEY, DEMO_SECRET_KEY, DEMO_CLIENT_SECRET, DEMO_API_TOKEN})
MIN_DIFFERENT = 8
# Setting -> the minimum length of a secret that the site creates. Okta creates all other secrets.
SHORTEST = {"SECRET_KEY": 32, "SECRET_KEY_FALLBACKS": 32, "HOOK_SECRET": 24, "METRICS_TOKEN": 24}


class Unreadable(Exception):
    """The text was encrypted with a key that was removed or for another place, or it is damaged. The sign-up that it
    belongs to has to start again: ``registration.exchange.open_row`` marks such a registration, ``flows.session`` ends
    it.
    """


def encrypt(value: Any, place: str, keys: Sequence[Secret[str]]) -> str:
    """Return a JSON-serializable value as url-safe text that only ``decrypt`` with the same ``place`` can read.

    :param value: any of its texts may be a ``Secret``
    :param keys: the ``ENCRYPTION_KEYS`` of an org
    :raises ValueError: there is no usable key among them
    """
    by_id = _keys_by_id(keys)
    if not by_id:
        raise ValueError("SELFREG['ENCRYPTION_KEYS'] is empty")
    key_id, key = next(iter(by_id.items()))
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = AESGCM(key).encrypt(nonce, json.dumps(value, default=reveal).encode(), place.encode())
    return base64.urlsafe_b64encode(key_id + nonce + ciphertext).decode("ascii")


def decrypt(text: str, place: str, keys: Sequence[Secret[str]]) -> Any:
    """Return the value that was encrypted.

    :raises Unreadable: the key was removed, the place is different, or the text is damaged
    """
    try:
        raw = base64.urlsafe_b64decode(text)
        key = _keys_by_id(keys)[raw[:ID_BYTES]]
        nonce, ciphertext = raw[ID_BYTES : ID_BYTES + NONCE_BYTES], raw[ID_BYTES + NONCE_BYTES :]
        return json.loads(AESGCM(key).decrypt(nonce, ciphertext, place.encode()))
    except (KeyError, ValueError, InvalidTag) as error:
        raise Unreadable("encrypted for another place, with a key that was removed, or damaged") from error


def decoded_key(text: str) -> bytes:
    """Return the 32 bytes of a configured key.

    :raises ValueError: ``text`` is not base64 of 32 bytes
    """
    try:
        key = base64.urlsafe_b64decode(text)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if len(key) != KEY_BYTES:
        raise ValueError(f"{len(key)} bytes instead of {KEY_BYTES}")
    return key


def weak_secrets(given: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the place of each secret that isn't secure, and why. The same secret for two purposes isn't secure either.

    :param given: place, purpose and text of each secret. The purpose is the name of the setting, with more behind a
        space where one setting has several secrets that must differ. Unusable encryption keys are skipped.
    """
    purposes: dict[bytes, str] = {}
    for place, purpose, text in given:
        content = _content(text)
        if purposes.setdefault(content, purpose) != purpose:
            yield place, "it is the same as another secret"
        elif reason := _weakness(purpose.partition(" ")[0], text.strip(), content):
            yield place, reason
        if purpose == "SECRET_KEY":
            purposes[text.strip().encode()[:KEY_BYTES]] = purpose  # for an encryption key that is its beginning


def _weakness(setting: str, text: str, content: bytes) -> str:
    if text in PUBLISHED:
        return "it is published with this package"
    if setting == "ENCRYPTION_KEYS":
        # 32 random bytes are practically never all ASCII, or fewer than 16 different ones.
        is_weak = len(content) == KEY_BYTES and (content.isascii() or _is_regular(content, KEY_BYTES // 2))
        return "it is not random" if is_weak else ""
    shortest = SHORTEST.get(setting, 0)
    is_weak = shortest > 0 and (len(text) < shortest or _is_regular(content, MIN_DIFFERENT))
    return f"it must have at least {shortest} random characters" if is_weak else ""


def _is_regular(content: bytes, min_different: int) -> bool:
    """Return whether a secret consists of few characters, of a sequence, or of repetitions."""
    steps = {(after - before) % 256 for before, after in pairwise(content)}
    is_repeated = any(content[n:] == content[:-n] for n in range(1, len(content) // 2 + 1))
    return is_repeated or len(set(content)) < min_different or len(steps) < MIN_DIFFERENT


def _content(text: str) -> bytes:
    """Return the bytes of a secret, which are the same for all spellings of an encryption key."""
    try:
        return decoded_key(text)
    except ValueError:
        return text.strip().encode()


def _keys_by_id(keys: Sequence[Secret[str]]) -> dict[bytes, bytes]:
    """Return keys by their id, a short digest. Each encrypted text begins with the id of its key."""
    decoded = [decoded_key(k.reveal()) for k in keys]
    return {hashlib.sha256(b"selfreg key id" + k).digest()[:ID_BYTES]: k for k in decoded}
