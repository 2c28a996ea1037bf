"""GET or POST {issuer}/v1/userinfo (docs/protocol.md, section 6)."""

from flask import Request, Response

from okta_devorg.oidc.dpop import access_token_of
from okta_devorg.state.org import Org
from okta_devorg.state.users import User
from okta_devorg.wire.errors import rate_limited
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

INVALID_TOKEN = "The access token is invalid."


def userinfo(org: Org, request: Request, issuer: str) -> Response:
    """Return the claims that the scopes of the access token allow; 401 for an invalid token.

    :raises ApiError: if the user is over the rate limit.
    """
    access_token = access_token_of(org, request)
    user = org.users.find(access_token.user_id) if access_token else None
    if access_token is None or user is None:
        reply = json_reply({"error": "invalid_token", "error_description": INVALID_TOKEN}, 401)
        scheme = "DPoP" if "DPoP" in request.headers else "Bearer"
        reply.headers["WWW-Authenticate"] = f'{scheme} error="invalid_token", error_description="{INVALID_TOKEN}"'
        return reply
    if org.counters.exceeds("user:" + user.id, org.policy.limits.user_per_5_seconds, 5):
        raise rate_limited()
    return json_reply(_claims(org, user, access_token.scopes))


def _claims(org: Org, user: User, scopes: tuple[str, ...]) -> Json:
    profile = {
        "name": user.name,
        "locale": "en-US",
        "preferred_username": user.login,
        "given_name": user.profile.get("firstName"),
        "family_name": user.profile.get("lastName"),
        "zoneinfo": user.profile.get("timezone", "America/Los_Angeles"),
        "updated_at": int(org.clock.real_time(user.updated)),
    }
    email = {"email": user.email, "email_verified": user.email_verified}
    phone = user.enrollments.get("phone_number")
    claims = {
        "sub": user.id,
        **(profile if "profile" in scopes else {}),
        **(email if user.email and "email" in scopes else {}),
        **({"phone_number": phone.phone} if phone and "phone" in scopes else {}),
    }
    return {key: value for key, value in claims.items() if value is not None}
