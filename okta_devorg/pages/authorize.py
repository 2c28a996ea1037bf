"""GET or POST {issuer}/v1/authorize: redirect sign-in, from the app to the org's own sign-in page and back."""

from typing import get_args

from flask import Request, Response, g, url_for

from okta_devorg.idx.steps.progressive_profile import can_skip_attributes, lacks_attributes
from okta_devorg.oidc.authorization_request import check_challenge, check_key, check_scopes
from okta_devorg.oidc.client_authentication import authenticate_client
from okta_devorg.pages import identity_providers
from okta_devorg.policy.settings import App
from okta_devorg.state.org import Org
from okta_devorg.state.sign_ins import PUSHED_LIFETIME, PUSHED_PREFIX, Session
from okta_devorg.state.transactions import AuthorizationRequest, ResponseMode
from okta_devorg.state.users import Status
from okta_devorg.verification.sign_in_password import may_sign_in
from okta_devorg.wire.errors import OAuthError
from okta_devorg.wire.numbers import whole_number
from okta_devorg.wire.replies import error_page, json_reply, redirect_to, send_to_app

BAD_REDIRECT_URI = "The 'redirect_uri' parameter must be a Login redirect URI in the client app settings."


def authorize(org: Org, request: Request, issuer: str) -> Response:
    """Send the browser to the app if there is a session, else to the sign-in page.

    Errors are sent to the app (RFC 6749, section 4.1.2.1), unless the app or its address is unknown: then a page shows
    them.
    """
    values = request.values
    request_uri = values.get("request_uri", "")
    if request_uri and not request_uri.startswith(PUSHED_PREFIX):
        return identity_providers.idp_page(org, request)
    app = org.policy.app(values.get("client_id"))
    if app is None or not app.active:
        return error_page("Invalid value for 'client_id' parameter.")
    if request_uri:
        pushed = org.sign_ins.take_pushed(request_uri, app.client_id)
        return _pushed(org, app, pushed, request) if pushed else error_page(identity_providers.BAD_REQUEST_URI)
    if values.get("redirect_uri") not in app.redirect_uris:
        return error_page(BAD_REDIRECT_URI)
    try:
        return continue_or_sign_in(org, app, _read_request(app, request, issuer), request)
    except OAuthError as error:
        return error_to_app(values["redirect_uri"], values.get("state"), error, response_mode_of(request))


def push_request(org: Org, request: Request, issuer: str) -> Response:
    """POST {issuer}/v1/par (RFC 9126): keep an authorization request until the browser comes with its `request_uri`.

    :raises OAuthError: if the app is not authenticated, or a parameter is wrong.
    """
    app = authenticate_client(org, request)
    if request.form.get("redirect_uri") not in app.redirect_uris:
        raise OAuthError(400, "invalid_request", BAD_REDIRECT_URI)
    request_uri = org.sign_ins.push(_read_request(app, request, issuer))
    return json_reply({"request_uri": request_uri, "expires_in": PUSHED_LIFETIME}, 201)


def _pushed(org: Org, app: App, authorization_request: AuthorizationRequest, request: Request) -> Response:
    try:
        return continue_or_sign_in(org, app, authorization_request, request)
    except OAuthError as error:
        mode = authorization_request.response_mode
        return error_to_app(authorization_request.redirect_uri, authorization_request.state, error, mode)


def code_to_app(org: Org, app: App, authorization_request: AuthorizationRequest, session: Session) -> Response:
    """Send the browser to the app with a code for the user of the session.

    :raises OAuthError: if the user may not use the app.
    """
    user = org.users.find(session.user_id)
    if user is None or not may_sign_in(org, user):
        raise OAuthError(400, "access_denied", "The user is not active.")
    if not org.is_assigned(app, user):
        raise OAuthError(400, "access_denied", "User is not assigned to the client application.")
    if org.policy_for(app.client_id, user).sign_on == "denied":
        raise OAuthError(400, "access_denied", "You do not have permission to access this app.")
    user.last_login = session.started_at
    code = org.grants.issue(
        "authorization_code",
        authorization_request,
        user.id,
        session.amr,
        org.policy.lifetimes.authorization_code,
        auth_time=session.started_at,
    )
    mode = authorization_request.response_mode
    return send_to_app(authorization_request.redirect_uri, authorization_request.state, mode, code=code)


