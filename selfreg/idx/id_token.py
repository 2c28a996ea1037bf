"""Validation of an ID token by each clause of OpenID Connect Core, section 3.1.3.7.

Pure: keys, time and expected values are parameters.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from selfreg.secret import Secret

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256")
LEEWAY_SECONDS = 60
MAX_AGE_SECONDS = 3 * 3600
REQUIRED = ("iss", "sub", "aud", "exp", "iat")
MIN_RSA_BITS = 2048
# Base64 decoders skip characters that they do not know, so garbage around a token has to be refused here.
COMPACT = re.compile(r"(?:[A-Za-z0-9_-]+\.){2}[A-Za-z0-9_-]*")


class InvalidToken(Exception):
    """The token was not made by this issuer, for us, now, for this sign-in. The message names a clause, never a
    value.
    """


class UnknownKey(InvalidToken):
    """There is no usable key of this id, or another one made the signature. The issuer may have replaced its keys since
    they were fetched.
    """


@dataclass(frozen=True, slots=True)
class Expected:
    """The values that a token must have. ``nonce`` must not be blank."""

    issuer: str
    client_id: str
    nonce: Secret[str]
    algorithms: tuple[str, ...] = ALGORITHMS


def verify(
    token: Secret[str], keys: Mapping[str, Any], expected: Expected, *, access_token: Secret[str], now: float
) -> dict[str, Any]:
    """Return the claims of a valid ID token.

    :param keys: the issuer's JWKS
    :param now: seconds since the epoch
    :raises UnknownKey: fetch the keys once more, then try again
    :raises InvalidToken: the token fails a clause
    """
    header = _header(token)
    if header.get("alg") not in expected.algorithms:
        raise InvalidToken("algorithm not allowed")
    claims = _signed_claims(token, _key(keys, header), header["alg"])
    for clause, fulfilled in _clauses(claims, expected, access_token, header["alg"], now).items():
        if not fulfilled:
            raise InvalidToken(clause)
    return claims


def _clauses(
    claims: Mapping[str, Any], expected: Expected, access_token: Secret[str], algorithm: str, now: float
) -> dict[str, bool]:
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    issued, expires, starts = claims["iat"], claims["exp"], claims.get("nbf", 0)
    at_hash = claims.get("at_hash")
    return {
        "issuer": claims["iss"] == expected.issuer,
        "subject": _is_subject(claims["sub"]),
        "audience": expected.client_id in audience and all(isinstance(a, str) for a in audience),
        "authorized party": claims.get("azp", expected.client_id) == expected.client_id
        and (len(audience) == 1 or "azp" in claims),
        "times": all(_is_time(t) for t in (issued, expires, starts)),
        "expired": _is_time(expires) and now < expires + LEEWAY_SECONDS,
        "issued in the future": _is_time(issued) and issued <= now + LEEWAY_SECONDS,
        "too old": _is_time(issued) and issued >= now - MAX_AGE_SECONDS,
        "not yet valid": _is_time(starts) and starts <= now + LEEWAY_SECONDS,
        "nonce": bool(expected.nonce)
        and isinstance(claims.get("nonce"), str)
        and hmac.compare_digest(claims["nonce"].encode(errors="surrogatepass"), expected.nonce.reveal().encode()),
        "access token hash": at_hash is None or at_hash == _half_hash(access_token, algorithm),
    }


def _header(token: Secret[str]) -> dict[str, Any]:
    """Return the header of a plain signed ID token. Refuse extensions and other types: the same keys sign access tokens
    and logout tokens.
    """
    if not COMPACT.fullmatch(token.reveal()):
        raise InvalidToken("not a token")
    try:
        # Without the other two parts, which are decoded with the signature.
        header = jwt.get_unverified_header(f"{token.reveal().partition('.')[0]}..")
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise InvalidToken("not a token") from error
    if "crit" in header or "b64" in header:
        raise InvalidToken("a header extension")
    if str(header.get("typ", "JWT")).upper() != "JWT":
        raise InvalidToken("not an ID token")
    return header


def _key(keys: Mapping[str, Any], header: Mapping[str, Any]) -> jwt.PyJWK:
    """Return the issuer's key with the token's ``kid``. Ignore keys in the header itself (jwk, jku, x5u)."""
    published = keys.get("keys")
    candidates = [k for k in published if isinstance(k, Mapping)] if isinstance(published, list) else []
    kid, algorithm = header.get("kid"), header["alg"]
    for key in candidates:
        if kid and key.get("kid") == kid and key.get("alg", algorithm) == algorithm and _is_for_signatures(key):
            return _usable(key, algorithm)
    raise UnknownKey("no such key")


def _is_for_signatures(key: Mapping[str, Any]) -> bool:
    operations = key.get("key_ops", ["verify"])
    return key.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _usable(key: Mapping[str, Any], algorithm: str) -> jwt.PyJWK:
    """Return the key, unless others could sign with it too: its private half is published, or it is too short.

    :raises UnknownKey: a better one may be published by now
    """
    if "d" in key:
        raise UnknownKey("a private key")
    try:
        usable = jwt.PyJWK(dict(key), algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
        raise UnknownKey("unusable key") from error
    if isinstance(usable.key, RSAPublicKey) and usable.key.key_size < MIN_RSA_BITS:
        raise UnknownKey("key too short")
    return usable


def _signed_claims(token: Secret[str], key: jwt.PyJWK, algorithm: str) -> dict[str, Any]:
    only_signature = {"verify_signature": True, "require": list(REQUIRED)} | {
        f"verify_{clause}": False for clause in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
    }
    try:
        return jwt.decode(token.reveal(), key, algorithms=[algorithm], options=only_signature)  # type: ignore[arg-type]
    except jwt.InvalidSignatureError as error:
        raise UnknownKey("signature or required claims") from error
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise InvalidToken("signature or required claims") from error


def _is_subject(value: object) -> bool:
    """OpenID Connect Core, section 2: at most 255 ASCII characters."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= 255
        and value.isascii()
        and value.isprintable()
        and bool(value.strip())
    )


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10**11


def _half_hash(access_token: Secret[str], algorithm: str) -> str:
    """``at_hash``: base64url of the left half of the hash that the signature uses (section 3.1.3.6)."""
    digest = hashlib.new(f"sha{algorithm[-3:]}", access_token.reveal().encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
