"""Okta's own sign-in pages, for the redirect flow: identifier, password or code, then back to the app with a code."""

from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from urllib.parse import urlsplit

from flask import Request, Response, g, render_template, url_for

from okta_devorg.factors import passkeys
from okta_devorg.factors.assurance import still_to_prove
from okta_devorg.factors.questions import PREDEFINED
from okta_devorg.idx import challenges, recovery
from okta_devorg.idx.completion import amr_of
from okta_devorg.idx.interact import check_challenge, check_scopes
from okta_devorg.idx.prompts import asked_attributes, lacks_attributes, may_leave_out, update_profile
from okta_devorg.pages import identity_providers
from okta_devorg.policy.settings import App, Attribute
from okta_devorg.state.org import Org
from okta_devorg.state.sessions import Session, SignIn
from okta_devorg.state.transaction import AuthorizationRequest
from okta_devorg.state.users import Enrollment, Passkey, Status, User
from okta_devorg.verification.challenge import CAN_SIGN_IN, check, is_password, password_expired, sign_in_failed, start
from okta_devorg.verification.codes import refuse_early_resend
from okta_devorg.wire.pages import error_page, forbid_cross_site, host_name, origin_of, page_headers, plain_page
from okta_devorg.wire.refusals import ApiError, IdxRefusal, OAuthError
from okta_devorg.wire.replies import back_to_app, redirect_to

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
    asked = user is not None and lacks_attributes(org, user) and not may_leave_out(org)
    return session if user and user.status is Status.ACTIVE and not too_old and not asked else None


def hand_over(org: Org, app: App, wanted: AuthorizationRequest, session: Session) -> Response:
    if not org.is_assigned(app, org.users.by_id[session.user_id]):
        raise OAuthError(400, "access_denied", "User is not assigned to the client application.")
    if org.policy_for(app.client_id, org.users.by_id[session.user_id]).sign_on == "denied":
        raise OAuthError(400, "access_denied", "You do not have permission to access this app.")
    lifetime = org.policy.lifetimes.authorization_code
    code = org.grants.issue("authorization_code", wanted, session.user_id, session.amr, lifetime)
    org.grants.grants[code].auth_time = session.started_at
    return back_to_app(wanted.redirect_uri, wanted.state, code=code)


def sign_in_page(org: Org, request: Request, attempt_id: str) -> Response:
    attempt = org.sign_ins.find(attempt_id)
    if attempt is None:
        return error_page("This sign-in page has expired. Go back to the app and start again.")
    g.served = attempt
    elsewhere = host_of_passkey(org, attempt, request)
    return redirect_to(elsewhere) if elsewhere else show(org, attempt)


def host_of_passkey(org: Org, attempt: SignIn, request: Request) -> str | None:
    """A passkey made for `localhost` works on no page of 127.0.0.1, so the page moves to the name it was made for."""
    passkey = passkey_of(org, attempt) if attempt.authenticator == "webauthn" else None
    if passkey is None or passkey.rp_id != "localhost" or host_name(request) == "localhost":
        return None
    return f"{by_name(org)}{request.path}"


def by_name(org: Org) -> str:
    """The org's own origin as `localhost`, where its sign-in page may move to."""
    return f"http://localhost:{urlsplit(org.base).port or 80}"


def person_of(org: Org, attempt: SignIn) -> User | None:
    """Known, or only named so far. Nobody who may not sign in."""
    user = org.users.find(attempt.user_id or attempt.identifier)
    return user if user and user.status in CAN_SIGN_IN else None


def passkey_of(org: Org, attempt: SignIn) -> Passkey | None:
    user = person_of(org, attempt)
    enrolled = user.enrollments.get("webauthn") if user else None
    return enrolled.passkey if enrolled else None


def sign_in(org: Org, request: Request, attempt_id: str) -> Response:
    """One POST of the form. Comes back to the page until the person is known."""
    forbid_cross_site(request)
    attempt = org.sign_ins.find(attempt_id)
    if attempt is None:
        return error_page("This sign-in page has expired. Go back to the app and start again.")
    g.thread, g.served = attempt.request.thread, attempt
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
    app, passkey = org.app_of(attempt), passkey_of(org, attempt)
    question = org.users.by_id[attempt.user_id].enrollments.get("security_question") if attempt.user_id else None
    if attempt.authenticator == "webauthn":
        attempt.passkey_challenge = passkeys.new_challenge()
    page = render_template(
        "sign_in.html",
        passkey_options=passkeys.challenge_data(passkey, attempt.passkey_challenge or b"") if passkey else None,
        passkey_possible=org.policy.authenticators.webauthn != "disabled",
        attempt=attempt,
        questions=PREDEFINED,
        error=error,
        app=app,
        question=question.question if question else "",
        kind=KINDS.get(attempt.authenticator or "", "code"),
        sent_by=SENT_BY.get(attempt.method or attempt.authenticator or ""),
        other=other_label(org, attempt),
        attributes=asked_attributes(org),
        may_leave_out=may_leave_out(org),
        sign_up_uri=app.sign_up_uri if org.policy.sign_up else None,
    )
    return page_headers(Response(page, status), f"{by_name(org)} {origin_of(attempt.request.redirect_uri)}")


