"""Which claims about a person are used, and which of them the session holds."""

from collections.abc import Mapping
from typing import Any

from selfreg.email_addresses import UNUSABLE_CHARACTERS, canonical, is_same_mailbox

MAX_CLAIM = 254
# Claims about the token instead of the person; some are as secret as it is.
OF_THE_TOKEN = frozenset({"nonce", "at_hash", "c_hash", "s_hash", "sid", "jti"})
# Claims that may be stored in the session and shown on pages; never groups, roles or permissions.
SESSION_CLAIMS = (
    "sub", "name", "given_name", "family_name", "preferred_username", "email", "email_verified", "locale", "zoneinfo"
)  # fmt: skip
# Of the person. Okta leaves them out of the ID token that comes for a code, unless the app is set up otherwise.
ABOUT_THE_PERSON = frozenset({"name", "given_name", "family_name", "email", "email_verified"})


def session_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims that may be stored in the session."""
    return {name: claims[name] for name in SESSION_CLAIMS if name in claims}


def usable_claims(claims: Mapping[str, Any], proven_email: str) -> dict[str, Any]:
    """Return the claims about the person; of ``SESSION_CLAIMS`` only booleans and short text without controls.

    An invalid address is left out, and counts as not verified. ``email_verified`` is also True if the registration
    verified this very mailbox, or the org tells no address.
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
    """Return whether an ID token says all that userinfo would be asked for."""
    return claims.keys() >= ABOUT_THE_PERSON
