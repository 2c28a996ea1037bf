"""The keys of an issuer, for verifying ID tokens. They are cached for all visitors."""

import hashlib

from selfreg import cache
from selfreg.idx.client import IdxClient
from selfreg.idx.document import Json

KEYS_SECONDS = 3600
REFETCH_SECONDS = 60


def signing_keys(client: IdxClient, *, refetch: bool = False) -> Json:
    """Return the issuer's keys (a JWK Set, RFC 7517 section 5), cached for an hour.

    :param refetch: fetch them again, because a token names a key that is not there; at most once a minute
    :raises IdxError: the keys could not be fetched
    """
    name = _cache_name(client.app.issuer)
    cached: Json | None = cache.get(name) if refetch else cache.get_lately(name)
    if cached is not None and not (refetch and cache.claim_once(f"{name}:refetched", REFETCH_SECONDS)):
        return cached
    return fetch_keys(client)


def fetch_keys(client: IdxClient) -> Json:
    """Fetch, cache and return the issuer's keys. Raises what ``signing_keys`` raises."""
    keys = client.keys()
    cache.keep(_cache_name(client.app.issuer), dict(keys), KEYS_SECONDS)
    return keys


def _cache_name(issuer: str) -> str:
    return f"selfreg:keys:{hashlib.sha256(issuer.encode()).hexdigest()[:32]}"