# What is asked on the page for an authenticator, "code" for those not here; and how it is called there.
KINDS = {"webauthn": "passkey", "security_question": "question"}
SENT_BY = {"okta_email": "e-mail", "sms": "text message", "voice": "voice call"}
LABELS = {
    "okta_password": "your password",
    "webauthn": "a passkey",
    "okta_email": "e-mail",
    "phone_number": "your phone",
    "google_otp": "your authenticator app",
    "security_question": "your security question",
}


def take_identifier(org: Org, attempt: SignIn, request: Request) -> bool:
    """People without a password are sent a code; nobody learns here whether an account exists otherwise."""
    attempt.identifier = request.form.get("identifier", "").strip()
    user = person_of(org, attempt)
    if user is None or user.password_hash:
        attempt.stage = "password"
        return False
    attempt.user_id = user.id
    return go_on(org, attempt, user)


def take_password(org: Org, attempt: SignIn, request: Request) -> bool:
    user = org.users.find(attempt.identifier)
    right = is_password(org, user, request.form.get("password", ""))
    if user is None or not right:
        locked = user and user.status is Status.LOCKED_OUT and org.policy.password.lockout.show_lockout_failures
        raise IdxRefusal(401, sign_in_failed(org, user) if locked else [{"message": NEUTRAL}])
    return proved(org, attempt, user, "okta_password")


def proved(org: Org, attempt: SignIn, user: User, key: str) -> bool:
    attempt.user_id, attempt.proven = user.id, (*attempt.proven, key)
    return go_on(org, attempt, user)


def go_on(org: Org, attempt: SignIn, user: User) -> bool:
    """True when enough is proven, the password is not too old, and neither a required security question nor an
    attribute that the app's policy asks for is missing.
    """
    factors = still_to_prove(org.policy, user, "sign_in", attempt.proven)
    if factors:
        ask(org, attempt, user, factors[0])
    elif "okta_password" in attempt.proven and password_expired(org, user):
        attempt.stage, attempt.authenticator = "expired", None
    elif lacks_question(org, user):
        attempt.stage, attempt.authenticator = "question", None
    elif lacks_attributes(org, user) and not attempt.profile_skipped:
        attempt.stage, attempt.authenticator = "profile", None
    else:
        return True
    return False


def ask(org: Org, attempt: SignIn, user: User, enrollment: Enrollment) -> None:
    if enrollment.key == "okta_password":
        attempt.stage, attempt.authenticator = "password", None
        return
    attempt.stage, attempt.authenticator = "factor", enrollment.key
    attempt.method = enrollment.methods[0] if enrollment.key == "phone_number" else None
    start(org, attempt, user, enrollment)


def take_factor(org: Org, attempt: SignIn, request: Request) -> bool:
    user = person_of(org, attempt)
    if user is None or (attempt.authenticator not in user.enrollments and attempt.authenticator != "okta_email"):
        raise IdxRefusal(401, [{"message": NEUTRAL}])
    form = request.form.to_dict()
    credentials = {**form, "passcode": form.get("code", "")}
    check(org, attempt, user, credentials, [f"http://{request.host}"])
    return proved(org, attempt, user, str(attempt.authenticator))


def take_new_password(org: Org, attempt: SignIn, request: Request) -> bool:
    user = org.users.by_id[str(attempt.user_id)]
    challenges.take_password(org, user, request.form.get("password", ""))
    user.status = Status.ACTIVE
    return go_on(org, attempt, user)


def lacks_question(org: Org, user: User) -> bool:
    """Of what a policy may require only this is made up for at the sign-in; the rest waits."""
    return org.policy.authenticators.security_question == "required" and "security_question" not in user.enrollments


def take_new_question(org: Org, attempt: SignIn, request: Request) -> bool:
    user = org.users.by_id[str(attempt.user_id)]
    challenges.enroll_question(org, user, request.form.to_dict())
    return go_on(org, attempt, user)


def take_profile(org: Org, attempt: SignIn, request: Request) -> bool:
    user, typed = org.users.by_id[str(attempt.user_id)], request.form
    wanted = {item: typed.get(f"userProfile.{item.name}", "").strip() for item in asked_attributes(org)}
    update_profile(org, user, {item.name: as_typed(item, text) for item, text in wanted.items()})
    # Once per sign-in, whatever was left out.
    attempt.profile_skipped = True
    return go_on(org, attempt, user)


