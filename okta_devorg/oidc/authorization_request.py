"""Parameters of interact and authorize: the PKCE challenge (RFC 7636), the scopes, a key (RFC 9449)."""

import re

from okta_devorg.wire.errors import OAuthError

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43,128}")
THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
SCOPES = ("openid", "profile", "email", "address", "phone", "offline_access", "groups", "device_sso")


def check_challenge(challenge: str, method: str | None) -> None:
    """Check a PKCE code challenge.

    :raises OAuthError: if it or its method is wrong.
    """
    if method != "S256":
        raise _invalid_request("PKCE code challenge method is not supported. Valid values: [S256]")
    if not CHALLENGE.fullmatch(challenge):
        raise _invalid_request("PKCE code challenge contains illegal characters.")


def check_key(thumbprint: str | None) -> str:
    """Return the thumbprint of the key to bind the code to, from the parameter `dpop_jkt`; "" if it was not sent.

    :raises OAuthError: if it is no thumbprint.
    """
    if thumbprint is not None and not THUMBPRINT.fullmatch(thumbprint):
        raise _invalid_request("The 'dpop_jkt' parameter is invalid.")
    return thumbprint or ""


def check_scopes(scope: str) -> tuple[str, ...]:
    """Return the scopes in a parameter, each once.

    :raises OAuthError: if there are none, one is unknown, or `openid` is missing.
    """
    scopes = tuple(dict.fromkeys(scope.split()))
    if not scopes:
        raise OAuthError(400, "invalid_scope", "No scopes were requested.")
    if set(scopes) - set(SCOPES) or "openid" not in scopes:
        text = "One or more scopes are not configured for the authorization server resource."
        raise OAuthError(400, "invalid_scope", text)
    return scopes


def _invalid_request(description: str) -> OAuthError:
    return OAuthError(400, "invalid_request", description)
