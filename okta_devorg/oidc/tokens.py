"""POST {issuer}/v1/token and /v1/revoke (docs/protocol.md, section 6)."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace

from flask import Request, Response, g

from okta_devorg.oidc.client_authentication import authenticate_client, require_grant_type
from okta_devorg.oidc.device import redeem_device_code
from okta_devorg.oidc.dpop import bound_key, confirmation, token_type
from okta_devorg.policy.settings import DEVICE_GRANT, App
from okta_devorg.state.grants import AccessToken, Grant
from okta_devorg.state.org import Org
from okta_devorg.state.users import Status, User
from okta_devorg.wire.errors import OAuthError
from okta_devorg.wire.identifiers import new_token
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

REFRESH_TOKEN_LIFETIME = 7_776_000


def token(org: Org, request: Request, issuer: str) -> Response:
    """POST {issuer}/v1/token: exchange a code, a refresh token or an app's own credentials for tokens.

    :raises OAuthError: if the grant type, the grant or the app is refused.
    """
    app = authenticate_client(org, request)
    grant_type = request.form.get("grant_type", "")
    if grant_type == "client_credentials":
        return json_reply(_service_token(org, app, request, issuer))
    redeem = REDEEMERS.get(grant_type)
    if redeem is None:
        text = "The authorization grant type is not supported by the authorization server."
        raise OAuthError(400, "unsupported_grant_type", text)
    require_grant_type(app, grant_type)
    key = bound_key(org, app, request)
    grant = redeem(org, app, request, key)
    g.thread = grant.request.thread
    if grant.request.issuer != issuer:
        raise _invalid_grant("The grant was issued for another authorization server.")
    user = org.users.find(grant.user_id)
    if user is None or user.status is not Status.ACTIVE:
        raise _invalid_grant("The user is not active.")
    if org.counters.exceeds("tokens:" + user.id, org.policy.limits.tokens_per_user_per_second, 1):
        raise OAuthError(429, "invalid_grant", "API call exceeded rate limit due to too many requests.")
    if not org.is_assigned(app, user):
        raise OAuthError(400, "access_denied", "User is not assigned to the client application.")
    return json_reply(_issue_tokens(org, app, replace(grant, request=replace(grant.request, key=key)), user))


def revoke(org: Org, request: Request, issuer: str) -> Response:
    """POST {issuer}/v1/revoke: 200 for an authenticated app, even if the token is unknown (RFC 7009).

    :raises OAuthError: if the app is not authenticated.
    """
    authenticate_client(org, request)
    org.grants.revoke(request.form.get("token", ""))
    return Response(status=200, content_type="application/json")


# ---- service apps


def _service_token(org: Org, app: App, request: Request, issuer: str) -> Json:
    """Issue a token for the Management API: scopes `okta.*`, from the org's own server only."""
    require_grant_type(app, "client_credentials")
    scopes = tuple(request.form.get("scope", "").split())
    if issuer != org.base or not scopes or not all(scope.startswith("okta.") for scope in scopes):
        text = "One or more scopes are not configured for the authorization server resource."
        raise OAuthError(400, "invalid_scope", text)
    if app.api_scopes is not None:
        scopes = tuple(scope for scope in scopes if scope in app.api_scopes)
        if not scopes:
            raise OAuthError(400, "consent_required", "You are not allowed any of the requested scopes.")
    now, lifetime = org.clock.now(), org.policy.lifetimes.tokens
    issued_at = int(org.clock.real_time(now))
    key = bound_key(org, app, request)
    claims = {"ver": 1, "iss": issuer, "aud": org.base, "cid": app.client_id, "sub": app.client_id, "scp": scopes}
    access_token = org.key.sign(
        {**claims, "jti": new_token("AT."), "iat": issued_at, "exp": issued_at + lifetime, **confirmation(key)},
    )
    token = AccessToken("", scopes, now + lifetime, access_token, key)
    org.grants.add_access_token(token)
    return _token_answer(token, lifetime)


# ---- codes and refresh tokens


def _redeem_interaction_code(org: Org, app: App, request: Request, key: str) -> Grant:
    return _redeem_code(org, app, request, key, "interaction_code")


def _redeem_authorization_code(org: Org, app: App, request: Request, key: str) -> Grant:
    grant = _redeem_code(org, app, request, key, "authorization_code", "code")
    if request.form.get("redirect_uri") != grant.request.redirect_uri:
        raise _invalid_grant("The 'redirect_uri' does not match the redirection URI used in the authorization request.")
    return grant


