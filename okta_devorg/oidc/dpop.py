"""Tokens that are bound to a key of the client (DPoP, RFC 9449), as Okta issues and accepts them.

Okta wants its nonce in a proof at the token endpoint only.
"""

import base64
import hashlib
import hmac
import json
import time

import jwt
from flask import Request

from okta_devorg.oidc.client_authentication import ALGORITHMS
from okta_devorg.policy.settings import App
from okta_devorg.state.grants import AccessToken
from okta_devorg.state.org import Org
from okta_devorg.wire.errors import OAuthError
from okta_devorg.wire.ion import Json

MAX_AGE = 300
"""How many seconds a proof can be used."""
# The members of a key that its thumbprint is made of (RFC 7638, section 3.2).
THUMBPRINT_MEMBERS = ("crv", "e", "kty", "n", "x", "y")
REQUIRED = ["htm", "htu", "iat", "jti"]


def bound_key(org: Org, app: App, request: Request) -> str:
    """Return the thumbprint of the key to bind tokens to; "" if the client sent no proof and doesn't have to.

    :raises OAuthError: if the proof is missing or wrong, or lacks the org's nonce.
    """
    proof = request.headers.get("DPoP")
    if proof is None and not app.dpop_bound_access_tokens:
        return ""
    if proof is None:
        raise OAuthError(400, "invalid_dpop_proof", "The DPoP proof JWT header is missing.")
    key, claims = _read_proof(org, request, proof)
    if not key:
        raise OAuthError(400, "invalid_dpop_proof", "The DPoP proof JWT is invalid.")
    if claims.get("nonce") != org.dpop_nonce:
        text = "Authorization server requires nonce in DPoP proof."
        raise OAuthError(400, "use_dpop_nonce", text, {"dpop-nonce": org.dpop_nonce})
    return key


def confirmation(key: str) -> Json:
    """Return the claim that names the key that a token is bound to; empty if it is bound to none."""
    return {"cnf": {"jkt": key}} if key else {}


def token_type(key: str) -> str:
    """Return the type of a token that is bound to this key, or to none ("")."""
    return "DPoP" if key else "Bearer"


def access_token_of(org: Org, request: Request) -> AccessToken | None:
    """Return the access token that came with a request, None if it is not valid, or is bound to a key that the request
    doesn't prove.
    """
    sent = request.authorization
    if sent is None or sent.type not in ("bearer", "dpop"):
        return None
    token = org.grants.find_access_token(sent.token or "")
    if token is None or (sent.type == "bearer" and not token.key):
        return token
    key, claims = _read_proof(org, request, request.headers.get("DPoP", ""))
    is_for_token = hmac.compare_digest(str(claims.get("ath")).encode(), _digest(token.value).encode())
    return token if sent.type == "dpop" and key and key == token.key and is_for_token else None


def _read_proof(org: Org, request: Request, proof: str) -> tuple[str, Json]:
    """Return the thumbprint of the key that signed a proof, and its claims; ("", {}) if it is not for this request."""
    try:
        head = jwt.get_unverified_header(proof)
        jwk = head["jwk"]
        is_public = head.get("typ") == "dpop+jwt" and "d" not in jwk and jwk["kty"] in ("EC", "RSA")
        claims: Json = jwt.decode(
            proof, jwt.PyJWK(jwk).key, ALGORITHMS, options={"require": REQUIRED, "verify_aud": False}, leeway=MAX_AGE
        )
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        return "", {}
    is_for_request = (claims["htm"], claims["htu"]) == (request.method, request.base_url)
    is_recent = isinstance(claims["iat"], int | float) and time.time() - claims["iat"] <= MAX_AGE
    used = ("dpop", str(claims["jti"]))
    if not is_public or not is_for_request or not is_recent or used in org.used_assertions:
        return "", {}
    org.used_assertions.add(used)
    members = {name: jwk[name] for name in THUMBPRINT_MEMBERS if name in jwk}
    return _digest(json.dumps(members, separators=(",", ":"))), claims


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
