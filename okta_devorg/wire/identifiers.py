"""Ids and bearer values in the shapes Okta gives them."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    """Twenty characters, as `00u1a2b3...`."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(20 - len(prefix)))


def new_bearer(prefix: str = "", size: int = 30) -> str:
    return prefix + secrets.token_urlsafe(size)


def new_code() -> str:
    return f"{secrets.randbelow(1_000_000):06d}"
