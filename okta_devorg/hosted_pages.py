"""Okta's own sign-in pages, for the redirect flow: identifier, password or code, then back to the app with a code."""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain

from flask import Request, Response, g, render_template, url_for

from . import identity_providers, passkeys
from .codes import check_code, issue_code, refuse_early_resend
from .completion import AMR
from .interact import check_challenge, check_scopes
from .messages import CHALLENGE, SMS, VOICE
from .org import Org
from .pages import error_page, forbid_cross_site, host_name, origin_of, page_headers
from .policy import App
from .refusals import ApiError, IdxRefusal, OAuthError
from .replies import back_to_app, redirect_to
from .sign_in import Session, SignIn
from .transaction import AuthorizationRequest
from .users import Passkey, Status, User, is_secret

NEUTRAL = "Unable to sign in"


def authorize(org: Org, request: Request, issuer: str) -> Response:
    """Unknown apps and addresses get a page; everything else that is wrong goes back to the app (RFC 6749, 4.1.2.1)."""
    values = request.values
    if "request_uri" in values:
        return identity_providers.page(org, request)
    app = org.policy.app(values.get("client_id"))
    if app is None:
        return error_page("Invalid value for 'client_id' parameter.")
    if values.get("redirect_uri") not in app.redirect_uris:
        return error_page("The 'redirect_uri' parameter must be a Login redirect URI in the client app settings.")
    try:
        wanted = read_request(app, request, issuer)
        return proceed(org, app, wanted, request)
    except OAuthError as error:
        told = {"error": error.error, "error_description": error.description}
        return back_to_app(values["redirect_uri"], values.get("state"), **told)


def read_request(app: App, request: Request, issuer: str) -> AuthorizationRequest:
    values = request.values
    if values.get("response_type") != "code":
        text = "The response type is not supported by the authorization server."
        raise OAuthError(400, "unsupported_response_type", text)
    if values.get("response_mode", "query") != "query":
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
    return AuthorizationRequest(
        app.client_id, issuer, values["redirect_uri"], scopes, values.get("state"), values.get("nonce"), challenge
    )


def proceed(org: Org, app: App, wanted: AuthorizationRequest, request: Request) -> Response:
    session, prompt = usable_session(org, request), request.values.get("prompt")
    if session and prompt != "login":
        return hand_over(org, app, wanted, session)
    if prompt == "none":
        raise OAuthError(400, "login_required", "The client specified not to prompt, but the user is not logged in.")
    g.thread = wanted.thread
    attempt = org.sign_ins.begin(wanted, request.values.get("login_hint", ""))
    return redirect_to(url_for("sign_in_page", attempt_id=attempt.id))


def usable_session(org: Org, request: Request) -> Session | None:
    session = org.sign_ins.session(request.cookies.get("sid"))
    user = org.users.find(session.user_id) if session else None
    max_age = request.values.get("max_age", "")
    too_old = session and max_age.isdecimal() and org.clock.now() > session.started_at + int(max_age)
    return session if user and user.status is Status.ACTIVE and not too_old else None


def hand_over(org: Org, app: App, wanted: AuthorizationRequest, session: Session) -> Response:
    if not org.is_assigned(app, org.users.by_id[session.user_id]):
        raise OAuthError(400, "access_denied", "User is not assigned to the client application.")
    lifetime = org.policy.lifetimes.authorization_code
    code = org.grants.issue("authorization_code", wanted, session.user_id, session.amr, lifetime)
    org.grants.grants[code].auth_time = session.started_at
    return back_to_app(wanted.redirect_uri, wanted.state, code=code)


def sign_in_page(org: Org, request: Request, attempt_id: str) -> Response:
    attempt = org.sign_ins.find(attempt_id)
    if attempt is None:
        return error_page("This sign-in page has expired. Go back to the app and start again.")
    elsewhere = host_of_passkey(org, attempt, request)
    return redirect_to(elsewhere) if elsewhere else show(org, attempt)


