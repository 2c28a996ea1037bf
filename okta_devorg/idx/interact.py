"""POST {issuer}/v1/interact: the start of a transaction (docs/protocol.md, section 1)."""

from flask import Request, Response, g

from okta_devorg.idx.serving import renew
from okta_devorg.idx.steps.activation import accepts_activation_token, start_with_activation_token
from okta_devorg.idx.steps.recovery import start_with_recovery_token, user_of_recovery_token
from okta_devorg.oidc.authorization_request import check_challenge, check_key, check_scopes
from okta_devorg.oidc.client_authentication import (
    authenticate_client,
    require_grant_type,
    sends_credentials,
)
from okta_devorg.policy.settings import App
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import AuthorizationRequest, Step
from okta_devorg.state.users import User
from okta_devorg.wire.errors import OAuthError
from okta_devorg.wire.replies import json_reply

DEVICE_TOKEN_MAX_LENGTH = 32


def interact(org: Org, request: Request, issuer: str) -> Response:
    """Start a transaction and return its interaction handle.

    :raises OAuthError: if the app, a parameter or the settings do not allow it.
    :raises ApiError: if the app is over its rate limit.
    """
    app = authenticate_client(org, request, org.policy.unknowns.interact_requires_secret)
    require_grant_type(app, "interaction_code")
    _require_interaction_code(org, issuer)
    authorization_request = _read_request(app, request, issuer)
    if len(request.headers.get("X-Device-Token", "")) > DEVICE_TOKEN_MAX_LENGTH:
        raise _invalid_request(f"The request has a deviceToken with length greater than {DEVICE_TOKEN_MAX_LENGTH}.")
    if org.policy.sign_up_refusal == "at_interact":
        raise OAuthError(403, "access_denied", "Sign-up denied. Please contact support for assistance.")
    activation_token = _read_activation_token(org, app, request)
    recovering_user = _read_recovery_token(org, request)
    tx = org.transactions.start(authorization_request, org.policy.lifetimes.before_user)
    g.thread = authorization_request.thread
    if activation_token is not None:
        start_with_activation_token(org, tx, activation_token)
    if recovering_user is not None:
        start_with_recovery_token(tx, recovering_user)
    if org.policy.device_probe and tx.step is Step.IDENTIFY:
        tx.move_to(Step.DEVICE_PROBE)
    if tx.step in (Step.SELECT_ENROLL, Step.RESET):  # the token was valid: a user is known
        renew(org, tx)
    _log_start(org, app, request)
    return json_reply({"interaction_handle": tx.interaction_handle})


def _require_interaction_code(org: Org, issuer: str) -> None:
    """Refuse unless the grant is on in three places: app, org and rule of the custom server (sections 1.3 and 7)."""
    settings = org.policy.interaction_code
    if not settings.org:
        text = "The requested feature (Interaction Code flow) isn't enabled in this environment."
        raise OAuthError(400, "access_denied", text)
    is_on_server = settings.access_policy and settings.access_rule and settings.server
    if issuer == org.issuer and not is_on_server:
        text = "Policy evaluation failed for this request, please check the policy configurations."
        raise OAuthError(401, "access_denied", text)


def _read_request(app: App, request: Request, issuer: str) -> AuthorizationRequest:
    form = request.form
    if form.get("redirect_uri") not in app.redirect_uris:
        text = "The 'redirect_uri' parameter must be a Login redirect URI in the client app settings."
        raise _invalid_request(text)
    challenge = form.get("code_challenge")
    if not challenge:
        raise _invalid_request("PKCE code challenge is required to use the interaction code flow.")
    check_challenge(challenge, form.get("code_challenge_method"))
    scopes = check_scopes(form.get("scope", ""))
    return AuthorizationRequest(
        app.client_id,
        issuer,
        form["redirect_uri"],
        scopes,
        form.get("state"),
        form.get("nonce"),
        challenge,
        key=check_key(form.get("dpop_jkt")),
    )


def _read_activation_token(org: Org, app: App, request: Request) -> str | None:
    token = request.form.get("activation_token")
    if token is not None and app.is_public:
        raise _invalid_request("Only confidential clients can use the activation token flow")
    if token is not None and not accepts_activation_token(org, token):
        raise _invalid_request("The activation token is invalid")
    return token


def _read_recovery_token(org: Org, request: Request) -> User | None:
    """Return the user who may set a new password, None if no token was sent."""
    token = request.form.get("recovery_token")
    if token is None:
        return None
    user = user_of_recovery_token(org, token)
    if user is None:
        raise _invalid_request("The recovery token is invalid")
    return user


def _log_start(org: Org, app: App, request: Request) -> None:
    """Log the address of the visitor if the app is an authenticated trusted proxy, else that of the app."""
    forwarded_for = request.headers.get("X-Forwarded-For", "").split(",")[0].strip()
    is_trusted = org.policy.trusted_proxy and not app.is_public and sends_credentials(request)
    address = forwarded_for if is_trusted and forwarded_for else request.remote_addr or ""
    target = {"id": app.client_id, "type": "PublicClientApp", "displayName": app.label}
    org.record("app.oauth2.interact.interaction_handle", target, debug={"requestId": g.request_id}, address=address)


def _invalid_request(description: str) -> OAuthError:
    return OAuthError(400, "invalid_request", description)