def error_to_app(redirect_uri: str, state: str | None, error: OAuthError, mode: ResponseMode) -> Response:
    """Send the browser to the app with an error."""
    return send_to_app(redirect_uri, state, mode, error=error.error, error_description=error.description)


def response_mode_of(request: Request) -> ResponseMode:
    """Return where the app wants the answer: by default in the query, but for tokens in the fragment, also an error
    (OAuth 2.0 Multiple Response Type Encoding Practices, section 2.1).
    """
    is_for_tokens = {"token", "id_token"} & set(request.values.get("response_type", "").split())
    default: ResponseMode = "fragment" if is_for_tokens else "query"
    asked = request.values.get("response_mode", default)
    return next((mode for mode in get_args(ResponseMode) if mode == asked), "query")


def _read_request(app: App, request: Request, issuer: str) -> AuthorizationRequest:
    values = request.values
    if values.get("response_type") != "code":
        text = "The response type is not supported by the authorization server."
        raise OAuthError(400, "unsupported_response_type", text)
    if values.get("response_mode", "query") not in get_args(ResponseMode):
        raise OAuthError(400, "invalid_request", "The response mode is not supported.")
    if "authorization_code" not in app.grants:
        raise OAuthError(400, "unauthorized_client", "The client is not authorized to use the provided grant type.")
    challenge = values.get("code_challenge")
    if challenge:
        check_challenge(challenge, values.get("code_challenge_method"))
    elif app.is_public:
        text = "PKCE code challenge is required when the token endpoint authentication method is 'NONE'."
        raise OAuthError(400, "invalid_request", text)
    scopes = check_scopes(values.get("scope", ""))
    state, nonce = values.get("state"), values.get("nonce")
    return AuthorizationRequest(
        app.client_id,
        issuer,
        values["redirect_uri"],
        scopes,
        state,
        nonce,
        challenge,
        response_mode_of(request),
        key=check_key(values.get("dpop_jkt")),
        prompt=values.get("prompt", ""),
        max_age=whole_number(values.get("max_age", "")),
        login_hint=values.get("login_hint", ""),
    )


def continue_or_sign_in(org: Org, app: App, authorization_request: AuthorizationRequest, request: Request) -> Response:
    """Send the browser to the app with a code if there is a session, else to the sign-in page.

    :raises OAuthError: if the user may not use the app, or is signed in too little and must not be asked.
    """
    session, prompt = _usable_session(org, authorization_request, request), authorization_request.prompt
    if session and prompt != "login":
        return code_to_app(org, app, authorization_request, session)
    if prompt == "none":
        raise OAuthError(400, "login_required", "The client specified not to prompt, but the user is not logged in.")
    g.thread = authorization_request.thread
    attempt = org.sign_ins.start_attempt(authorization_request, authorization_request.login_hint)
    return redirect_to(url_for("sign_in_page", attempt_id=attempt.id))


def _usable_session(org: Org, authorization_request: AuthorizationRequest, request: Request) -> Session | None:
    """Return the session of the browser, unless it is older than `max_age` or the user lacks required attributes."""
    session = org.sign_ins.find_session(request.cookies.get("sid"))
    user = org.users.find(session.user_id) if session else None
    if session is None or user is None or user.status is not Status.ACTIVE:
        return None
    max_age = authorization_request.max_age
    is_too_old = max_age is not None and org.clock.now() > session.started_at + max_age
    must_be_asked = lacks_attributes(org, user) and not can_skip_attributes(org)
    return None if is_too_old or must_be_asked else session
