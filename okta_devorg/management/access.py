"""Who may call the Management API."""

from collections.abc import Callable
from typing import Any

from flask import Request, Response

from okta_devorg.management.json_api import validation_error
from okta_devorg.oidc.dpop import access_token_of
from okta_devorg.policy.serialization import PolicyError
from okta_devorg.state.grants import AccessToken
from okta_devorg.state.org import Org
from okta_devorg.wire.errors import ApiError, forbidden

View = Callable[..., Response]


def protected(view: View, resource: str) -> View:
    """Return the view for callers who may use the resource; a wrong setting becomes a validation error.

    Callers send `Authorization: SSWS <token>` (Okta's SDK for Python leaves the space out) or an access token with the
    scope `okta.<resource>.manage`, for reading also `okta.<resource>.read`, and the proof of its key if it is bound.

    :raises ApiError: 401 or 403 for others.
    """

    def protected_view(org: Org, request: Request, **path_values: Any) -> Response:
        authorization = request.headers.get("Authorization", "")
        if authorization.startswith(("Bearer ", "DPoP ")):
            _check_scope(access_token_of(org, request), resource, request.method)
        elif not authorization.startswith("SSWS") or authorization[4:].strip() != org.policy.api_token:
            raise _invalid_token()
        try:
            return view(org, request, **path_values)
        except PolicyError as error:
            raise validation_error(str(error)) from error

    return protected_view


def _check_scope(token: AccessToken | None, resource: str, method: str) -> None:
    if token is None:
        raise _invalid_token()
    sufficient = {f"okta.{resource}.manage"} | ({f"okta.{resource}.read"} if method == "GET" else set())
    if not sufficient & set(token.scopes):
        raise forbidden()


def _invalid_token() -> ApiError:
    return ApiError(401, "E0000011", "Invalid token provided")
