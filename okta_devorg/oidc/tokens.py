"""POST {issuer}/v1/token, userinfo, revoke (docs/protocol.md, section 6)."""

import base64
import hashlib
import hmac
from collections.abc import Callable

from flask import Request, Response, g

from okta_devorg.oidc.clients import client, require_grant
from okta_devorg.policy.settings import App
from okta_devorg.state.grants import AccessToken, Grant
from okta_devorg.state.org import Org
from okta_devorg.state.users import Status, User
from okta_devorg.wire.identifiers import new_bearer
from okta_devorg.wire.ion import Json
from okta_devorg.wire.refusals import OAuthError, rate_limited
from okta_devorg.wire.replies import json_reply

REFRESH_LIFETIME = 7_776_000


def token(org: Org, request: Request, issuer: str) -> Response:
    app = client(org, request)
    redeem = GRANTS.get(request.form.get("grant_type", ""))
    if request.form.get("grant_type") == "client_credentials":
        return json_reply(service_token(org, app, request, issuer))
    if redeem is None:
        text = "The authorization grant type is not supported by the authorization server."
        raise OAuthError(400, "unsupported_grant_type", text)
    require_grant(app, request.form["grant_type"])
    grant = redeem(org, app, request)
    g.thread = grant.request.thread
    if grant.request.issuer != issuer:
        raise invalid_grant("The grant was issued for another authorization server.")
    user = org.users.find(grant.user_id)
    if user is None or user.status is not Status.ACTIVE:
        raise invalid_grant("The user is not active.")
    if org.counters.exceeds("tokens:" + user.id, org.policy.limits.tokens_per_user_per_second, 1):
        raise OAuthError(429, "invalid_grant", "API call exceeded rate limit due to too many requests.")
    if not org.is_assigned(app, user):
        raise OAuthError(400, "access_denied", "User is not assigned to the client application.")
    return json_reply(issue_tokens(org, app, grant, user))


def service_token(org: Org, app: App, request: Request, issuer: str) -> Json:
    """For the Management API: `okta.*` scopes, from the org's own server only."""
    require_grant(app, "client_credentials")
    scopes = tuple(request.form.get("scope", "").split())
    if issuer != org.base or not scopes or not all(scope.startswith("okta.") for scope in scopes):
        text = "One or more scopes are not configured for the authorization server resource."
        raise OAuthError(400, "invalid_scope", text)
    if app.api_scopes is not None:
        scopes = tuple(scope for scope in scopes if scope in app.api_scopes)
        if not scopes:
            raise OAuthError(400, "consent_required", "You are not allowed any of the requested scopes.")
    now, lifetime = org.clock.now(), org.policy.lifetimes.tokens
    issued = int(org.clock.wire(now))
    claims = {"ver": 1, "iss": issuer, "aud": org.base, "cid": app.client_id, "sub": app.client_id, "scp": scopes}
    access = org.key.sign({**claims, "jti": new_bearer("AT."), "iat": issued, "exp": issued + lifetime})
    org.grants.keep(AccessToken("", scopes, now + lifetime, access))
    return {"token_type": "Bearer", "expires_in": lifetime, "access_token": access, "scope": " ".join(scopes)}


def redeem_interaction_code(org: Org, app: App, request: Request) -> Grant:
    return redeem_code(org, app, request, "interaction_code", "interaction_code")


def redeem_authorization_code(org: Org, app: App, request: Request) -> Grant:
    grant = redeem_code(org, app, request, "authorization_code", "code")
    if request.form.get("redirect_uri") != grant.request.redirect_uri:
        raise invalid_grant("The 'redirect_uri' does not match the redirection URI used in the authorization request.")
    return grant


def redeem_code(org: Org, app: App, request: Request, kind: str, parameter: str) -> Grant:
    """Checks, then spends the code. A wrong verifier does not spend it."""
    code = request.form.get(parameter, "")
    grant = org.grants.find(code, kind)
    if grant is None:
        raise invalid_grant(f"The {kind.replace('_', ' ')} is invalid or has expired.")
    check_client(app, grant)
    check_verifier(grant, request.form.get("code_verifier"))
    org.grants.redeem(code)
    return grant


def redeem_refresh_token(org: Org, app: App, request: Request) -> Grant:
    grant = org.grants.find(request.form.get("refresh_token", ""), "refresh_token")
    if grant is None:
        raise invalid_grant("The refresh token is invalid or expired.")
    check_client(app, grant)
    org.grants.redeem(request.form["refresh_token"])
    return grant


