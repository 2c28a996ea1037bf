"""Discovery, keys and logout; `tokens` and `hosted_pages` hold the rest of OIDC."""

from urllib.parse import urlencode

import jwt
from flask import Request, Response
from jwt.types import Options

from okta_devorg.state.org import Org
from okta_devorg.wire.ion import Json
from okta_devorg.wire.pages import error_page, plain_page
from okta_devorg.wire.replies import json_reply, redirect_to

AUTH_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]


def discovery(org: Org, request: Request, issuer: str) -> Response:
    oauth = org.oauth_base(issuer)
    document: Json = {
        "issuer": issuer,
        "authorization_endpoint": oauth + "/authorize",
        "token_endpoint": oauth + "/token",
        "userinfo_endpoint": oauth + "/userinfo",
        "jwks_uri": oauth + "/keys",
        "revocation_endpoint": oauth + "/revoke",
        "end_session_endpoint": oauth + "/logout",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "phone", "offline_access"],
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
        "claims_supported": ["sub", "name", "email", "email_verified", "preferred_username"],
        "code_challenge_methods_supported": ["S256"],
    }
    return json_reply(document)


def keys(org: Org, request: Request, issuer: str) -> Response:
    return json_reply(org.key.jwks())


def logout(org: Org, request: Request, issuer: str) -> Response:
    """Ends the org's session; goes back only to an address the app has registered."""
    target = request.values.get("post_logout_redirect_uri")
    app = org.policy.app(client_of(org, request))
    if target and (app is None or target not in app.post_logout_redirect_uris):
        text = "The 'post_logout_redirect_uri' parameter must be a Logout redirect URI in the client app settings."
        return error_page(text)
    org.sign_ins.sessions.pop(request.cookies.get("sid", ""), None)
    state = request.values.get("state")
    query = ("&" if "?" in (target or "") else "?") + urlencode({"state": state}) if state else ""
    reply = redirect_to(target + query) if target else plain_page("Signed out", "You are signed out of the local org.")
    reply.delete_cookie("sid", httponly=True, samesite="Lax")
    return reply


def client_of(org: Org, request: Request) -> str | None:
    """The app by its ID token, expired or not, else by client_id."""
    hint = request.values.get("id_token_hint")
    if not hint:
        return request.values.get("client_id")
    key, options = org.key.private.public_key(), Options(verify_exp=False, verify_aud=False, verify_iat=False)
    try:
        claims = jwt.decode(hint, key, algorithms=["RS256"], options=options)
    except jwt.InvalidTokenError:
        return None
    return str(claims.get("aud"))
