"""Authentication of apps: by a secret, in the body or by Basic, or by a signed JWT.

See docs/protocol.md, sections 1.1 and 1.3, and RFC 7523.
"""

import hmac
from urllib.parse import unquote_plus

import jwt
from flask import Request

from okta_devorg.policy.settings import App
from okta_devorg.state.org import Org
from okta_devorg.wire.errors import OAuthError, rate_limited
from okta_devorg.wire.ion import Json

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]


def authenticate_client(org: Org, request: Request, secret_required: bool = True) -> App:
    """Return the app that makes the request. Without `secret_required` its secret is only checked if it was sent.

    :raises OAuthError: `invalid_client`, if the app is unknown, switched off or not authenticated.
    :raises ApiError: if the app is over its rate limit.
    """
    client_id, secret = _credentials(request)
    app = org.policy.app(client_id)
    if app is None or not app.active:
        raise OAuthError(401, "invalid_client", "Invalid value for 'client_id' parameter.")
    if app.public_keys:
        _check_assertion(org, app, request)
    elif app.client_secret is not None and (secret_required or secret is not None):
        _check_secret(app, secret)
    _count_request(org, request, app.client_id)
    return app


def sends_credentials(request: Request) -> bool:
    """Return whether the request has a secret or an assertion. Ask after `authenticate_client`, which checks them."""
    return _credentials(request)[1] is not None or "client_assertion" in request.form


def require_grant_type(app: App, grant_type: str) -> None:
    """Refuse a grant type that is not switched on for the app.

    :raises OAuthError: `unauthorized_client`.
    """
    if grant_type not in app.grants:
        text = "The client is not authorized to use the provided grant type. Configured grant types: "
        raise OAuthError(400, "unauthorized_client", f"{text}[{', '.join(app.grants)}].")


def _credentials(request: Request) -> tuple[str | None, str | None]:
    """Return the client id and secret that were sent."""
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        return unquote_plus(basic.username or ""), unquote_plus(basic.password or "")
    client_id = request.form.get("client_id") or _unverified_subject(request.form.get("client_assertion"))
    return client_id, request.form.get("client_secret")


def _unverified_subject(assertion: str | None) -> str | None:
    """Return whom an assertion is about. Its signature is checked afterwards, with the keys of that app."""
    try:
        claims = jwt.decode(assertion or "", options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return None
    return str(claims.get("sub"))


def _check_secret(app: App, secret: str | None) -> None:
    if not hmac.compare_digest(str(app.client_secret).encode(), (secret or "").encode()):
        raise OAuthError(401, "invalid_client", "The client secret supplied for a confidential client is invalid.")


def _check_assertion(org: Org, app: App, request: Request) -> None:
    """Check private_key_jwt: signed by a key of the app, for this endpoint or org, not expired and not used before."""
    assertion = request.form.get("client_assertion", "")
    if request.form.get("client_assertion_type") != ASSERTION_TYPE or not assertion:
        raise OAuthError(401, "invalid_client", "Client authentication failed: a client_assertion is required.")
    verified = (_read_assertion(assertion, key) for key in app.public_keys)
    claims = next((item for item in verified if item), None)
    if claims is None or claims["iss"] != app.client_id or claims["sub"] != app.client_id:
        raise OAuthError(401, "invalid_client", "The client_assertion token is invalid.")
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if not any(name in audience for name in (request.base_url, org.base, org.issuer)):
        raise OAuthError(401, "invalid_client", "The audience claim for client_assertion must be the endpoint invoked.")
    if "jti" not in claims:
        return
    used = (app.client_id, str(claims["jti"]))
    if used in org.used_assertions:
        raise OAuthError(401, "invalid_client", "The client_assertion token has already been used.")
    org.used_assertions.add(used)


def _read_assertion(assertion: str, key: str) -> Json | None:
    """Return the claims of an assertion, None if they are incomplete, expired or not signed with this key."""
    try:
        claims: Json = jwt.decode(
            assertion,
            key,
            algorithms=ALGORITHMS,
            options={"require": ["iss", "sub", "aud", "exp"], "verify_aud": False},
            leeway=300,
        )
    except (jwt.InvalidTokenError, jwt.InvalidKeyError, ValueError):
        return None
    return claims


def _count_request(org: Org, request: Request, client_id: str) -> None:
    """Count against the client-based limit: per client, address and device cookie (docs/protocol.md, section 4.12)."""
    key = f"client:{client_id}:{request.remote_addr}:{request.cookies.get('dt', '')}"
    if org.counters.exceeds(key, org.policy.limits.client_per_minute, 60):
        raise rate_limited()