def check_client(app: App, grant: Grant) -> None:
    if grant.request.client_id != app.client_id:
        raise invalid_grant("The grant was issued to another client.")


def check_verifier(grant: Grant, verifier: str | None) -> None:
    challenge = grant.request.code_challenge
    if challenge is None:
        return
    if not verifier:
        raise OAuthError(400, "invalid_request", "PKCE code verifier is required by the application.")
    if not hmac.compare_digest(base64_url(hashlib.sha256(verifier.encode()).digest()), challenge):
        raise invalid_grant("PKCE verification failed.")


GRANTS: dict[str, Callable[[Org, App, Request], Grant]] = {
    "interaction_code": redeem_interaction_code,
    "authorization_code": redeem_authorization_code,
    "refresh_token": redeem_refresh_token,
}


def issue_tokens(org: Org, app: App, grant: Grant, user: User) -> Json:
    now, lifetime, wanted = org.clock.now(), org.policy.lifetimes.tokens, grant.request
    base = {"ver": 1, "iss": wanted.issuer, "iat": int(org.clock.wire(now)), "exp": int(org.clock.wire(now)) + lifetime}
    audience = wanted.issuer if wanted.issuer == org.base else "api://default"
    access = org.key.sign(
        {
            **base,
            "jti": new_bearer("AT."),
            "aud": audience,
            "cid": app.client_id,
            "uid": user.id,
            "scp": wanted.scopes,
            "sub": user.login,
        }
    )
    org.grants.keep(AccessToken(user.id, wanted.scopes, now + lifetime, access))
    answer = {"token_type": "Bearer", "expires_in": lifetime, "access_token": access, "scope": " ".join(wanted.scopes)}
    answer["id_token"] = org.key.sign({**base, **id_claims(org, app, grant, user, access)})
    if "offline_access" in wanted.scopes and "refresh_token" in app.grants:
        answer["refresh_token"] = org.grants.issue("refresh_token", wanted, user.id, grant.amr, REFRESH_LIFETIME)
    return answer


def id_claims(org: Org, app: App, grant: Grant, user: User, access: str) -> Json:
    """A thin ID token: no e-mail, that is what userinfo is for."""
    return {
        "sub": user.id,
        "name": user.name,
        "aud": app.client_id,
        "jti": new_bearer("ID."),
        "amr": list(grant.amr),
        "idp": org.id,
        "preferred_username": user.login,
        "auth_time": int(org.clock.wire(grant.auth_time)),
        "at_hash": base64_url(hashlib.sha256(access.encode()).digest()[:16]),
        **({"nonce": grant.request.nonce} if grant.request.nonce else {}),
    }


def userinfo(org: Org, request: Request, issuer: str) -> Response:
    bearer = request.authorization
    held = org.grants.token(bearer.token or "") if bearer is not None and bearer.type == "bearer" else None
    user = org.users.find(held.user_id) if held else None
    if held is None or user is None:
        reply = json_reply({"error": "invalid_token", "error_description": "The access token is invalid."}, 401)
        reply.headers["WWW-Authenticate"] = (
            'Bearer error="invalid_token", error_description="The access token is invalid."'
        )
        return reply
    if org.counters.exceeds("user:" + user.id, org.policy.limits.user_per_5_seconds, 5):
        raise rate_limited()
    return json_reply(user_claims(org, user, held.scopes))


def user_claims(org: Org, user: User, scopes: tuple[str, ...]) -> Json:
    profile = {
        "name": user.name,
        "locale": "en-US",
        "preferred_username": user.login,
        "given_name": user.profile.get("firstName"),
        "family_name": user.profile.get("lastName"),
        "zoneinfo": user.profile.get("timezone", "America/Los_Angeles"),
        "updated_at": int(org.clock.wire(user.updated)),
    }
    email = {"email": user.email, "email_verified": user.email_verified}
    phone = user.enrollments.get("phone_number")
    claims = {
        "sub": user.id,
        **(profile if "profile" in scopes else {}),
        **(email if "email" in scopes else {}),
        **({"phone_number": phone.phone} if phone and "phone" in scopes else {}),
    }
    return {key: value for key, value in claims.items() if value is not None}


def revoke(org: Org, request: Request, issuer: str) -> Response:
    """Always 200 for an authenticated client, known token or not (RFC 7009)."""
    client(org, request)
    org.grants.revoke(request.form.get("token", ""))
    return Response(status=200, content_type="application/json")


def invalid_grant(description: str) -> OAuthError:
    return OAuthError(400, "invalid_grant", description)


def base64_url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
