"""GET or POST {issuer}/v1/logout (OpenID Connect RP-Initiated Logout 1.0)."""

import jwt
from flask import Request, Response
from jwt.types import Options

from okta_devorg.state.org import Org
from okta_devorg.wire.replies import error_page, message_page, redirect_to
from okta_devorg.wire.urls import with_query


def logout(org: Org, request: Request, issuer: str) -> Response:
    """End the org's session; go back only to an address that the app has registered."""
    target = request.values.get("post_logout_redirect_uri")
    app = org.policy.app(_client_id(org, request))
    if target and (app is None or target not in app.post_logout_redirect_uris):
        text = "The 'post_logout_redirect_uri' parameter must be a Logout redirect URI in the client app settings."
        return error_page(text)
    org.sign_ins.end_session(request.cookies.get("sid", ""))
    state = request.values.get("state")
    if target:
        reply = redirect_to(with_query(target, {"state": state}) if state else target)
    else:
        reply = message_page("Signed out", "You are signed out of the local org.")
    reply.delete_cookie("sid", httponly=True, samesite="Lax")
    return reply


def _client_id(org: Org, request: Request) -> str | None:
    """Return the app that the ID token was for, expired or not; without a token the `client_id`."""
    hint = request.values.get("id_token_hint")
    if not hint:
        return request.values.get("client_id")
    key, options = org.key.private_key.public_key(), Options(verify_exp=False, verify_aud=False, verify_iat=False)
    try:
        claims = jwt.decode(hint, key, algorithms=["RS256"], options=options)
    except jwt.InvalidTokenError:
        return None
    return str(claims.get("aud"))
