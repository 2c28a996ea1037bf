"""Who calls: an app by its id and secret, in the body or by Basic (protocol 1.1, 1.3)."""

import hmac
from urllib.parse import unquote_plus

from flask import Request

from .org import Org
from .policy import App
from .refusals import OAuthError, rate_limited


def client(org: Org, request: Request, secret_required: bool = True) -> App:
    """Raises OAuthError invalid_client, and ApiError when the client has spent its share of calls."""
    client_id, secret = credentials(request)
    app = org.policy.app(client_id)
    if app is None:
        raise OAuthError(401, "invalid_client", "Invalid value for 'client_id' parameter.")
    asked = app.client_secret is not None and (secret_required or secret is not None)
    if asked and not hmac.compare_digest(str(app.client_secret).encode(), (secret or "").encode()):
        raise OAuthError(401, "invalid_client", "The client secret supplied for a confidential client is invalid.")
    count_client(org, request, app.client_id)
    return app


def count_client(org: Org, request: Request, client_id: str) -> None:
    """The client-based limit: per client, address and device cookie (protocol 4.12)."""
    key = f"client:{client_id}:{request.remote_addr}:{request.cookies.get('dt', '')}"
    if org.counters.exceeds(key, org.policy.limits.client_per_minute, 60):
        raise rate_limited()


def credentials(request: Request) -> tuple[str | None, str | None]:
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        return unquote_plus(basic.username or ""), unquote_plus(basic.password or "")
    return request.form.get("client_id"), request.form.get("client_secret")


def require_grant(app: App, grant: str) -> None:
    if grant not in app.grants:
        text = "The client is not authorized to use the provided grant type. Configured grant types: "
        raise OAuthError(400, "unauthorized_client", f"{text}[{', '.join(app.grants)}].")
