"""Random ids, tokens and codes in the shapes that Okta gives them."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    """Return a random id of twenty characters that starts with `prefix`, such as `00u1a2b3...` for a user."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(20 - len(prefix)))


def new_token(prefix: str = "", size: int = 30) -> str:
    """Return `prefix` and `size` random bytes in url-safe base64: a handle, token or key id nobody can guess."""
    return prefix + secrets.token_urlsafe(size)


def new_code(length: int = 6, alphabet: str = string.digits) -> str:
    """Return a random one-time code."""
    return "".join(secrets.choice(alphabet) for _ in range(length))
