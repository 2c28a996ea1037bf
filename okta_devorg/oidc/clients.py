"""Who calls: an app by its secret, in the body or by Basic, or by a JWT it signed (docs/protocol.md, sections 1.1, 1.3;
RFC 7523).
"""

import hmac
from urllib.parse import unquote_plus

import jwt
from flask import Request

from okta_devorg.policy.settings import App
from okta_devorg.state.org import Org
from okta_devorg.wire.ion import Json
from okta_devorg.wire.refusals import OAuthError, rate_limited

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]


def client(org: Org, request: Request, secret_required: bool = True) -> App:
    """Raises OAuthError invalid_client, and ApiError when the client has spent its share of calls."""
    client_id, secret = credentials(request)
    app = org.policy.app(client_id)
    if app is None or not app.active:
        raise OAuthError(401, "invalid_client", "Invalid value for 'client_id' parameter.")
    if app.public_keys:
        check_assertion(org, app, request)
    elif app.client_secret is not None and (secret_required or secret is not None):
        check_secret(app, secret)
    count_client(org, request, app.client_id)
    return app


def check_secret(app: App, secret: str | None) -> None:
    if not hmac.compare_digest(str(app.client_secret).encode(), (secret or "").encode()):
        raise OAuthError(401, "invalid_client", "The client secret supplied for a confidential client is invalid.")


def check_assertion(org: Org, app: App, request: Request) -> None:
    """private_key_jwt: signed by one of the app's keys, for this endpoint or this org, not expired, used once."""
    assertion = request.form.get("client_assertion", "")
    if request.form.get("client_assertion_type") != ASSERTION_TYPE or not assertion:
        raise OAuthError(401, "invalid_client", "Client authentication failed: a client_assertion is required.")
    claims = next((found for key in app.public_keys if (found := read_assertion(assertion, key))), None)
    if claims is None or claims["iss"] != app.client_id or claims["sub"] != app.client_id:
        raise OAuthError(401, "invalid_client", "The client_assertion token is invalid.")
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if not {request.base_url, org.base, org.issuer} & set(audience):
        raise OAuthError(401, "invalid_client", "The audience claim for client_assertion must be the endpoint invoked.")
    used = (app.client_id, str(claims["jti"])) if "jti" in claims else None
    if used in org.assertions:
        raise OAuthError(401, "invalid_client", "The client_assertion token has already been used.")
    if used:
        org.assertions.add(used)


def read_assertion(assertion: str, key: str) -> Json | None:
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


def count_client(org: Org, request: Request, client_id: str) -> None:
    """The client-based limit: per client, address and device cookie (docs/protocol.md, section 4.12)."""
    key = f"client:{client_id}:{request.remote_addr}:{request.cookies.get('dt', '')}"
    if org.counters.exceeds(key, org.policy.limits.client_per_minute, 60):
        raise rate_limited()


def credentials(request: Request) -> tuple[str | None, str | None]:
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        return unquote_plus(basic.username or ""), unquote_plus(basic.password or "")
    client_id = request.form.get("client_id") or claimed_client(request.form.get("client_assertion"))
    return client_id, request.form.get("client_secret")


def claimed_client(assertion: str | None) -> str | None:
    """The subject of an assertion whose signature is checked afterwards."""
    try:
        claims = jwt.decode(assertion or "", options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return None
    return str(claims.get("sub"))


def require_grant(app: App, grant: str) -> None:
    if grant not in app.grants:
        text = "The client is not authorized to use the provided grant type. Configured grant types: "
        raise OAuthError(400, "unauthorized_client", f"{text}[{', '.join(app.grants)}].")