def _redeem_code(org: Org, app: App, request: Request, key: str, kind: str, parameter: str = "") -> Grant:
    """Check a code and use it up. A wrong verifier or key leaves it as it is."""
    code = request.form.get(parameter or kind, "")
    grant = org.grants.find(code, kind)
    if grant is None:
        raise _invalid_grant(f"The {kind.replace('_', ' ')} is invalid or has expired.")
    _check_holder(app, grant, key)
    _check_verifier(grant, request.form.get("code_verifier"))
    org.grants.use_up(code)
    return grant


def _redeem_refresh_token(org: Org, app: App, request: Request, key: str) -> Grant:
    refresh_token = request.form.get("refresh_token", "")
    grant = org.grants.find(refresh_token, "refresh_token")
    if grant is None:
        raise _invalid_grant("The refresh token is invalid or expired.")
    _check_holder(app, grant, key)
    org.grants.use_up(refresh_token)
    return grant


def _redeem_device_code(org: Org, app: App, request: Request, key: str) -> Grant:
    return redeem_device_code(org, app, request)


def _check_holder(app: App, grant: Grant, key: str) -> None:
    """Refuse a code or refresh token that is another app's, or bound to another key."""
    if grant.request.client_id != app.client_id:
        raise _invalid_grant("The grant was issued to another client.")
    if grant.request.key not in ("", key):
        raise _invalid_grant("The grant is bound to another key.")


def _check_verifier(grant: Grant, verifier: str | None) -> None:
    challenge = grant.request.code_challenge
    if challenge is None:
        return
    if not verifier:
        raise OAuthError(400, "invalid_request", "PKCE code verifier is required by the application.")
    if not hmac.compare_digest(_base64_url(hashlib.sha256(verifier.encode()).digest()), challenge):
        raise _invalid_grant("PKCE verification failed.")


# By grant type.
REDEEMERS: dict[str, Callable[[Org, App, Request, str], Grant]] = {
    "interaction_code": _redeem_interaction_code,
    "authorization_code": _redeem_authorization_code,
    "refresh_token": _redeem_refresh_token,
    DEVICE_GRANT: _redeem_device_code,
}


def _issue_tokens(org: Org, app: App, grant: Grant, user: User) -> Json:
    request, lifetime, now = grant.request, org.policy.lifetimes.tokens, org.clock.now()
    issued_at = int(org.clock.real_time(now))
    common_claims = {"ver": 1, "iss": request.issuer, "iat": issued_at, "exp": issued_at + lifetime}
    access_token = org.key.sign(
        {
            **common_claims,
            "jti": new_token("AT."),
            "aud": request.issuer if request.issuer == org.base else "api://default",
            "cid": app.client_id,
            "uid": user.id,
            "scp": request.scopes,
            "sub": user.login,
            "auth_time": int(org.clock.real_time(grant.auth_time)),
            **confirmation(request.key),
        }
    )
    token = AccessToken(user.id, request.scopes, now + lifetime, access_token, request.key)
    org.grants.add_access_token(token)
    answer = _token_answer(token, lifetime)
    answer["id_token"] = org.key.sign({**common_claims, **_id_token_claims(org, app, grant, user, access_token)})
    if "offline_access" in request.scopes and "refresh_token" in app.grants:
        answer["refresh_token"] = org.grants.issue("refresh_token", request, user.id, grant.amr, REFRESH_TOKEN_LIFETIME)
    return answer


def _token_answer(token: AccessToken, lifetime: int) -> Json:
    return {
        "token_type": token_type(token.key),
        "expires_in": lifetime,
        "access_token": token.value,
        "scope": " ".join(token.scopes),
    }


def _id_token_claims(org: Org, app: App, grant: Grant, user: User, access_token: str) -> Json:
    """Return the claims of a thin ID token: without the email address, which clients read from userinfo."""
    return {
        "sub": user.id,
        "name": user.name,
        "aud": app.client_id,
        "jti": new_token("ID."),
        "amr": list(grant.amr),
        "idp": org.id,
        "preferred_username": user.login,
        "auth_time": int(org.clock.real_time(grant.auth_time)),
        "at_hash": _base64_url(hashlib.sha256(access_token.encode()).digest()[:16]),
        **({"nonce": grant.request.nonce} if grant.request.nonce else {}),
    }


def _invalid_grant(description: str) -> OAuthError:
    return OAuthError(400, "invalid_grant", description)


def _base64_url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
