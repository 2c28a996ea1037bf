"""POST {issuer}/v1/interact: the start of a transaction (docs/protocol.md, section 1)."""

import re

from flask import Request, Response, g

from okta_devorg.idx import recovery
from okta_devorg.idx.activation import begin_without, is_usable
from okta_devorg.idx.endpoints import renew
from okta_devorg.oidc.clients import client, require_grant
from okta_devorg.policy.settings import App, InteractionCode
from okta_devorg.state.org import Link, Org
from okta_devorg.state.transaction import AuthorizationRequest, Step, Transaction
from okta_devorg.state.users import User
from okta_devorg.wire.refusals import OAuthError
from okta_devorg.wire.replies import json_reply

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43,128}")
DEVICE_TOKEN_MAX = 32
SCOPES = ("openid", "profile", "email", "address", "phone", "offline_access", "groups", "device_sso")


def interact(org: Org, request: Request, issuer: str) -> Response:
    app = client(org, request, org.policy.unknowns.interact_requires_secret)
    require_grant(app, "interaction_code")
    check_interaction_code(org, issuer)
    wanted = authorization_request(app, request, issuer)
    check_device_token(request)
    if org.policy.sign_up_refusal == "at_interact":
        raise OAuthError(403, "access_denied", "Sign-up denied. Please contact support for assistance.")
    token = request.form.get("activation_token")
    check_activation_token(org, app, token)
    forgetful = read_recovery_token(org, request.form.get("recovery_token"))
    tx = org.transactions.begin(wanted, org.policy.lifetimes.before_user)
    g.thread = wanted.thread
    if token is not None:
        begin_with_token(org, tx, org.activation_tokens.get(token))
    if forgetful is not None:
        recovery.begin_with_token(tx, forgetful)
        renew(org, tx)
    log_start(org, app, request)
    return json_reply({"interaction_handle": tx.interaction_handle})


def log_start(org: Org, app: App, request: Request) -> None:
    """With the visitor's address where the caller is a trusted proxy that can prove itself, else with the caller's."""
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")[0].strip()
    trusted = org.policy.trusted_proxy and not app.is_public
    address = forwarded if trusted and forwarded else request.remote_addr or ""
    about = {"id": app.client_id, "type": "PublicClientApp", "displayName": app.label}
    org.record("app.oauth2.interact.interaction_handle", about, debug={"requestId": g.request_id}, address=address)


def check_interaction_code(org: Org, issuer: str) -> None:
    """The app is one of three places where the grant has to be on (docs/protocol.md, sections 1.3, 7)."""
    if not org.policy.interaction_code.org:
        text = "The requested feature (Interaction Code flow) isn't enabled in this environment."
        raise OAuthError(400, "access_denied", text)
    if issuer == org.issuer and not is_allowed_by_rule(org.policy.interaction_code):
        text = "Policy evaluation failed for this request, please check the policy configurations."
        raise OAuthError(401, "access_denied", text)


def is_allowed_by_rule(setting: InteractionCode) -> bool:
    return bool(setting.access_policy and setting.access_rule and setting.server)


def authorization_request(app: App, request: Request, issuer: str) -> AuthorizationRequest:
    form = request.form
    if form.get("redirect_uri") not in app.redirect_uris:
        text = "The 'redirect_uri' parameter must be a Login redirect URI in the client app settings."
        raise invalid_request(text)
    challenge = form.get("code_challenge")
    if not challenge:
        raise invalid_request("PKCE code challenge is required to use the interaction code flow.")
    check_challenge(challenge, form.get("code_challenge_method"))
    scopes = check_scopes(form.get("scope", ""))
    return AuthorizationRequest(
        app.client_id, issuer, form["redirect_uri"], scopes, form.get("state"), form.get("nonce"), challenge
    )


def check_challenge(challenge: str, method: str | None) -> None:
    if method != "S256":
        raise invalid_request("PKCE code challenge method is not supported. Valid values: [S256]")
    if not CHALLENGE.fullmatch(challenge):
        raise invalid_request("PKCE code challenge contains illegal characters.")


def check_scopes(scope: str) -> tuple[str, ...]:
    scopes = tuple(dict.fromkeys(scope.split()))
    if not scopes:
        raise OAuthError(400, "invalid_scope", "No scopes were requested.")
    if set(scopes) - set(SCOPES) or "openid" not in scopes:
        text = "One or more scopes are not configured for the authorization server resource."
        raise OAuthError(400, "invalid_scope", text)
    return scopes


def check_device_token(request: Request) -> None:
    if len(request.headers.get("X-Device-Token", "")) > DEVICE_TOKEN_MAX:
        raise invalid_request(f"The request has a deviceToken with length greater than {DEVICE_TOKEN_MAX}.")


def check_activation_token(org: Org, app: App, token: str | None) -> None:
    """Raises OAuthError. A token that is known and no longer good may get a page instead: `unknowns`."""
    if token is None:
        return
    if app.is_public:
        raise invalid_request("Only confidential clients can use the activation token flow")
    shown = token in org.activation_tokens and org.policy.unknowns.expired_activation_token != "oauth_error"
    if not shown and not is_usable(org, org.activation_tokens.get(token)):
        raise invalid_request("The activation token is invalid")


def read_recovery_token(org: Org, token: str | None) -> User | None:
    """Raises OAuthError when it stands for nobody any more."""
    user = recovery.holder_of(org, token) if token is not None else None
    if token is not None and user is None:
        raise invalid_request("The recovery token is invalid")
    return user


def begin_with_token(org: Org, tx: Transaction, link: Link | None) -> None:
    """Starts at the choice of authenticators. The token came by mail, so the address is the person's."""
    if link is None or not is_usable(org, link):
        begin_without(org, tx, link)
        return
    tx.user_id = link.user_id
    tx.step = Step.SELECT
    org.user_of(tx).email_verified = True
    renew(org, tx)


def invalid_request(description: str) -> OAuthError:
    return OAuthError(400, "invalid_request", description)