def host_of_passkey(org: Org, attempt: SignIn, request: Request) -> str | None:
    """A passkey made for `localhost` works on no page of 127.0.0.1, so the page moves to the name it was made for."""
    passkey = passkey_of(org, attempt) if attempt.stage == "passkey" else None
    if passkey is None or passkey.rp_id != "localhost" or host_name(request) == "localhost":
        return None
    _, _, port = request.host.rpartition(":")
    return f"http://localhost:{port}{request.path}"


def passkey_of(org: Org, attempt: SignIn) -> Passkey | None:
    user = org.users.find(attempt.user_id or attempt.identifier)
    enrolled = user.enrollments.get("webauthn") if user and user.status is Status.ACTIVE else None
    return enrolled.passkey if enrolled else None


def sign_in(org: Org, request: Request, attempt_id: str) -> Response:
    """One POST of the form. Comes back to the page until the person is known."""
    forbid_cross_site(request)
    attempt = org.sign_ins.find(attempt_id)
    if attempt is None:
        return error_page("This sign-in page has expired. Go back to the app and start again.")
    g.thread = attempt.request.thread
    step = ACTIONS.get(request.form.get("action", ""), STAGES[attempt.stage])
    try:
        done = step(org, attempt, request)
    except IdxRefusal as refusal:
        texts = [item["message"] for item in chain(refusal.messages, *refusal.fields.values())]
        return show(org, attempt, texts[0], refusal.status)
    except ApiError as refusal:
        return show(org, attempt, refusal.summary, refusal.status)
    return finish(org, attempt) if done else redirect_to(url_for("sign_in_page", attempt_id=attempt.id), 303)


def show(org: Org, attempt: SignIn, error: str = "", status: int = 200) -> Response:
    app = org.policy.app(attempt.request.client_id)
    user = org.users.find(attempt.user_id)
    passkey = passkey_of(org, attempt) if attempt.stage == "passkey" else None
    page = render_template(
        "sign_in.html",
        passkey_options=passkeys.challenge_data(passkey, attempt.passkey_challenge) if passkey else None,
        passkey_possible=org.policy.authenticators.webauthn != "disabled",
        attempt=attempt,
        error=error,
        app=app,
        sign_up_uri=app.sign_up_uri if app and org.policy.sign_up else None,
        other_method=other_method(user, attempt) if user else None,
    )
    return page_headers(Response(page, status), form_action=origin_of(attempt.request.redirect_uri))


def take_identifier(org: Org, attempt: SignIn, request: Request) -> bool:
    """People without a password are sent a code; nobody learns here whether an account exists otherwise."""
    attempt.identifier = request.form.get("identifier", "").strip()
    user = org.users.find(attempt.identifier)
    if user and user.status is Status.ACTIVE and not user.password_hash:
        attempt.user_id = user.id
        ask_possession(org, attempt, user)
    else:
        attempt.stage = "password"
    return False


def take_password(org: Org, attempt: SignIn, request: Request) -> bool:
    user = org.users.find(attempt.identifier)
    right = is_secret(request.form.get("password", ""), user.password_hash if user else None)
    if user is None or not right or user.status is not Status.ACTIVE:
        raise IdxRefusal(401, [{"message": NEUTRAL}])
    attempt.user_id = user.id
    attempt.amr = ("pwd",)
    if org.policy.sign_on == "any_1_factor":
        return True
    ask_possession(org, attempt, user)
    return False


def ask_possession(org: Org, attempt: SignIn, user: User) -> None:
    """Passkey first: it is the one thing here that cannot be phished. Others are offered beside it."""
    if "webauthn" in user.enrollments:
        ask_passkey(attempt)
    else:
        send_code(org, attempt, user)


def ask_passkey(attempt: SignIn) -> None:
    attempt.stage, attempt.passkey_challenge = "passkey", passkeys.new_challenge()


