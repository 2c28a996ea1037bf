"""The discovery document and the keys of an issuer (docs/protocol.md, section 1.4)."""

from typing import get_args

from flask import Request, Response

from okta_devorg.oidc.client_authentication import ALGORITHMS
from okta_devorg.policy.settings import GrantType
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import ResponseMode
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

AUTH_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]


def discovery(org: Org, request: Request, issuer: str) -> Response:
    """GET {issuer}/.well-known/openid-configuration and oauth-authorization-server: the endpoints that work here."""
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
        "introspection_endpoint": oauth + "/introspect",
        "introspection_endpoint_auth_methods_supported": AUTH_METHODS,
        "pushed_authorization_request_endpoint": oauth + "/par",
        "device_authorization_endpoint": oauth + "/device/authorize",
        "registration_endpoint": org.base + "/oauth2/v1/clients",
        "response_modes_supported": list(get_args(ResponseMode)),
        "grant_types_supported": list(get_args(GrantType)),
        "request_parameter_supported": False,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "phone", "offline_access"],
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
        "claims_supported": ["sub", "name", "email", "email_verified", "preferred_username"],
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": ALGORITHMS,
    }
    return json_reply(document)


def keys(org: Org, request: Request, issuer: str) -> Response:
    """GET {issuer}/v1/keys: the public key that tokens are signed with, as a JSON Web Key Set."""
    return json_reply(org.key.jwks())
