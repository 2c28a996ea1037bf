"""The claims about a person: which are used, and which the session holds."""

from collections.abc import Mapping
from typing import Any

from selfreg.email_addresses import UNUSABLE_CHARACTERS, canonical, is_same_mailbox

MAX_CLAIM = 254
# Claims about the token, not the person. Some are as secret as the token.
OF_THE_TOKEN = frozenset({"nonce", "at_hash", "c_hash", "s_hash", "sid", "jti"})
# Claims that may be stored in the session and shown on pages; never groups, roles or permissions.
SESSION_CLAIMS = (
    "sub", "name", "given_name", "family_name", "preferred_username", "email", "email_verified", "locale", "zoneinfo"
)  # fmt: skip
# By default, Okta leaves these out of the ID token that it returns for a code.
ABOUT_THE_PERSON = frozenset({"name", "given_name", "family_name", "email", "email_verified"})


def session_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims that may be stored in the session."""
    return {name: claims[name] for name in SESSION_CLAIMS if name in claims}


def usable_claims(claims: Mapping[str, Any], proven_email: str) -> dict[str, Any]:
    """Return the claims about the person. ``SESSION_CLAIMS`` are left out unless they are booleans or short plain text.

    An invalid address is left out, and counts as not verified. ``email_verified`` is also True if the registration
    verified the same mailbox, or if the org sends no address.

    :param proven_email: the address that the registration verified, or ""
    """
    others = {k: v for k, v in claims.items() if k not in SESSION_CLAIMS and k not in OF_THE_TOKEN}
    usable = others | {k: claims[k] for k in SESSION_CLAIMS if k in claims and _is_usable(claims[k])}
    usable["sub"] = claims["sub"]
    email = str(usable.get("email", ""))
    if not canonical(email):
        usable = {k: v for k, v in usable.items() if k not in ("email", "email_verified")}
        usable |= {"email_verified": False} if claims.get("email") else {}
    if proven_email and (not claims.get("email") or is_same_mailbox(email, proven_email)):
        usable |= {"email": usable.get("email", proven_email), "email_verified": True}
    return usable


def _is_usable(value: object) -> bool:
    return isinstance(value, bool) or (
        isinstance(value, str) and len(value) <= MAX_CLAIM and not UNUSABLE_CHARACTERS.search(value)
    )


def are_complete(claims: Mapping[str, Any]) -> bool:
    """Return whether an ID token has everything that userinfo would be asked for."""
    return claims.keys() >= ABOUT_THE_PERSON