def take_passkey(org: Org, attempt: SignIn, request: Request) -> bool:
    """A challenge is good once, also when the answer was wrong."""
    challenge, passkey = attempt.passkey_challenge, passkey_of(org, attempt)
    ask_passkey(attempt)
    user = org.users.find(attempt.user_id or attempt.identifier)
    if user is None or passkey is None:
        raise IdxRefusal(401, [{"message": NEUTRAL}])
    here = [f"http://{request.host}"]
    used = passkeys.asserted(passkey, request.form.to_dict(), challenge, here, org.policy.statuses.passkey)
    user.enrollments["webauthn"] = replace(user.enrollments["webauthn"], passkey=used)
    attempt.user_id, attempt.amr = user.id, (*attempt.amr, AMR["webauthn"])
    return True


def use_passkey(org: Org, attempt: SignIn, request: Request) -> bool:
    """Instead of the password. Says the same whether the account is unknown or has no passkey."""
    if attempt.stage != "password" or passkey_of(org, attempt) is None:
        raise IdxRefusal(401, [{"message": NEUTRAL}])
    ask_passkey(attempt)
    return False


def take_code(org: Org, attempt: SignIn, request: Request) -> bool:
    check_code(org, attempt, org.users.by_id[str(attempt.user_id)], request.form.get("code", "").strip())
    attempt.amr = (*attempt.amr, AMR["okta_email" if attempt.method == "email" else "phone_number"])
    return True


def resend(org: Org, attempt: SignIn, request: Request) -> bool:
    refuse_early_resend(org, attempt)
    if attempt.stage == "code":
        send_code(org, attempt, org.users.by_id[str(attempt.user_id)])
    return False


def use_other(org: Org, attempt: SignIn, request: Request) -> bool:
    """From the passkey or from one kind of code to another kind."""
    user = org.users.find(attempt.user_id)
    other = other_method(user, attempt) if user and attempt.stage in ("code", "passkey") else None
    if user and other:
        attempt.method = other
        send_code(org, attempt, user)
    return False


def restart(org: Org, attempt: SignIn, request: Request) -> bool:
    attempt.stage, attempt.user_id, attempt.codes, attempt.amr = "identifier", None, [], ()
    return False


Taking = Callable[[Org, SignIn, Request], bool]
STAGES: dict[str, Taking] = {
    "identifier": take_identifier,
    "password": take_password,
    "code": take_code,
    "passkey": take_passkey,
}
ACTIONS: dict[str, Taking] = {"resend": resend, "other": use_other, "passkey": use_passkey, "restart": restart}


def other_method(user: User, attempt: SignIn) -> str | None:
    phone = user.enrollments.get("phone_number")
    if attempt.stage == "passkey" or attempt.method != "email":
        return "email"
    return phone.methods[0] if phone else None


def send_code(org: Org, attempt: SignIn, user: User) -> None:
    app = org.policy.app(attempt.request.client_id) or App(attempt.request.client_id)
    phone = user.enrollments.get("phone_number")
    attempt.stage = "code"
    if attempt.method == "email" or phone is None:
        lifetime = org.policy.lifetimes.email_code
        code = issue_code(org, attempt, user.email, lifetime)
        org.send("email", user, CHALLENGE, app, code=code, minutes=str(lifetime // 60))
        return
    code = issue_code(org, attempt, str(phone.phone), org.policy.lifetimes.sms_code)
    voice = attempt.method == "voice"
    org.send("voice" if voice else "sms", user, VOICE if voice else SMS, app, to=str(phone.phone), code=code)


def finish(org: Org, attempt: SignIn) -> Response:
    """A session at the org and a code for the app; the attempt is over."""
    del org.sign_ins.open[attempt.id]
    sid = org.sign_ins.start_session(str(attempt.user_id), attempt.amr, org.policy.lifetimes.session)
    app = org.policy.app(attempt.request.client_id) or App(attempt.request.client_id)
    try:
        reply = hand_over(org, app, attempt.request, org.sign_ins.sessions[sid])
    except OAuthError as error:
        wanted = attempt.request
        reply = back_to_app(wanted.redirect_uri, wanted.state, error=error.error, error_description=error.description)
    reply.set_cookie("sid", sid, httponly=True, samesite="Lax")
    return reply