def as_typed(attribute: Attribute, text: str) -> object:
    """A form sends texts only. What is no number stays a text, and is refused as one."""
    if attribute.type in ("integer", "number"):
        with suppress(ValueError):
            return int(text) if attribute.type == "integer" else float(text)
    return text


def skip_profile(org: Org, attempt: SignIn, request: Request) -> bool:
    user = person_of(org, attempt)
    if user is None or attempt.stage != "profile" or not may_leave_out(org):
        raise IdxRefusal(401, [{"message": NEUTRAL}])
    attempt.profile_skipped = True
    return go_on(org, attempt, user)


def use_passkey(org: Org, attempt: SignIn, request: Request) -> bool:
    """Instead of the password. Says the same whether the account is unknown or has no passkey."""
    if attempt.stage != "password" or passkey_of(org, attempt) is None:
        raise IdxRefusal(401, [{"message": NEUTRAL}])
    attempt.stage, attempt.authenticator = "factor", "webauthn"
    return False


def resend(org: Org, attempt: SignIn, request: Request) -> bool:
    refuse_early_resend(org, attempt)
    held = next((item for item in choices(org, attempt) if item.key == attempt.authenticator), None)
    if held:
        start(org, attempt, org.users.by_id[str(attempt.user_id)], held)
    return False


def choices(org: Org, attempt: SignIn) -> tuple[Enrollment, ...]:
    if attempt.stage != "factor" or attempt.user_id is None:
        return ()
    user = org.users.by_id[attempt.user_id]
    return still_to_prove(org.policy, user, "sign_in", attempt.proven)


def other_choice(org: Org, attempt: SignIn) -> Enrollment | None:
    """The one after the one in hand, round and round."""
    offered = choices(org, attempt)
    keys = [item.key for item in offered]
    if len(keys) < 2 or attempt.authenticator not in keys:
        return None
    return offered[(keys.index(attempt.authenticator) + 1) % len(keys)]


def other_label(org: Org, attempt: SignIn) -> str | None:
    other = other_choice(org, attempt)
    return LABELS[other.key] if other else None


def use_other(org: Org, attempt: SignIn, request: Request) -> bool:
    other = other_choice(org, attempt)
    if other:
        ask(org, attempt, org.users.by_id[str(attempt.user_id)], other)
    return False


def restart(org: Org, attempt: SignIn, request: Request) -> bool:
    attempt.stage, attempt.user_id, attempt.codes, attempt.proven = "identifier", None, [], ()
    attempt.authenticator, attempt.profile_skipped = None, False
    return False


Taking = Callable[[Org, SignIn, Request], bool]
STAGES: dict[str, Taking] = {
    "identifier": take_identifier,
    "password": take_password,
    "factor": take_factor,
    "expired": take_new_password,
    "question": take_new_question,
    "profile": take_profile,
}
ACTIONS: dict[str, Taking] = {
    "resend": resend,
    "other": use_other,
    "passkey": use_passkey,
    "restart": restart,
    "skip": skip_profile,
}


def reset_page(org: Org, request: Request, token: str) -> Response:
    """Where the mail of an administrator's reset leads."""
    user = recovery.holder_of(org, token)
    if user is None:
        return error_page("This link has expired or was already used.")
    if request.method == "GET":
        return show_reset(token)
    forbid_cross_site(request)
    try:
        challenges.take_password(org, user, request.form.get("password", ""))
    except IdxRefusal as refusal:
        return show_reset(token, refusal.fields["credentials.passcode"][0]["message"], refusal.status)
    del org.recovery_tokens[token]
    user.status = Status.ACTIVE
    return plain_page("Your password is set", "You can sign in now.")


def show_reset(token: str, error: str = "", status: int = 200) -> Response:
    return page_headers(Response(render_template("reset_password.html", token=token, error=error), status))


def finish(org: Org, attempt: SignIn) -> Response:
    """A session at the org and a code for the app; the attempt is over."""
    del org.sign_ins.open[attempt.id]
    sid = org.sign_ins.start_session(str(attempt.user_id), amr_of(attempt.proven), org.policy.lifetimes.session)
    try:
        reply = hand_over(org, org.app_of(attempt), attempt.request, org.sign_ins.sessions[sid])
    except OAuthError as error:
        wanted = attempt.request
        reply = back_to_app(wanted.redirect_uri, wanted.state, error=error.error, error_description=error.description)
    reply.set_cookie("sid", sid, httponly=True, samesite="Lax")
    return reply
