"""POST {issuer}/v1/introspect (RFC 7662)."""

import jwt
from flask import Request, Response

from okta_devorg.oidc.client_authentication import authenticate_client
from okta_devorg.oidc.dpop import confirmation, token_type
from okta_devorg.state.org import Org
from okta_devorg.state.users import Status
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

SHOWN_CLAIMS = ("iss", "aud", "sub", "iat", "exp", "jti", "uid")
INACTIVE: Json = {"active": False}


def introspect(org: Org, request: Request, issuer: str) -> Response:
    """Say what an access or refresh token stands for; of all other tokens only that they are not active.

    :raises OAuthError: if the app is not authenticated.
    """
    app, token = authenticate_client(org, request), request.form.get("token", "")
    answer = _access_token(org, token) or _refresh_token(org, token)
    return json_reply(answer if answer and answer["client_id"] == app.client_id else INACTIVE)


def _access_token(org: Org, value: str) -> Json | None:
    token = org.grants.find_access_token(value)
    if token is None or (token.user_id and not _is_active(org, token.user_id)):
        return None
    claims = jwt.decode(value, options={"verify_signature": False})
    shown: Json = {name: claims[name] for name in SHOWN_CLAIMS if name in claims}
    return {
        "active": True,
        "token_type": token_type(token.key),
        "scope": " ".join(token.scopes),
        "client_id": claims["cid"],
        "username": claims["sub"],
        **shown,
        **confirmation(token.key),
    }


def _refresh_token(org: Org, value: str) -> Json | None:
    grant = org.grants.find(value, "refresh_token")
    user = org.users.find(grant.user_id) if grant else None
    if grant is None or user is None or not _is_active(org, user.id):
        return None
    request = grant.request
    head: Json = {"active": True, "scope": " ".join(request.scopes), "client_id": request.client_id}
    expires_at = int(org.clock.real_time(grant.expires_at))
    return {**head, "username": user.login, "sub": user.id, "uid": user.id, "iss": request.issuer, "exp": expires_at}


def _is_active(org: Org, user_id: str) -> bool:
    user = org.users.find(user_id)
    return user is not None and user.status is Status.ACTIVE
